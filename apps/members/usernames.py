"""Which usernames can be had."""

import re

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError, FieldError
from apps.members.models import Member, RetainedRecord
from apps.members.models.member import USERNAME_PATTERN

# Pages of the service, and names that programs give a meaning to.
_PAGES = """
about account accounts api app apps auth bot contact copyright docs feed healthz info kakao login
logout mail me null owner password press readyz report settings signup static store taxonomies terms
undefined uploads webhooks www
"""
PAGES = frozenset(_PAGES.split())
# Who would be taken for the service, also as a part of a name: `the.admin`, `support_2`.
_ROLES = """
admin administrator administrators admins help helpdesk legal manager moderator moderators notice
official operator operators policy privacy root security staff support system webmaster
"""
ROLES = frozenset(_ROLES.split())
# 1gloo and lgloo look like igloo.
_LOOKS = str.maketrans("01l", "oii")
_SERVICE = "igloo".translate(_LOOKS)


class UsernameInvalid(DomainError):
    """The username is not 3 to 30 of `a-z 0-9 _ .`."""

    code = "username_invalid"
    text = _("Use 3 to 30 characters of a-z, 0-9, underscore and dot.")


class UsernameReserved(DomainError):
    """The username is kept for the service, or would pass for it: it has igloo in it, or a word as
    admin or support for a part."""

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


def is_reserved(username: str) -> bool:
    """Whether a normalized name would pass for the service itself, or for a page of it."""
    parts = [part.rstrip("0123456789") for part in re.split(r"[._]+", username)]
    return (
        username.strip("._") in PAGES
        or not ROLES.isdisjoint(parts)
        or _SERVICE in username.translate(_LOOKS)
    )


def require_free(username: str) -> None:
    """Raises UsernameReserved or UsernameTaken; `username` is normalized."""
    if is_reserved(username):
        raise UsernameReserved(errors=[_at_username(UsernameReserved)])
    is_kept = RetainedRecord.objects.keeping_name(username).exists()
    if is_kept or Member.objects.filter(username=username).exists():
        raise username_taken()


def username_taken() -> UsernameTaken:
    """The error, which the unique index also ends in when two sign up at once."""
    return UsernameTaken(errors=[_at_username(UsernameTaken)])


def _at_username(error: type[DomainError]) -> FieldError:
    return FieldError("/username", error.code, error.text)
