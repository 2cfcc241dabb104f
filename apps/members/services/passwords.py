"""Passwords: which are good, and changes of them."""

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.common.errors import FieldError, InvalidInput
from apps.members.errors import PasswordWrong
from apps.members.models import DeviceSession, Member
from apps.members.services import sessions
from apps.members.tokens import TokenInvalid

# In our own tone; Django's texts name fields of the database.
_PASSWORD_TEXTS = {
    "password_too_short": _("Use 8 characters or more."),
    "password_too_common": _("This password is one that too many people use."),
    "password_entirely_numeric": _("Use more than digits alone."),
    "password_too_similar": _("This password is too much like your name or address."),
}


def require_good_password(password: str, member: Member, pointer: str) -> None:
    """Raises InvalidInput at `pointer` for one that Django's validators refuse."""
    try:
        validate_password(password, user=member)
    except ValidationError as error:
        raise InvalidInput(
            errors=[
                FieldError(
                    pointer,
                    item.code or "invalid",
                    _PASSWORD_TEXTS.get(item.code or "", " ".join(item.messages)),
                )
                for item in error.error_list
            ]
        ) from error


def change_password(
    *, member: Member, session: DeviceSession, current_password: str, new_password: str
) -> None:
    """Change the password and end every other device's session.

    Raises:
        PasswordWrong: `current_password` is not it.
        TokenInvalid: the session has ended meanwhile.
        InvalidInput: a new one that Django's validators refuse.
    """
    wrong = PasswordWrong(
        errors=[FieldError("/current_password", PasswordWrong.code, PasswordWrong.text)]
    )
    if not check_password(current_password, member.password):
        raise wrong
    require_good_password(new_password, member, "/new_password")
    new_hash = make_password(new_password)
    with transaction.atomic():
        locked = sessions.lock_if_password_is(member)
        if locked is None:
            raise wrong
        if not DeviceSession.objects.open().filter(pk=session.pk).exists():
            raise TokenInvalid
        locked.password = new_hash
        locked.save(update_fields=["password"])
        sessions.end_other_sessions(
            member=locked, keep=session.pk, reason=DeviceSession.EndReason.PASSWORD
        )


def reset_password(*, member: Member, new_password: str | None) -> None:
    """Set a member's password, None for one that nothing matches, and end all their sessions."""
    new_hash = make_password(new_password)
    with transaction.atomic():
        # The hash alone: counters may be changing.
        Member.objects.filter(pk=member.pk).update(password=new_hash)
        sessions.end_other_sessions(
            member=member, keep=None, reason=DeviceSession.EndReason.PASSWORD
        )
