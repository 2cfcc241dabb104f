"""Access tokens: JWTs that live 15 minutes and name a member and a device session.

`jwt` is imported where it is used: it brings `cryptography`, a tenth of a cold start, and who only
looks around has no token.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.common.errors import NotAuthenticated

_ALGORITHM = "HS256"
_ISSUER = "igloo"


class TokenInvalid(NotAuthenticated):
    """The access token is not one of ours, or its session has ended. Log in again."""

    code = "token_invalid"
    text = _("The access token is not valid. Log in again.")


class TokenExpired(NotAuthenticated):
    """The access token is over 15 minutes old. Refresh it."""

    code = "token_expired"
    text = _("The access token has expired. Refresh it.")


@dataclass(frozen=True)
class Claims:
    """What an access token says."""

    member_id: UUID
    session_id: UUID


def _key() -> bytes:
    # A key of its own, so that no other signature made with SECRET_KEY can pass for a token.
    return salted_hmac("apps.members.tokens", "access", algorithm="sha256").digest()


def issue_access_token(*, member_id: UUID, session_id: UUID) -> str:
    """A token for `settings.ACCESS_TOKEN_SECONDS`."""
    import jwt  # see the module

    now = timezone.now()
    return jwt.encode(
        {
            "iss": _ISSUER,
            "sub": str(member_id),
            "sid": str(session_id),
            "iat": now,
            "exp": now + dt.timedelta(seconds=settings.ACCESS_TOKEN_SECONDS),
        },
        _key(),
        algorithm=_ALGORITHM,
    )


def read_access_token(token: str) -> Claims:
    """What a token says; raises TokenExpired or TokenInvalid."""
    import jwt  # see the module

    try:
        claims = jwt.decode(
            token,
            _key(),
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            options={
                "require": ["exp", "iat", "iss", "sub", "sid"],
                # A host whose clock is a second behind would refuse what another just issued.
                "verify_iat": False,
            },
        )
        return Claims(member_id=UUID(claims["sub"]), session_id=UUID(claims["sid"]))
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except (jwt.InvalidTokenError, ValueError) as error:
        raise TokenInvalid from error
