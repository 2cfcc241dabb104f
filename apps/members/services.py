"""Signing up, and changes to one's own account."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg2.errors import UniqueViolation

from apps.common.errors import FieldError, InvalidInput
from apps.common.versions import require_version
from apps.media.services import attach_uploads, delete_uploads
from apps.members import sessions
from apps.members.errors import ConsentRequired, PasswordWrong, UnderAge
from apps.members.models import Consent, DeviceSession, Member
from apps.members.sessions import Device, TokenPair
from apps.members.tokens import TokenInvalid
from apps.members.usernames import normalize_username, require_free, username_taken

# Years. Personal Information Protection Act, article 22-2.
MINIMUM_AGE = 14
# Birthdays begin at midnight in Korea.
_KOREA = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True)
class ConsentChoice:
    """Yes or no to one text."""

    kind: str
    version: str
    granted: bool


def sign_up(
    *,
    username: str,
    password: str,
    birth_date: dt.date,
    consents: Sequence[ConsentChoice],
    device: Device,
    display_name: str = "",
    email: str = "",
) -> TokenPair:
    """Make a member and log their device in. The birth date is checked and not kept.

    Raises:
        UsernameInvalid, UsernameReserved, UsernameTaken, UnderAge, ConsentRequired
        InvalidInput: a password that Django's validators refuse.
    """
    username = normalize_username(username)
    require_old_enough(birth_date)
    require_consents(consents)
    member = Member(username=username, display_name=display_name or username, email=email)
    _check_password(password, member, "/password")
    require_free(username)
    member.set_password(password)
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            Consent.objects.bulk_create(
                Consent(
                    member=member,
                    kind=choice.kind,
                    version=choice.version,
                    granted=choice.granted,
                )
                for choice in consents
            )
            return sessions.open_session(member=member, device=device)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise username_taken() from error


def require_old_enough(birth_date: dt.date) -> None:
    """Raises UnderAge for someone under 14 in Korea today."""
    today = timezone.now().astimezone(_KOREA).date()
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    if today.year - birth_date.year - (0 if had_birthday else 1) < MINIMUM_AGE:
        raise UnderAge


def require_consents(consents: Sequence[ConsentChoice]) -> None:
    """Raises ConsentRequired, listing what is missing or refused.

    Any version is kept as it was shown: an app may be older than the newest text.
    """
    granted = {choice.kind for choice in consents if choice.granted}
    missing = [kind for kind in Consent.REQUIRED if kind not in granted]
    if missing:
        raise ConsentRequired(
            errors=[FieldError("/consents", "required", kind.label) for kind in missing],
            extra={
                "missing": [
                    {"kind": kind.value, "version": settings.CONSENT_VERSIONS[kind]}
                    for kind in missing
                ]
            },
        )


# In our own tone; Django's texts name fields of the database.
_PASSWORD_TEXTS = {
    "password_too_short": _("Use 8 characters or more."),
    "password_too_common": _("This password is one that too many people use."),
    "password_entirely_numeric": _("Use more than digits alone."),
    "password_too_similar": _("This password is too much like your name or address."),
}


def _check_password(password: str, member: Member, pointer: str) -> None:
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
    _check_password(new_password, member, "/new_password")
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


def update_profile(
    *, member: Member, changes: Mapping[str, Any], expected: frozenset[str] | None
) -> Member:
    """Change what a member may change of themselves.

    Args:
        changes: any of display_name, bio, kind, locale, email, avatar_upload_id.
        expected: the versions that `If-Match` accepts.

    Raises:
        Stale; UploadNotFound and the like for the avatar.
    """
    changes = dict(changes)
    new_avatar = changes.pop("avatar_upload_id", member.avatar_id)
    # Naming the picture that was there is no change, and undoes none that came meanwhile.
    changes_avatar = new_avatar != member.avatar_id
    with transaction.atomic():
        # Uploads before the member: the order in which publishing a post locks them.
        if changes_avatar and new_avatar is not None:
            attach_uploads(owner_id=member.pk, uploads={"/avatar_upload_id": new_avatar})
        member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        require_version(member.version, expected)
        if "email" in changes and changes["email"] != member.email:
            changes["email_verified"] = False
        old_avatar = None
        if changes_avatar:
            old_avatar, changes["avatar_id"] = member.avatar_id, new_avatar
        changes["version"] = member.version + 1
        for name, value in changes.items():
            setattr(member, name, value)
        member.save(update_fields=list(changes))
        if old_avatar is not None:
            delete_uploads(upload_ids=[old_avatar])
    return member


def count_posts(*, member_id: UUID, by: int) -> None:
    """Add to a member's posts_count; call it in the transaction that publishes or deletes."""
    Member.objects.filter(pk=member_id).update(posts_count=F("posts_count") + by)
