"""What members consented to, and what they were told of it."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel
from apps.members.models.member import Member
from apps.members.models.session import DeviceSession

# Consent to marketing has to be confirmed every two years, before the day it was given on: Network
# Act, article 50 (8), and its decree, article 62-3. 730 days are never more than two years.
CONFIRMED_FOR = dt.timedelta(days=730)
# So long before that the member is told, so that a mail that fails can be sent again.
TOLD_BEFORE = dt.timedelta(days=14)


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Reads of consents."""

    def newest_of(self, member_id: UUID) -> "ConsentQuerySet":
        """What holds: the last row of each kind, by kind, each with its `confirmed_at`."""
        newest = self.filter(member_id=member_id).order_by("kind", "-id").distinct("kind")
        return newest.with_confirmed_at()

    def with_confirmed_at(self) -> "ConsentQuerySet":
        """Each row with when the member last gave or confirmed it."""
        told = ConsentNotice.objects.filter(
            consent=OuterRef("pk"), reason=ConsentNotice.Reason.TWO_YEARS, told_at__isnull=False
        )
        last = told.order_by("-told_at").values("told_at")[:1]
        return self.annotate(confirmed_at=Coalesce(Subquery(last), "created_at"))

    def to_be_confirmed(self, now: dt.datetime) -> "ConsentQuerySet":
        """Those to marketing that hold, whose two years are almost over, and of which the member
        can be told by mail and is not being told already; oldest first."""
        before = now - CONFIRMED_FOR + TOLD_BEFORE
        newer = self.model._default_manager.filter(
            member=OuterRef("member"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
        )
        told = ConsentNotice.objects.filter(
            Q(told_at__isnull=True) | Q(told_at__gt=before),
            consent=OuterRef("pk"),
            reason=ConsentNotice.Reason.TWO_YEARS,
        )
        return self.filter(
            ~Exists(newer),
            ~Exists(told),
            # As the index has it.
            kind__in=["marketing", "marketing_night"],
            granted=True,
            created_at__lte=before,
            member__is_active=True,
            member__email_verified=True,
        ).order_by("created_at")


class Consent(UUIDModel):
    """A member said yes or no to a text. Rows are only ever added: the database refuses to change
    one, and to delete one of a member whose account is open."""

    class Kind(models.TextChoices):
        """What is consented to; the first two are needed to be a member."""

        TERMS = "terms", _("terms of service")
        PRIVACY = "privacy", _("processing of personal data")
        MARKETING = "marketing", _("marketing messages")
        MARKETING_NIGHT = "marketing_night", _("marketing messages at night")

    REQUIRED = (Kind.TERMS, Kind.PRIVACY)

    member = models.ForeignKey(
        Member,
        on_delete=models.CASCADE,
        related_name="consents",
        db_index=False,
        verbose_name=_("member"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    version = models.CharField(_("version"), max_length=20)
    granted = models.BooleanField(_("granted"))
    # The device it was said on. No foreign key: the session goes 92 days after its end, and
    # setting the key to null would change this row.
    session_id = models.UUIDField(null=True, blank=True)
    device_name = models.CharField(
        _("device"), max_length=100, blank=True, default="", db_default=""
    )
    device_platform = models.CharField(
        _("platform"),
        max_length=10,
        choices=DeviceSession.Platform.choices,
        blank=True,
        default="",
        db_default="",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("consent"), _("consents")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["terms", "privacy", "marketing", "marketing_night"]),
                name="consent_kind_known",
            ),
        ]
        indexes = [
            # The newest row of each kind is what holds.
            models.Index(fields=["member", "kind", "-id"], name="consent_newest"),
            # The daily search for those whose two years are almost over.
            models.Index(
                fields=["created_at"],
                condition=Q(kind__in=["marketing", "marketing_night"], granted=True),
                name="consent_marketing_age",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}: {self.granted}"


def confirm_by(consent: Any) -> dt.datetime | None:
    """When a consent with `confirmed_at` has to be confirmed; None for one that need not be."""
    if consent.granted and consent.kind not in Consent.REQUIRED:
        return consent.confirmed_at + CONFIRMED_FOR
    return None


def current_version(kind: str) -> str:
    """The version of the text that the app shows now: the date of it, as `2026-11-01`."""
    return settings.CONSENT_VERSIONS[kind]


class ConsentNotice(UUIDModel):
    """That a member was told of a consent: what came of it, or that it goes on after two years."""

    class Reason(models.TextChoices):
        """Why they are told."""

        OUTCOME = "outcome", _("outcome of a choice")
        TWO_YEARS = "two_years", _("confirmation after two years")

    class Channel(models.TextChoices):
        """How."""

        ANSWER = "answer", _("answer of the API")
        MAIL = "mail", _("mail")

    consent = models.ForeignKey(
        Consent,
        on_delete=models.CASCADE,
        related_name="notices",
        db_index=False,
        verbose_name=_("consent"),
    )
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    queued_at = models.DateTimeField(
        _("queued at"), default=timezone.now, help_text="of the last mail's task"
    )
    told_at = models.DateTimeField(_("told at"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("consent notice"), _("consent notices")
        constraints = [
            # Two processes that look at the same time make one.
            models.UniqueConstraint(
                fields=["consent", "reason"],
                condition=Q(told_at__isnull=True),
                name="consent_notice_one_untold",
            ),
            models.CheckConstraint(
                condition=Q(reason__in=["outcome", "two_years"]),
                name="consent_notice_reason_known",
            ),
            models.CheckConstraint(
                condition=Q(channel="mail") | Q(channel="answer", told_at__isnull=False),
                name="consent_notice_answer_is_told",
            ),
        ]
        indexes = [
            # When a consent was last confirmed.
            models.Index(fields=["consent", "reason", "-told_at"], name="consent_notice_last"),
            # Mails that did not go out.
            models.Index(
                fields=["queued_at"],
                condition=Q(told_at__isnull=True),
                name="consent_notice_untold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} ({self.channel})"
