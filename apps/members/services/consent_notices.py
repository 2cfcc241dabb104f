"""Telling members of their consents: what came of a choice, and what goes on after two years.

The outcome of a choice must be told within 14 days, with who asks, what was chosen, when and what
came of it (Network Act, article 50 (7), decree, article 62-2). The answer of the API tells it at
once; a mail does too, where there is an address that was verified.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.mail import Mail, send_mail

# Services enqueue these tasks, and tasks call services: each imports the other as a module.
from apps.members import tasks
from apps.members.models import Consent, ConsentNotice, Member
from apps.tasks.services import enqueue_many

logger = logging.getLogger(__name__)

_KOREA = ZoneInfo("Asia/Seoul")
# Notices of one transaction.
_BATCH = 200
# A mail that has not gone out by then is tried again; its task has given up.
_TRY_AGAIN = dt.timedelta(days=1)
# For so long: what the law gives for an outcome, and how early a confirmation is sent.
_TRY_FOR = dt.timedelta(days=14)


def tell_outcomes(*, member: Member, consents: Sequence[Consent]) -> None:
    """Note that new consents are told of, and have the mails sent; in the transaction that adds
    them."""
    by_mail = _has_address(member)
    notices = ConsentNotice.objects.bulk_create(
        ConsentNotice(
            consent=consent,
            reason=ConsentNotice.Reason.OUTCOME,
            channel=ConsentNotice.Channel.MAIL if by_mail else ConsentNotice.Channel.ANSWER,
            told_at=None if by_mail else consent.created_at,
        )
        for consent in consents
    )
    if by_mail and notices:
        enqueue_many(tasks.send_consent_notice, [(str(notice.pk),) for notice in notices])


def confirm(*, consent: Consent, at: dt.datetime) -> None:
    """Note that a member confirmed a consent to marketing in the app; a mail that waits is not
    needed any more."""
    told = {"channel": ConsentNotice.Channel.ANSWER, "told_at": at}
    of_two_years = {"consent": consent, "reason": ConsentNotice.Reason.TWO_YEARS}
    if not ConsentNotice.objects.filter(**of_two_years, told_at__isnull=True).update(**told):
        ConsentNotice.objects.create(**of_two_years, **told)


def send_notices() -> dict[str, int]:
    """Have members told by mail of consents to marketing whose two years are almost over, and of
    what an earlier mail failed to tell.

    Each batch commits by itself, with its tasks: run again, it goes on where it was.

    Returns:
        How many are told `again`, and for the first time (`two_years`).
    """
    return {"again": _tell_again(), "two_years": _tell_after_two_years()}


def _tell_again() -> int:
    now = timezone.now()
    untold = ConsentNotice.objects.filter(
        told_at__isnull=True, queued_at__lt=now - _TRY_AGAIN, created_at__gt=now - _TRY_FOR
    )
    total = 0
    while True:
        with transaction.atomic():
            ids = list(
                untold.select_for_update(skip_locked=True)
                .order_by("queued_at")
                .values_list("pk", flat=True)[:_BATCH]
            )
            ConsentNotice.objects.filter(pk__in=ids).update(queued_at=now)
            enqueue_many(tasks.send_consent_notice, [(str(pk),) for pk in ids])
        total += len(ids)
        if len(ids) < _BATCH:
            return total


def _tell_after_two_years() -> int:
    due = Consent.objects.to_be_confirmed(timezone.now())
    total = 0
    while True:
        with transaction.atomic():
            consents = list(due[:_BATCH])
            notices = [
                ConsentNotice(
                    consent=consent,
                    reason=ConsentNotice.Reason.TWO_YEARS,
                    channel=ConsentNotice.Channel.MAIL,
                )
                for consent in consents
            ]
            # Another process may have been there first.
            ConsentNotice.objects.bulk_create(notices, ignore_conflicts=True)
            mine = ConsentNotice.objects.filter(pk__in=[notice.pk for notice in notices])
            ids = list(mine.values_list("pk", flat=True))
            enqueue_many(tasks.send_consent_notice, [(str(pk),) for pk in ids])
        total += len(ids)
        if len(consents) < _BATCH:
            return total
        # Each batch where the last one stopped: those that were told years ago are read once.
        due = due.filter(created_at__gte=consents[-1].created_at)


def send_notice(*, notice_id: UUID) -> None:
    """Send one notice's mail, unless that was done. A process that dies between the sending and
    the commit sends it once more.

    Raises:
        OSError and the like: the mail could not be sent; the task is tried again.
    """
    with transaction.atomic():
        notice = (
            ConsentNotice.objects.select_for_update(of=("self",))
            .select_related("consent__member")
            .filter(pk=notice_id, told_at__isnull=True)
            .first()
        )
        if notice is None:
            return
        consent, member = notice.consent, notice.consent.member
        goes_on = notice.reason == ConsentNotice.Reason.TWO_YEARS
        if goes_on and not (_has_address(member) and _holds(consent)):
            notice.delete()
            return
        if not _has_address(member):
            # It was taken away since. The answer of the API told the outcome.
            notice.channel = ConsentNotice.Channel.ANSWER
            notice.told_at = consent.created_at
        else:
            write = _two_years_mail if goes_on else _outcome_mail
            send_mail(partial(write, consent), to=member.email, language=member.locale)
            notice.told_at = timezone.now()
        notice.save(update_fields=["channel", "told_at"])


def _has_address(member: Member) -> bool:
    return bool(member.is_active and member.email and member.email_verified)


def _holds(consent: Consent) -> bool:
    """Whether it is what was last said. Messages at night are a part of marketing; the version of
    igloo that let them stand without it wrote such rows."""
    newest = {row.kind: row for row in Consent.objects.newest_of(consent.member_id)}
    needed = {consent.kind, Consent.Kind.MARKETING.value}
    granted = {kind for kind, row in newest.items() if row.granted}
    return newest[consent.kind].pk == consent.pk and needed <= granted


def _when(consent: Consent) -> str:
    return f"{consent.created_at.astimezone(_KOREA):%Y-%m-%d %H:%M} (KST)"


def _facts(consent: Consent, result: str) -> list[str]:
    return [
        _("From: igloo, to %(username)s") % {"username": consent.member.username},
        _("What: %(kind)s, version %(version)s")
        % {"kind": consent.get_kind_display(), "version": consent.version},
        _("When: %(when)s") % {"when": _when(consent)},
        _("Result: %(result)s") % {"result": result},
    ]


def _outcome_mail(consent: Consent) -> Mail:
    if consent.granted:
        result = _("You agreed, and this is in force.")
    elif Consent.objects.filter(
        member=consent.member_id, kind=consent.kind, pk__lt=consent.pk, granted=True
    ).exists():
        result = _("You took your consent back, and this is in force.")
    else:
        result = _("You did not agree, and this is in force.")
    return Mail(
        subject=_("igloo: your choice about %(kind)s") % {"kind": consent.get_kind_display()},
        paragraphs=[
            _("We received your choice."),
            *_facts(consent, result),
            _("You can look at your choices at any time in the app, under Settings."),
        ],
    )


def _two_years_mail(consent: Consent) -> Mail:
    return Mail(
        subject=_("igloo: you agreed to %(kind)s") % {"kind": consent.get_kind_display()},
        paragraphs=[
            _("We confirm every two years that you still agree to this."),
            *_facts(consent, _("You agreed, and this is in force.")),
            _("To keep it, you need not do anything."),
            _("To take it back, turn it off in the app, under Settings, or write to us."),
        ],
    )
