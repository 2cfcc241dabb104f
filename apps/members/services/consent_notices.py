"""Telling members of their consents: what came of a choice, and what goes on after two years.

The outcome of a choice must be told within 14 days, with who asks, what was chosen, when and what
came of it (Network Act, article 50 (7), decree, article 62-2). The answer of the API tells it at
once; a mail does too, where there is an address that was verified. What was chosen in one call is
told in one mail, and none goes out for a no alone that was never a yes: nothing has changed.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.mail import Mail, send_mail

# Services enqueue these tasks, and tasks call services: each imports the other as a module.
from apps.members import tasks
from apps.members.models import Consent, ConsentNotice, Member
from apps.members.services.mails import in_korea
from apps.tasks.services import enqueue_many

# Notices of one transaction.
_BATCH = 200
# A mail that has not gone out by then is tried again; its task has given up.
_TRY_AGAIN = dt.timedelta(days=1)
# For so long: what the law gives for an outcome, and how early a confirmation is sent.
_TRY_FOR = dt.timedelta(days=14)


def tell_outcomes(*, member: Member, consents: Sequence[Consent]) -> None:
    """Note that new consents are told of, and have the mails sent; in the transaction that adds
    them."""
    by_mail = _has_address(member) and _change_something(member, consents)
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
        tasks.send_consent_notice.enqueue(*(str(notice.pk) for notice in notices))


def _change_something(member: Member, consents: Sequence[Consent]) -> bool:
    if any(consent.granted for consent in consents):
        return True
    kinds = [consent.kind for consent in consents]
    return Consent.objects.filter(member=member, kind__in=kinds, granted=True).exists()


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
            rows = list(
                untold.select_for_update(of=("self",), skip_locked=True)
                .order_by("queued_at", "pk")
                .values_list("pk", "reason", "consent__member_id", "consent__created_at")[:_BATCH]
            )
            ConsentNotice.objects.filter(pk__in=[pk for pk, *_mail in rows]).update(queued_at=now)
            # Those of one call in one mail again.
            mails: dict[tuple[Any, ...], list[str]] = defaultdict(list)
            for pk, *mail in rows:
                mails[tuple(mail)].append(str(pk))
            enqueue_many(tasks.send_consent_notice, [tuple(ids) for ids in mails.values()])
        total += len(rows)
        if len(rows) < _BATCH:
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


def send_notice(*, notice_ids: Sequence[UUID]) -> None:
    """Send the mail of notices to one member for one reason, unless that was done. A process that
    dies between the sending and the commit sends it once more.

    Raises:
        OSError and the like: the mail could not be sent; the task is tried again.
    """
    with transaction.atomic():
        notices = list(
            ConsentNotice.objects.select_for_update(of=("self",))
            .select_related("consent__member")
            .filter(pk__in=notice_ids, told_at__isnull=True)
            .order_by("pk")
        )
        to_mail = [notice for notice in notices if not _is_settled(notice)]
        if not to_mail:
            return
        consents = [notice.consent for notice in to_mail]
        member = consents[0].member
        goes_on = to_mail[0].reason == ConsentNotice.Reason.TWO_YEARS
        write = (
            partial(_two_years_mail, consents[0]) if goes_on else partial(_outcome_mail, consents)
        )
        send_mail(write, to=member.email, language=member.locale)
        ConsentNotice.objects.filter(pk__in=[notice.pk for notice in to_mail]).update(
            told_at=timezone.now()
        )


def _is_settled(notice: ConsentNotice) -> bool:
    """Whether a notice needs no mail any more; it is noted."""
    consent = notice.consent
    if notice.reason == ConsentNotice.Reason.TWO_YEARS:
        if _has_address(consent.member) and _holds(consent):
            return False
        notice.delete()
    else:
        if _has_address(consent.member):
            return False
        # It was taken away since. The answer of the API told the outcome.
        notice.channel = ConsentNotice.Channel.ANSWER
        notice.told_at = consent.created_at
        notice.save(update_fields=["channel", "told_at"])
    return True


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
    return f"{in_korea(consent.created_at)} (KST)"


def _sender(consent: Consent) -> str:
    return _("From: igloo, to %(username)s") % {"username": consent.member.username}


def _what(consent: Consent) -> str:
    facts = {"kind": consent.get_kind_display(), "version": consent.version}
    return _("What: %(kind)s, version %(version)s") % facts


def _when_said(consent: Consent) -> str:
    return _("When: %(when)s") % {"when": _when(consent)}


def _result(text: str) -> str:
    return _("Result: %(result)s") % {"result": text}


def _outcome(consent: Consent) -> str:
    if consent.granted:
        return _("You agreed, and this is in force.")
    if Consent.objects.filter(
        member=consent.member_id, kind=consent.kind, pk__lt=consent.pk, granted=True
    ).exists():
        return _("You took your consent back, and this is in force.")
    return _("You did not agree, and this is in force.")


def _outcome_mail(consents: Sequence[Consent]) -> Mail:
    first, *more = consents
    if more:
        subject, received = _("igloo: your choices"), _("We received your choices.")
    else:
        subject = _("igloo: your choice about %(kind)s") % {"kind": first.get_kind_display()}
        received = _("We received your choice.")
    return Mail(
        subject=subject,
        paragraphs=[
            received,
            _sender(first),
            # They were made in one call.
            _when_said(first),
            *(f"{_what(consent)}\n{_result(_outcome(consent))}" for consent in consents),
            _("You can look at your choices at any time in the app, under Settings."),
        ],
    )


def _two_years_mail(consent: Consent) -> Mail:
    return Mail(
        subject=_("igloo: you agreed to %(kind)s") % {"kind": consent.get_kind_display()},
        paragraphs=[
            _("We confirm every two years that you still agree to this."),
            _sender(consent),
            _what(consent),
            _when_said(consent),
            _result(_("You agreed, and this is in force.")),
            _("To keep it, you need not do anything."),
            _("To take it back, turn it off in the app, under Settings, or write to us."),
        ],
    )
