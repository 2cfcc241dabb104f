"""Passwords: which are good, and changes of them."""

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.errors import FieldError, InvalidInput
from apps.members import tasks
from apps.members.errors import PasswordWrong
from apps.members.models import DeviceSession, Leaving, Member
from apps.members.services import links, places, sessions
from apps.members.tokens import TokenInvalid

# Of one address, that one mail names.
_MOST_ACCOUNTS = 10
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
        _replace(locked, new_hash, keep=session)


def ask_for_reset(*, email: str) -> None:
    """Have a mail sent to each account that has this confirmed address. Who is leaving gets the way
    back in it: without a password they would have none.

    The same work whether there is one or not: one query, and a task either way. The task's row
    holds ids and no address.
    """
    can_log_in = Q(is_active=True) | Q(leaving__in=Leaving.objects.can_be_taken_back())
    members = Member.objects.filter(can_log_in, email__iexact=email, email_verified=True)
    ids = members.order_by("pk").values_list("pk", flat=True)[:_MOST_ACCOUNTS]
    tasks.mail_reset.enqueue([str(pk) for pk in ids])


def confirm_reset(*, token: str, new_password: str, network: str) -> None:
    """Change the password by a link of a mail and end all sessions; the link is spent by that.

    Args:
        network: where it was opened; from there the member may log in.

    Raises:
        LinkInvalid: it is not one of ours, too old, or spent.
        InvalidInput: a new password that Django's validators refuse; the link stays good.
    """
    member = links.member_to_reset(token, Member.objects.all())
    require_good_password(new_password, member, "/new_password")
    new_hash = make_password(new_password)
    with transaction.atomic():
        # Checked again under the lock: of two at once, the first changes what the link is made of.
        locked = links.member_to_reset(token, Member.objects.select_for_update(no_key=True))
        _replace(locked, new_hash, keep=None)
        places.remember(locked, network)


def reset_password(*, member: Member, new_password: str | None) -> None:
    """Set a member's password, None for one that nothing matches, and end all their sessions."""
    new_hash = make_password(new_password)
    with transaction.atomic():
        locked = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        _replace(locked, new_hash, keep=None)


def _replace(locked: Member, new_hash: str, *, keep: DeviceSession | None) -> None:
    locked.password = new_hash
    # The hash alone: counters may be changing.
    locked.save(update_fields=["password"])
    sessions.end_other_sessions(
        member=locked,
        keep=keep.pk if keep else None,
        reason=DeviceSession.EndReason.PASSWORD,
    )
    if locked.email_verified:
        at = timezone.now().isoformat()
        tasks.mail_password_changed.enqueue(str(locked.pk), at, everywhere=keep is None)
