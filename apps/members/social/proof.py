"""What an app sends of a login at a provider, and what is known once it is checked."""

import re
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from apps.common.errors import FieldError, InvalidInput
from apps.common.texts import plain_text
from apps.members.errors import ProviderNotConfigured, SocialTokenInvalid
from apps.members.models.member import DISPLAY_NAME_LENGTH

# Seconds that a code of any provider works at most, with room.
CODE_SECONDS = 15 * 60
_EMAIL_LENGTH = 254
# Providers' ids are numbers or such words; anything else was not made by one.
_SUBJECT = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What the app or the page got from the provider; what it did not get is empty."""

    id_token: str = ""
    access_token: str = ""
    code: str = ""
    nonce: str = ""
    # Of a login on a page of ours: where its code came to, and what proves that it began here
    # (RFC 7636), for a provider that has that.
    redirect_uri: str = ""
    code_verifier: str = ""

    def require_only(self, *kinds: str) -> None:
        """Raises InvalidInput where there is one that is not of `kinds`."""
        others = {"id_token", "access_token", "code"} - set(kinds)
        wrong = sorted(kind for kind in others if getattr(self, kind))
        if wrong:
            text = _("This provider is logged in with another way.")
            raise InvalidInput(
                errors=[FieldError(f"/{kind}", "unsupported", text) for kind in wrong]
            )

    def require_nonce(self) -> None:
        """Raises InvalidInput without a nonce."""
        if not self.nonce:
            text = _("This login needs the nonce that it was started with.")
            raise InvalidInput(errors=[FieldError("/nonce", "required", text)])


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Somebody at a provider, as it said so itself."""

    provider: str
    subject: str
    # Seconds since 1970 after which the provider's token or code works no more.
    expires_at: int
    name: str = ""
    email: str = ""
    # The provider says that the address is theirs, in a signed token.
    email_verified: bool = False
    # Apple's alone, encrypted, and whose it is.
    refresh_token: str = ""
    client_id: str = ""


def make_proof(
    provider: str,
    *,
    subject: Any,
    expires_at: Any,
    name: Any = "",
    email: Any = "",
    email_verified: bool = False,
) -> Proof:
    """A Proof of what a provider said; what is no name or address of ours is left out.

    Raises:
        SocialTokenInvalid: the subject is no id.
    """
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise SocialTokenInvalid
    address = _email(email)
    return Proof(
        provider=provider,
        subject=subject,
        expires_at=int(expires_at),
        name=plain_text(name)[:DISPLAY_NAME_LENGTH].strip() if isinstance(name, str) else "",
        email=address,
        email_verified=email_verified and bool(address),
    )


def require_revocable(proof: Proof) -> None:
    """That a login that is about to be kept can be ended at its provider (App Review, 5.1.1 (v)).

    Raises InvalidInput: Apple's takes the token that comes of a code. A login that is known needs
    none.
    """
    if proof.provider == "apple" and not proof.refresh_token:
        text = _("A new login with Apple needs its code too.")
        raise InvalidInput(errors=[FieldError("/code", "required", text)])


def in_seconds(seconds: Any) -> int:
    """The time in so many seconds, as seconds since 1970.

    Raises:
        SocialTokenInvalid: no number above 0.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds <= 0:
        raise SocialTokenInvalid
    return int(time.time()) + seconds


def require_configured(provider: str, *names: str) -> dict[str, Any]:
    """The provider's settings; raises ProviderNotConfigured where one of `names` is empty."""
    found = settings.SOCIAL[provider]
    if not all(found[name] for name in names):
        raise ProviderNotConfigured
    return found


def _email(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _EMAIL_LENGTH or not value.isprintable():
        return ""
    try:
        validate_email(value)
    except ValidationError:
        return ""
    return value
