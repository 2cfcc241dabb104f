"""What providers tell of members: that they want to have nothing to do with igloo any more.

A login that is the last way in takes the account with it: the member leaves.
"""

import datetime as dt

from django.db import transaction

from apps.members.models import DeviceSession, Member, ProviderNotice, SocialIdentity
from apps.members.services import identities, leaving, sessions


def end_identity(
    *,
    provider: str,
    event: str,
    subject: str,
    at: dt.datetime | None = None,
    digest: str | None = None,
) -> ProviderNotice | None:
    """Take a login away that its provider has ended; again is no error.

    The provider is not told in turn: it knows.

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
        member = (
            Member.objects.select_for_update(no_key=True)
            .filter(pk__in=rows.values("member"))
            .first()
        )
        identity = rows.filter(member=member).first() if member else None
        if member is None or identity is None or (at is not None and identity.created_at > at):
            return notice
        identity.delete()
        notice = notice or ProviderNotice(provider=provider, event=event[:40])
        notice.member = member
        notice.leaves = not identities.has_way_in(member, without=provider)
        notice.save()
        if notice.leaves:
            reason = DeviceSession.EndReason.PROVIDER
            sessions.end_other_sessions(member=member, keep=None, reason=reason)
            # An operator's account is for other operators to close.
            if member.is_active and not member.is_staff:
                leaving.leave(member=member)
        elif member.is_active:
            identities.tell_member(member, provider, is_linked=False)
    return notice


def set_email_works(*, provider: str, subject: str, email: str, works: bool) -> None:
    """Note whether mail to an address that the provider forwards still arrives."""
    rows = SocialIdentity.objects.filter(provider=provider, subject=subject)
    Member.objects.filter(pk__in=rows.values("member"), email=email).exclude(email="").update(
        email_verified=works
    )
