"""Erasing members whose time to come back is over, and what is kept of them."""

import datetime as dt
import logging
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.common.batches import prune_in_batches
from apps.members import tasks
from apps.members.models import DeviceSession, Leaving, Member, RetainedRecord
from apps.members.models.leaving import hash_username
from apps.members.models.session import LOGINS_KEPT
from apps.members.services import account_state
from apps.members.services.belongings import registered
from apps.members.services.suspensions import keep_suspension_of_ended
from apps.members.services.traces import erase_traces
from apps.tasks.services import enqueue_once

logger = logging.getLogger(__name__)

# Of one run of the periodic task; the next one, an hour later, finds the others.
_MEMBERS = 1000
# Rows of one transaction.
_BATCH = 500
# An hour is enough to erase somebody, so after a day something is wrong.
_OVERDUE = dt.timedelta(days=1)
_Kind, _Basis = RetainedRecord.Kind, RetainedRecord.Basis


def recount_member(*, member_id: UUID) -> None:
    """Count again all that a member's likes, comments and the like are counted in."""
    for belonging in registered():
        if belonging.recount is not None:
            belonging.recount(member_id)


def erase_due_members() -> int:
    """Enqueue a task for each member whose time is over; how many.

    Once an hour for each: one whose task has failed gets another, which goes on where it stopped.
    """
    rows = Leaving.objects.due().filter(emptied_at__isnull=True)
    due = list(rows.order_by("erase_at").values_list("pk", flat=True)[:_MEMBERS])
    hour = timezone.now().strftime("%Y-%m-%dT%H")
    for leaving_id in due:
        enqueue_once(tasks.erase_member, f"{leaving_id}@{hour}", str(leaving_id))
    _tell_of_overdue()
    return len(due)


def _tell_of_overdue() -> None:
    before = timezone.now() - _OVERDUE
    count = Leaving.objects.filter(erase_at__lt=before, member__is_active=False).count()
    if count:
        logger.error(
            "%s members should have been erased more than a day ago: see why the tasks "
            "erase_member and finish_erasing fail",
            count,
        )


def erase_member(*, leaving_id: UUID) -> str:
    """Erase what a member has: files and rows. It can be cut off anywhere and run again.

    The member's own row, and what names the member elsewhere, is left for `finish_erasing`.

    Returns:
        "emptied"; "not due" where they came back or are gone already.
    """
    member = _begin(leaving_id)
    if member is None:
        return "not due"
    _retain(member)
    for belonging in reversed(registered()):
        if belonging.erase is not None:
            belonging.erase(member)
    # A login that its provider ended led back here. Like those that were linked it is free now:
    # `finish_erasing` may come late.
    Leaving.objects.filter(pk=leaving_id).update(emptied_at=timezone.now(), identity_hash=None)
    return "emptied"


def finish_erasing() -> int:
    """Erase the members who have nothing left, and what names them in tables that know no members.

    Those tables are read once for all of them, in batches: docs/leaving.md has figures. It can be
    cut off anywhere and run again.

    Returns:
        How many were erased.
    """
    emptied = Member.objects.filter(is_active=False, leaving__emptied_at__isnull=False)
    members = list(emptied.order_by("leaving__erase_at")[:_MEMBERS])
    if members:
        erase_traces(members)
    erased = 0
    for member in members:
        try:
            # With what little Django's own tables hang on it: groups and permissions.
            emptied.filter(pk=member.pk).delete()
        except DatabaseError:
            # One must not keep the others.
            logger.exception("a member who left could not be erased")
        else:
            erased += 1
    logger.info("%s members who left were erased", erased)
    return erased


def _begin(leaving_id: UUID) -> Member | None:
    """The member, from now on without a way back."""
    leaving = Leaving.objects.select_related("member").filter(pk=leaving_id).first()
    if leaving is None:
        return None
    with transaction.atomic():
        member = account_state.lock(leaving.member, is_active=False)
        if member is None:
            return None
        due = Leaving.objects.due().filter(pk=leaving_id)
        due.filter(erasing_since__isnull=True).update(erasing_since=timezone.now())
        return member if due.exists() else None


def _retain(member: Member) -> None:
    """Keep what has to be kept, once; docs/leaving.md says what and why.

    What operators did is kept as the rows go that they did it to (see operator_log), and a
    suspension as the logins go (see suspensions); here, that of a login that went before.
    """
    keep_suspension_of_ended(member=member)
    name = hash_username(member.username)
    now = timezone.now()
    found = [
        RetainedRecord(
            kind=_Kind.USERNAME,
            basis=_Basis.IMPERSONATION,
            source_id=name.hex(),
            username_hash=name,
            delete_at=now + dt.timedelta(seconds=settings.USERNAME_KEPT_SECONDS),
        )
    ]
    for session in DeviceSession.objects.filter(
        member=member, last_used_at__gt=now - LOGINS_KEPT
    ).iterator(_BATCH):
        times = {"logged_in_at": session.created_at, "last_used_at": session.last_used_at}
        found.append(
            RetainedRecord(
                kind=_Kind.LOGIN,
                basis=_Basis.COMMUNICATIONS,
                source_id=str(session.pk),
                username_hash=name,
                data={"platform": session.platform}
                | {key: moment.isoformat() for key, moment in times.items()},
                delete_at=session.last_used_at + LOGINS_KEPT,
            )
        )
    RetainedRecord.objects.bulk_create(found, batch_size=_BATCH, ignore_conflicts=True)


def delete_retained_records() -> int:
    """Delete what was kept for long enough; how many there were."""
    old = RetainedRecord.objects.filter(delete_at__lte=timezone.now())
    return prune_in_batches(old, "delete_at")
