"""Saying yes or no to a text, and what follows from it."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.errors import ConsentRequired, FieldError, InvalidInput
from apps.members.errors import ConsentNeeded, MarketingNeeded
from apps.members.models import Consent, DeviceSession, Member
from apps.members.models.consent import TOLD_BEFORE, confirm_by, current_version
from apps.members.services import consent_notices
from apps.members.tokens import TokenInvalid

# From 21:00 to 08:00. Network Act, article 50 (3).
_NIGHT_BEGINS, _NIGHT_ENDS = dt.time(21), dt.time(8)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UNKNOWN_VERSION = _("There is no such version of this text.")


@dataclass(frozen=True)
class ConsentChoice:
    """Yes or no to one text."""

    kind: str
    version: str
    granted: bool


def require_consents(consents: Sequence[ConsentChoice]) -> None:
    """Raises ConsentRequired, listing what a new member has not agreed to."""
    missing = missing_consents(consents)
    if missing:
        raise consent_required(missing)


def missing_consents(consents: Sequence[ConsentChoice]) -> list[Consent.Kind]:
    """The kinds that a new member must grant and that are not granted here.

    Only a yes to the current text counts: an app that still has an older one shows the new one
    now, and not to a member who can write nothing.
    """
    granted = {
        choice.kind
        for choice in consents
        if choice.granted and choice.version == current_version(choice.kind)
    }
    return [kind for kind in Consent.REQUIRED if kind not in granted]


def consent_required(
    missing: Sequence[Consent.Kind], *errors: FieldError, **extra: Any
) -> ConsentRequired:
    """The error that lists the kinds of consent that are missing, and what else is."""
    return ConsentRequired(
        errors=[*(FieldError("/consents", "required", kind.label) for kind in missing), *errors],
        extra={
            "missing": [{"kind": kind.value, "version": current_version(kind)} for kind in missing],
            **extra,
        },
    )


def is_known_version(kind: str, version: str) -> bool:
    """Whether there is, or may have been, such a version: the date of a text, not after the
    current one's."""
    if not _DATE.fullmatch(version) or version > current_version(kind):
        return False
    try:
        dt.date.fromisoformat(version)
    except ValueError:
        return False
    return True


def change_consent(*, session: DeviceSession, choice: ConsentChoice) -> None:
    """Record what a member says on a device; see `record_consents`.

    Raises:
        InvalidInput: a version that never was.
        ConsentNeeded: taking back what every member agrees to.
        MarketingNeeded: a yes to messages at night without one to marketing.
        TokenInvalid: the account was closed meanwhile.
    """
    if not is_known_version(choice.kind, choice.version):
        raise InvalidInput(errors=[FieldError("/version", "unknown_version", UNKNOWN_VERSION)])
    if choice.kind in Consent.REQUIRED and not choice.granted:
        raise ConsentNeeded
    record_consents(session=session, choices=[choice])


def record_consents(*, session: DeviceSession, choices: Sequence[ConsentChoice]) -> None:
    """Add a row for each choice that says something new, and have the member told of it.

    Nothing new is the same answer to the same text, or a yes to an older text than the one that
    was agreed to. It still confirms a consent to marketing whose two years are almost over.
    A no to marketing is one to messages at night too, by a row of its own.

    Raises:
        MarketingNeeded: a yes to messages at night without one to marketing.
        TokenInvalid: the account was closed meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        # The member's row is the lock: of two taps at once the second finds the first one's row.
        member = (
            Member.objects.select_for_update(no_key=True)
            .filter(pk=session.member_id, is_active=True)
            .first()
        )
        if member is None:
            raise TokenInvalid
        newest = {row.kind: row for row in Consent.objects.newest_of(member.pk)}
        choices = [*choices, *_ended_with(choices, newest)]
        added = []
        for choice in choices:
            last = newest.get(choice.kind)
            if last is None or _says_more(choice, last):
                added.append(_row(choice, session, last, now))
            elif (until := confirm_by(last)) and until - TOLD_BEFORE <= now:
                consent_notices.confirm(consent=last, at=now)
        Consent.objects.bulk_create(added)
        consent_notices.tell_outcomes(member=member, consents=added)
        _note_agreed(member, choices)
    # The caller's copy, which may be saved or asked again.
    session.member.terms_agreed = member.terms_agreed
    session.member.privacy_agreed = member.privacy_agreed


def ends_with(choice: ConsentChoice) -> Sequence[Consent.Kind]:
    """The kinds that a choice takes back besides its own."""
    is_no = choice.kind == Consent.Kind.MARKETING and not choice.granted
    return [Consent.Kind.MARKETING_NIGHT] if is_no else []


def _ended_with(
    choices: Sequence[ConsentChoice], newest: Mapping[str, Consent]
) -> Iterator[ConsentChoice]:
    """The choices that follow from these; raises MarketingNeeded for a yes that can't stand."""
    said = {choice.kind: choice.granted for choice in choices}
    holds = {kind: row.granted for kind, row in newest.items()} | said
    if said.get(Consent.Kind.MARKETING_NIGHT) and not holds.get(Consent.Kind.MARKETING):
        raise MarketingNeeded
    for kind in (kind for choice in choices for kind in ends_with(choice)):
        if kind not in said and holds.get(kind):
            yield ConsentChoice(kind, newest[kind].version, granted=False)


def _says_more(choice: ConsentChoice, last: Consent) -> bool:
    if choice.granted != last.granted:
        return True
    known = last.version if is_known_version(choice.kind, last.version) else ""
    return choice.version != last.version and choice.version > known


def _row(
    choice: ConsentChoice, session: DeviceSession, last: Consent | None, now: dt.datetime
) -> Consent:
    row = Consent(
        member_id=session.member_id,
        kind=choice.kind,
        version=choice.version,
        granted=choice.granted,
        session_id=session.pk,
        device_name=session.name,
        device_platform=session.platform,
        created_at=now,
    )
    if last is not None and row.pk <= last.pk:
        # The host that wrote the last one has a clock that is ahead: the order must be right.
        row.pk = UUID(int=last.pk.int + 1)
    return row


def _note_agreed(member: Member, choices: Sequence[ConsentChoice]) -> None:
    changed = []
    for choice in choices:
        column = f"{choice.kind}_agreed"
        if (
            choice.kind in Consent.REQUIRED
            and choice.granted
            # Only a version that there is: one of the far future would agree to all texts to come.
            and is_known_version(choice.kind, choice.version)
            and choice.version > getattr(member, column)
        ):
            setattr(member, column, choice.version)
            changed.append(column)
    if changed:
        member.save(update_fields=changed)


def may_market(*, member: Member, at: dt.datetime) -> bool:
    """Whether an advertisement may be sent to a member at a time, by push, mail or anything else.

    From 21:00 to 08:00 in Korea it takes a consent of its own beside the one to marketing. A
    consent counts for two years from when it was given or last confirmed.
    """
    if not member.is_active:
        return False
    granted = {
        row.kind
        for row in Consent.objects.newest_of(member.pk)
        if (until := confirm_by(row)) and at < until
    }
    needed = {Consent.Kind.MARKETING}
    clock = timezone.localtime(at).time()
    if clock >= _NIGHT_BEGINS or clock < _NIGHT_ENDS:
        needed.add(Consent.Kind.MARKETING_NIGHT)
    return needed <= granted
