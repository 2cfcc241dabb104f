"""Whether an account is open, and opening and closing it."""

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.members import tasks
from apps.members.models import Leaving, Member
from apps.members.tokens import TokenInvalid

# Django has no FOR KEY SHARE. It lets the account's other rows and counters be written, and makes
# closing the account wait.
_HOLD = "SELECT reopened_at FROM members_member WHERE id = %s AND is_active FOR KEY SHARE"


def hold_open(member: Member) -> Member:
    """Keep a member's account from closing until the transaction ends.

    For writes that others' counters count: those of an account that has just been closed would be
    missed by the task that takes them out of the counters. Lock what is counted first.

    Raises:
        TokenInvalid: it has been closed since the request began.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [member.pk])
        row = cursor.fetchone()
    if row is None:
        raise TokenInvalid
    [member.reopened_at] = row
    return member


def lock(member: Member, **still: Any) -> Member | None:
    """The member's row, locked against everything that `hold_open` holds, if it is `still` so."""
    return Member.objects.select_for_update(of=("self",)).filter(pk=member.pk, **still).first()


def close_account(member: Member) -> None:
    """Hide a locked member and all that is theirs; counters follow by a task."""
    Member.objects.filter(pk=member.pk).update(is_active=False)
    member.is_active = False
    tasks.recount_member.enqueue(str(member.pk))


def open_account(member: Member) -> None:
    """Show a locked member and all that is theirs again; counters follow by a task."""
    now: dt.datetime = timezone.now()
    Leaving.objects.filter(member=member).delete()
    Member.objects.filter(pk=member.pk).update(is_active=True, reopened_at=now)
    member.is_active, member.reopened_at = True, now
    tasks.recount_member.enqueue(str(member.pk))


def set_open(*, member: Member, is_open: bool) -> bool:
    """Open or close an account, for operators.

    Opened, one that was leaving no longer is; closed, it is erased as before, without a way back.

    Returns:
        False where it is being erased: nothing was changed.
    """
    with transaction.atomic():
        locked = lock(member)
        if (
            locked is None
            or Leaving.objects.filter(member=locked, erasing_since__isnull=False).exists()
        ):
            return False
        if locked.is_active != is_open:
            (open_account if is_open else close_account)(locked)
        elif not is_open:
            Leaving.objects.filter(member=locked, closed_at__isnull=True).update(
                closed_at=timezone.now()
            )
    return True
