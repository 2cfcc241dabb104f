"""Becoming a member."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from psycopg2.errors import UniqueViolation

from apps.common.errors import FieldError
from apps.members.errors import ConsentRequired, UnderAge
from apps.members.models import Consent, Member
from apps.members.services import sessions
from apps.members.services.passwords import require_good_password
from apps.members.services.sessions import Device, TokenPair
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
    require_good_password(password, member, "/password")
    require_free(username)
    member.set_password(password)
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            record_consents(member, consents)
            return sessions.open_session(member=member, device=device)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise username_taken() from error


def record_consents(member: Member, consents: Sequence[ConsentChoice]) -> None:
    """Keep what a new member said to each text; call it in the transaction that makes them."""
    Consent.objects.bulk_create(
        Consent(
            member=member,
            kind=choice.kind,
            version=choice.version,
            granted=choice.granted,
        )
        for choice in consents
    )


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
    missing = missing_consents(consents)
    if missing:
        raise consent_required(missing)


def consent_required(
    missing: Sequence[Consent.Kind], *errors: FieldError, **extra: Any
) -> ConsentRequired:
    """The error that lists the kinds of consent that are missing, and what else is."""
    return ConsentRequired(
        errors=[*(FieldError("/consents", "required", kind.label) for kind in missing), *errors],
        extra={
            "missing": [
                {"kind": kind.value, "version": settings.CONSENT_VERSIONS[kind]} for kind in missing
            ],
            **extra,
        },
    )


def missing_consents(consents: Sequence[ConsentChoice]) -> list[Consent.Kind]:
    """The kinds that a member must grant and that are not granted here."""
    granted = {choice.kind for choice in consents if choice.granted}
    return [kind for kind in Consent.REQUIRED if kind not in granted]
