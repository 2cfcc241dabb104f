"""Signing up, and changes to one's own account."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.common.errors import FieldError, InvalidInput
from apps.common.etags import require_version
from apps.media.services import attach_uploads, delete_uploads
from apps.members import sessions
from apps.members.errors import ConsentRequired, PasswordWrong, UnderAge
from apps.members.models import Consent, DeviceSession, Member
from apps.members.sessions import Device, TokenPair
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
        if "username" not in str(error):
            raise
        raise username_taken() from error


def require_old_enough(birth_date: dt.date) -> None:
    """Raises UnderAge for someone under 14 in Korea today."""
    today = timezone.now().astimezone(_KOREA).date()
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    if today.year - birth_date.year - (0 if had_birthday else 1) < MINIMUM_AGE:
        raise UnderAge


def require_consents(consents: Sequence[ConsentChoice]) -> None:
    """Raises ConsentRequired, listing what is missing or refused."""
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


def _check_password(password: str, member: Member, pointer: str) -> None:
    try:
        validate_password(password, user=member)
    except ValidationError as error:
        raise InvalidInput(
            errors=[
                FieldError(pointer, item.code or "invalid", " ".join(item.messages))
                for item in error.error_list
            ]
        ) from error


def change_password(
    *, member: Member, session: DeviceSession, current_password: str, new_password: str
) -> None:
    """Change the password and end every other device's session.

    Raises:
        PasswordWrong: `current_password` is not it.
        InvalidInput: a new one that Django's validators refuse.
    """
    if not member.check_password(current_password):
        raise PasswordWrong(
            errors=[FieldError("/current_password", PasswordWrong.code, PasswordWrong.text)]
        )
    _check_password(new_password, member, "/new_password")
    member.set_password(new_password)
    with transaction.atomic():
        member.save(update_fields=["password"])
        sessions.end_other_sessions(
            member=member, keep=session.pk, reason=DeviceSession.EndReason.PASSWORD
        )


def update_profile(
    *, member: Member, changes: Mapping[str, Any], expected: frozenset[int] | None
) -> Member:
    """Change what a member may change of themselves.

    Args:
        changes: any of display_name, bio, kind, locale, email, avatar_upload_id.
        expected: the versions that `If-Match` accepts.

    Raises:
        Stale; UploadNotFound and the like for the avatar.
    """
    changes = dict(changes)
    with transaction.atomic():
        member = Member.objects.select_for_update().get(pk=member.pk)
        require_version(member.version, expected)
        if "avatar_upload_id" in changes:
            _change_avatar(member, changes.pop("avatar_upload_id"))
        if "email" in changes and changes["email"] != member.email:
            member.email_verified = False
        for name, value in changes.items():
            setattr(member, name, value)
        member.version += 1
        member.save(
            update_fields=[*changes, "avatar", "email_verified", "version"],
        )
    return member


def _change_avatar(member: Member, upload_id: UUID | None) -> None:
    old = member.avatar_id
    if old == upload_id:
        return
    if upload_id is not None:
        [member.avatar] = attach_uploads(
            owner_id=member.pk, uploads={"/avatar_upload_id": upload_id}
        )
    else:
        member.avatar = None
    if old is not None:
        delete_uploads(upload_ids=[old])


def count_posts(*, member_id: UUID, by: int) -> None:
    """Add to a member's posts_count; call it in the transaction that publishes or deletes."""
    Member.objects.filter(pk=member_id).update(posts_count=F("posts_count") + by)
