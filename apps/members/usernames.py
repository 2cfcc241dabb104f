"""Which usernames can be had."""

import re

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError, FieldError
from apps.members.models import Member, RetainedRecord
from apps.members.models.member import USERNAME_PATTERN

# Names that would pass for the service itself, or for a page of it.
_RESERVED = """
about account accounts admin administrator admins api app apps auth bot contact copyright docs feed
healthz help igloo igloo.official igloo_official info kakao legal login logout mail manager me
moderator moderators notice null official operator operators owner password policy press privacy
readyz report root security settings signup staff static store support system taxonomies terms
undefined uploads webhooks webmaster www
"""
RESERVED = frozenset(_RESERVED.split())


class UsernameInvalid(DomainError):
    """The username is not 3 to 30 of `a-z 0-9 _ .`."""

    code = "username_invalid"
    text = _("Use 3 to 30 characters of a-z, 0-9, underscore and dot.")


class UsernameReserved(DomainError):
    """The username is kept for the service."""

    code = "username_reserved"
    text = _("This username can't be used.")


class UsernameTaken(DomainError):
    """Someone has this username, or had it until they left a short while ago."""

    status = 409
    code = "username_taken"
    text = _("Someone has this username already.")


def normalize_username(username: str) -> str:
    """Lower case; raises UsernameInvalid for anything that is not of the form.

    ASCII is asked for before the case is folded: K (the Kelvin sign) folds to k.
    """
    folded = username.lower() if username.isascii() else username
    if not re.fullmatch(USERNAME_PATTERN, folded):
        raise UsernameInvalid(errors=[_at_username(UsernameInvalid)])
    return folded


def require_free(username: str) -> None:
    """Raises UsernameReserved or UsernameTaken; `username` is normalized."""
    # `admin.` and `_admin_` would pass for `admin`.
    if username in RESERVED or username.strip("._") in RESERVED:
        raise UsernameReserved(errors=[_at_username(UsernameReserved)])
    is_kept = RetainedRecord.objects.keeping_name(username).exists()
    if is_kept or Member.objects.filter(username=username).exists():
        raise username_taken()


def username_taken() -> UsernameTaken:
    """The error, which the unique index also ends in when two sign up at once."""
    return UsernameTaken(errors=[_at_username(UsernameTaken)])


def _at_username(error: type[DomainError]) -> FieldError:
    return FieldError("/username", error.code, error.text)
