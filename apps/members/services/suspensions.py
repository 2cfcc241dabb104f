"""A suspension stays with whoever it is of: not with an account that they leave behind.

Our own rule, and in the terms. They are known again by a login at a provider alone: an account with
a password gives nothing that an earlier one is known by.
"""

import datetime as dt
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from apps.members.models import Leaving, Member, RetainedRecord, SocialIdentity
from apps.members.models.leaving import hash_identity, hash_username


def keep_suspension(*, member: Member, identity: SocialIdentity) -> None:
    """Keep until when a member is suspended, for whoever joins with the login that they lose."""
    _keep(member, identity.pk, hash_identity(identity.provider, identity.subject))


def keep_suspension_of_ended(*, member: Member) -> None:
    """The same of a login that its provider ended before the member was suspended.

    The login is gone by then; `Leaving` knows its hash until the member is erased.
    """
    leaving = Leaving.objects.filter(member=member, identity_hash__isnull=False).first()
    if leaving is not None:
        _keep(member, leaving.pk, bytes(leaving.identity_hash or b""))


def _keep(member: Member, source_id: UUID, identity_hash: bytes) -> None:
    until = member.suspended_until
    if until is None or until <= timezone.now():
        return
    record = RetainedRecord(
        kind=RetainedRecord.Kind.SUSPENSION,
        basis=RetainedRecord.Basis.SUSPENSION,
        source_id=str(source_id),
        username_hash=hash_username(member.username),
        identity_hash=identity_hash,
        data={"until": until.isoformat()},
        delete_at=until,
    )
    RetainedRecord.objects.bulk_create([record], ignore_conflicts=True)


def follow_suspension(*, member: Member) -> None:
    """Make what is kept of a member's logins what an operator has now decided.

    Of those that they have lost and of those that they have: a suspension may have come with a
    login, from an account that they had before.
    """
    suspensions = RetainedRecord.objects.filter(kind=RetainedRecord.Kind.SUSPENSION)
    lost = suspensions.filter(
        username_hash=hash_username(member.username),
        # The name may have been another's before, who was erased.
        created_at__gte=member.created_at,
        identity_hash__isnull=False,
    )
    hashes = {bytes(value or b"") for value in lost.values_list("identity_hash", flat=True)}
    for identity in SocialIdentity.objects.filter(member=member):
        hashes.add(hash_identity(identity.provider, identity.subject))
    kept = suspensions.filter(identity_hash__in=hashes)
    until = member.suspended_until
    if until is None or until <= timezone.now():
        kept.delete()
    else:
        kept.update(data={"until": until.isoformat()}, delete_at=until)


def follow_login(locked: Member, identity: SocialIdentity) -> None:
    """Suspend a member, whose row is locked, as long as what is kept of a new login of theirs says.

    Else whoever lost the login with a suspended account would link it to another one, and be free.
    """
    until = suspended_until(provider=identity.provider, subject=identity.subject)
    if until is None or (locked.suspended_until is not None and locked.suspended_until >= until):
        return
    locked.suspended_until = until
    locked.version += 1
    locked.save(update_fields=["suspended_until", "version"])


def suspended_until(*, provider: str, subject: str) -> dt.datetime | None:
    """Until when whoever logs in with this is suspended from before; None where they are not."""
    kept = RetainedRecord.objects.suspending(provider, subject)
    return kept.aggregate(until=Max("delete_at"))["until"]
