"""Becoming a member."""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from psycopg2.errors import UniqueViolation

from apps.common.errors import DomainError, FieldError
from apps.members import tasks
from apps.members.errors import UnderAge
from apps.members.models import Member
from apps.members.services import sessions
from apps.members.services.consents import ConsentChoice, record_consents, require_consents
from apps.members.services.passwords import require_good_password
from apps.members.services.sessions import Device, TokenPair
from apps.members.usernames import normalize_username, require_free, username_taken

# Years. Personal Information Protection Act, article 22-2.
MINIMUM_AGE = 14


def sign_up(
    *,
    username: str,
    password: str,
    birth_date: dt.date,
    consents: Sequence[ConsentChoice],
    device: Device,
    display_name: str = "",
    email: str = "",
    locale: str = Member.Locale.KO,
) -> TokenPair:
    """Make a member and log their device in. The birth date is checked and not kept.

    Raises:
        UsernameInvalid, UnderAge, ConsentRequired, UsernameReserved, UsernameTaken
        InvalidInput: a password that Django's validators refuse.
        Of several, the first, with the `errors` of all.
    """
    names = {"display_name": display_name, "email": email}
    wrong = refusals(
        username=username, birth_date=birth_date, consents=consents, password=password, **names
    )
    if wrong:
        wrong[0].errors = [error for refusal in wrong for error in refusal.errors]
        raise wrong[0]
    username = normalize_username(username)
    member = Member(
        username=username, display_name=display_name or username, email=email, locale=locale
    )
    member.set_password(password)
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            pair = sessions.open_session(member=member, device=device, is_signup=True)
            record_consents(session=pair.session, choices=consents)
            if email:
                tasks.mail_verification.enqueue(str(member.pk))
            return pair
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise username_taken() from error


def refusals(
    *,
    username: str | None = None,
    birth_date: dt.date | None = None,
    consents: Sequence[ConsentChoice] | None = None,
    password: str | None = None,
    display_name: str = "",
    email: str = "",
) -> list[DomainError]:
    """Everything that keeps somebody with these from becoming a member; None is not looked at."""
    member = Member(username=username or "", display_name=display_name, email=email)
    checks: list[Callable[[], Any]] = []
    if username is not None:
        checks.append(partial(_require_username, username))
    if birth_date is not None:
        checks.append(partial(require_old_enough, birth_date))
    if consents is not None:
        checks.append(partial(require_consents, consents))
    if password is not None:
        checks.append(partial(require_good_password, password, member, "/password"))
    found = []
    for check in checks:
        try:
            check()
        except DomainError as error:
            found.append(error)
    return found


def _require_username(username: str) -> None:
    require_free(normalize_username(username))


def require_old_enough(birth_date: dt.date) -> None:
    """Raises UnderAge for someone under 14 in Korea today."""
    # Birthdays begin at midnight in Korea: TIME_ZONE.
    today = timezone.localdate()
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    if today.year - birth_date.year - (0 if had_birthday else 1) < MINIMUM_AGE:
        raise UnderAge(errors=[FieldError("/birth_date", UnderAge.code, UnderAge.text)])
