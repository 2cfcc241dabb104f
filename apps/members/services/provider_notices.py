"""What providers tell of members: that they want to have nothing to do with igloo any more.

A login that is the last way in takes the account with it: the member leaves. Until they are erased,
the same login takes that back and is linked again.
"""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from apps.common.batches import prune_in_batches
from apps.members.models import DeviceSession, Leaving, Member, ProviderNotice, SocialIdentity
from apps.members.models.leaving import hash_identity
from apps.members.services import identities, leaving, sessions, suspensions

_KEEP = dt.timedelta(days=183)


def end_identity(
    *,
    provider: str,
    event: str,
    subject: str,
    at: dt.datetime | None = None,
    digest: str | None = None,
) -> ProviderNotice | None:
    """Take a login away that its provider has ended; again is no error.

    The provider is not told in turn: it knows. A login to an account that an operator has closed
    stays, and opens nothing: without it, whoever was closed out would join anew.

    Args:
        at: when it happened. A login that was linked later stays: the notice is an old one.
        digest: what tells this notice from others; one that came before is returned as it was.

    Returns:
        The notice that was kept; None where there is nobody and nothing tells it from others.
    """
    with transaction.atomic():
        if digest is not None:
            notice, is_new = ProviderNotice.objects.get_or_create(
                digest=digest, defaults={"provider": provider, "event": event[:40]}
            )
            if not is_new:
                return notice
        else:
            notice = None
        rows = SocialIdentity.objects.filter(provider=provider, subject=subject)
        # As `leave` locks it: who publishes a post holds the row less, and then changes it, so two
        # of which one wants more than it has would wait for each other.
        member = Member.objects.select_for_update().filter(pk__in=rows.values("member")).first()
        identity = rows.filter(member=member).first() if member else None
        if member is None or identity is None:
            return _about_who_is_leaving(notice, subject)
        if at is not None and identity.created_at > at:
            return notice
        notice = notice or ProviderNotice(provider=provider, event=event[:40])
        notice.member = member
        leaves = Leaving.objects.filter(member=member, closed_at__isnull=True).exists()
        if not member.is_active and not leaves:
            # An operator closed it. The login stays, since it is what refuses a new account.
            notice.save()
            return notice
        suspensions.keep_suspension(member=member, identity=identity)
        identity.delete()
        notice.leaves = not identities.has_way_in(member, without=provider)
        notice.save()
        if notice.leaves:
            reason = DeviceSession.EndReason.PROVIDER
            sessions.end_other_sessions(member=member, keep=None, reason=reason)
            if member.is_active and member.is_staff:
                # An operator's account is for other operators to close.
                identities.tell_member(member, provider, is_linked=False)
            elif member.is_active:
                leaving.leave(member=member)
            # Also of one who was leaving already: what is left of the login is a way back.
            Leaving.objects.filter(member=member).update(
                identity_hash=hash_identity(provider, subject)
            )
        elif member.is_active:
            identities.tell_member(member, provider, is_linked=False)
    return notice


def _about_who_is_leaving(notice: ProviderNotice | None, subject: str) -> ProviderNotice | None:
    """Another notice of a login that an earlier one has ended: the same deletion's page is its."""
    if notice is not None:
        rows = Leaving.objects.led_back_by(notice.provider, subject)
        if (row := rows.first()) is not None:
            notice.member_id, notice.leaves = row.member_id, True
            notice.save(update_fields=["member", "leaves"])
    return notice


def prune_notices() -> int:
    """Delete the notices of half a year ago; how many there were.

    Until then the page of Facebook's is there, and the same notice again is known. An older one
    that is sent again finds nobody: a login that was linked later stays.
    """
    old = ProviderNotice.objects.filter(created_at__lt=timezone.now() - _KEEP)
    return prune_in_batches(old, "created_at")


def set_email_works(*, provider: str, subject: str, email: str, works: bool) -> None:
    """Note whether mail to an address that the provider forwards still arrives."""
    rows = SocialIdentity.objects.filter(provider=provider, subject=subject)
    Member.objects.filter(pk__in=rows.values("member"), email=email).exclude(email="").update(
        email_verified=works
    )
