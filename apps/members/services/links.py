"""The links in mails: signed, with the member's id in them, and no table of their own.

Source: Django's PasswordResetTokenGenerator and TimestampSigner.
"""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import QuerySet

from apps.members.errors import LinkInvalid
from apps.members.models import Member

VERIFY_LIFE = dt.timedelta(days=2)


class _ResetTokens(PasswordResetTokenGenerator):
    """Good for `settings.PASSWORD_RESET_TIMEOUT`, and until the password or the address changes."""

    key_salt = "apps.members.links.reset"


_reset_tokens = _ResetTokens()


def reset_token(member: Member) -> str:
    """What lets its bearer choose a new password, once."""
    return f"{member.pk.hex}.{_reset_tokens.make_token(member)}"


def verify_token(member: Member) -> str:
    """What shows that its bearer reads the member's mail."""
    return _verify_signer(member).sign(member.pk.hex)


def reset_link(member: Member) -> str:
    """The page to choose a new password on."""
    return f"{settings.PUBLIC_BASE_URL}/account/password?token={reset_token(member)}"


def verify_link(member: Member) -> str:
    """The page to confirm the address on."""
    return f"{settings.PUBLIC_BASE_URL}/account/verify?token={verify_token(member)}"


def member_to_reset(token: str, members: QuerySet[Member]) -> Member:
    """Whose password a token may change, of `members`; raises LinkInvalid."""
    head, _, tail = token.partition(".")
    member = _member(head, members)
    if not _reset_tokens.check_token(member, tail):
        raise LinkInvalid
    return member


def member_to_verify(token: str, members: QuerySet[Member]) -> Member:
    """Whose address a token confirms, of `members`; raises LinkInvalid."""
    member = _member(token.partition(".")[0], members)
    try:
        _verify_signer(member).unsign(token, max_age=VERIFY_LIFE)
    except BadSignature as error:
        raise LinkInvalid from error
    return member


def _verify_signer(member: Member) -> TimestampSigner:
    # Of one address: another one needs a link of its own. The same link twice does no harm, and a
    # phone that lost the answer sends it twice.
    return TimestampSigner(sep=".", salt=f"apps.members.links.verify:{member.email}")


def _member(text: str, members: QuerySet[Member]) -> Member:
    try:
        member = members.filter(pk=UUID(hex=text), is_active=True).first()
    except ValueError as error:
        raise LinkInvalid from error
    if member is None or not member.email:
        raise LinkInvalid
    return member
