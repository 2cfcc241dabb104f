"""Rows that name a member without a foreign key: tasks, throttles, logins to the admin.

No index finds them, so they are looked for once for all members who are being erased together: each
table is read in batches of its key, none of which grows with the table, and each row is compared
with the set of all the names.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from django.conf import settings
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

    for [keys] in _keys(RateWindow.objects.values_list("pk", "key"), names_one):
        RateWindow.objects.filter(pk__in=keys).delete()


def _erase_admin_logins(members: Sequence[Member]) -> None:
    ids = {str(member.pk) for member in members}
    store = import_module(settings.SESSION_ENGINE).SessionStore()

    def names_one(data: str) -> bool:
        return store.decode(data).get("_auth_user_id") in ids

    for [keys] in _keys(Session.objects.values_list("pk", "session_data"), names_one):
        Session.objects.filter(pk__in=keys).delete()


def _erase_tasks(members: Sequence[Member]) -> None:
    """Tasks whose arguments, results or errors name one: what went wrong may quote a row.

    A task is known by the id. Somebody else may have the same address, so a task of theirs loses
    its traceback alone.
    """
    ids = {member.pk.hex for member in members}
    addresses = {member.email for member in members} - {""}
    # A whole address: i@naver.com is no part of minji@naver.com.
    address = re.compile(rf"(?<![\w.%+-])(?:{'|'.join(map(re.escape, addresses))})(?!\.?[\w-])")

    def names_id(*texts: str) -> bool:
        return any(
            found[0].replace("-", "") in ids for text in texts for found in _ID.findall(text)
        )

    def names_address(*texts: str) -> bool:
        return bool(addresses) and any("@" in text and address.search(text) for text in texts)

    tasks = BackgroundTask.objects.values_list(
        "pk",
        Cast("args_kwargs", TextField()),
        Cast("return_value", TextField()),
        "traceback",
    )
    for named, quoting in _keys(tasks, names_id, names_address):
        BackgroundTask.objects.filter(pk__in=quoting).update(traceback="")
        _delete_tasks(BackgroundTask.objects.filter(pk__in=named))
    attempts = TaskAttempt.objects.values_list("pk", "traceback")
    for named, quoting in _keys(attempts, names_id, names_address):
        TaskAttempt.objects.filter(pk__in=quoting).update(traceback="")
        _delete_tasks(BackgroundTask.objects.filter(attempts__in=named))


def _delete_tasks(tasks: QuerySet[BackgroundTask]) -> None:
    with transaction.atomic():
        BackgroundTask.objects.filter(pk__in=list(tasks.values_list("pk", flat=True))).delete()


def _keys(rows: QuerySet[Any, Any], *tests: Callable[..., bool]) -> Iterator[tuple[list[Any], ...]]:
    """The keys of the rows whose other columns pass each of the tests, batch by batch."""
    after = None
    while True:
        more = rows if after is None else rows.filter(pk__gt=after)
        batch = list(more.order_by("pk")[:_BATCH])
        found = tuple(
            [key for key, *texts in batch if passes(*filter(None, texts))] for passes in tests
        )
        if any(found):
            yield found
        if len(batch) < _BATCH:
            return
        after = batch[-1][0]
