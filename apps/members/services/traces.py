"""Rows that name a member without a foreign key: tasks, throttles, logins to the admin.

No index finds them, so they are looked for once for all members who are being erased together: each
table is read in batches of its key, none of which grows with the table, and each row is compared
with the set of all the names.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from apps.common.models import RateWindow
from apps.common.pruning import prune_expired_rows
from apps.members.models import Member
from apps.tasks.models import BackgroundTask, TaskAttempt

# Rows of one query.
_BATCH = 2000
# A member's id anywhere in a text, with its hyphens or without. Looked for at each place, so that a
# digit that stands before it hides none.
_ID = re.compile(r"(?=([0-9a-f]{8}(-?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}))")


def erase_traces(members: Sequence[Member]) -> None:
    """Delete the rows that name one of these members. In batches; again is harmless."""
    # Answers that are kept for a retry: they name nobody, and none is as old as leaving is.
    prune_expired_rows()
    _erase_throttles(members)
    _erase_admin_logins(members)
    _erase_tasks(members)


def _erase_throttles(members: Sequence[Member]) -> None:
    ids = {str(member.pk) for member in members}
    names = {member.username for member in members}

    def names_one(key: str) -> bool:
        # Somebody may be called as a scope is.
        _scope, *caller = key.split(":")
        return bool(caller) and (caller[-1] in names or not ids.isdisjoint(caller))

    for keys in _keys(RateWindow.objects.values_list("pk", "key"), names_one):
        RateWindow.objects.filter(pk__in=keys).delete()


def _erase_admin_logins(members: Sequence[Member]) -> None:
    ids = {str(member.pk) for member in members}
    store = SessionStore()

    def names_one(data: str) -> bool:
        return store.decode(data).get("_auth_user_id") in ids

    for keys in _keys(Session.objects.values_list("pk", "session_data"), names_one):
        Session.objects.filter(pk__in=keys).delete()


def _erase_tasks(members: Sequence[Member]) -> None:
    """Tasks whose arguments, results or errors name one: what went wrong may quote a row."""
    ids = {member.pk.hex for member in members}
    emails = {member.email for member in members} - {""}

    def names_one(*texts: str) -> bool:
        return any(
            any(found[0].replace("-", "") in ids for found in _ID.findall(text))
            or ("@" in text and any(email in text for email in emails))
            for text in texts
        )

    tasks = BackgroundTask.objects.values_list(
        "pk",
        Cast("args_kwargs", TextField()),
        Cast("return_value", TextField()),
        "traceback",
    )
    for keys in _keys(tasks, names_one):
        _delete_tasks(BackgroundTask.objects.filter(pk__in=keys))
    for keys in _keys(TaskAttempt.objects.values_list("pk", "traceback"), names_one):
        _delete_tasks(BackgroundTask.objects.filter(attempts__in=keys))


def _delete_tasks(tasks: QuerySet[BackgroundTask]) -> None:
    with transaction.atomic():
        BackgroundTask.objects.filter(pk__in=list(tasks.values_list("pk", flat=True))).delete()


def _keys(rows: QuerySet[Any, Any], names_one: Callable[..., bool]) -> Iterator[list[Any]]:
    """The keys of the rows whose other columns name somebody, batch by batch."""
    after = None
    while True:
        more = rows if after is None else rows.filter(pk__gt=after)
        batch = list(more.order_by("pk")[:_BATCH])
        keys = [key for key, *texts in batch if names_one(*filter(None, texts))]
        if keys:
            yield keys
        if len(batch) < _BATCH:
            return
        after = batch[-1][0]
