"""Exports: all that a member gave, as one file to take along."""

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel
from apps.members.models.member import Member


class ExportQuerySet(models.QuerySet["Export"]):
    """Reads of exports."""

    def visible_to(self, viewer: Any) -> "ExportQuerySet":
        """The viewer's own."""
        return self.filter(member_id=viewer.pk)

    def downloadable(self) -> "ExportQuerySet":
        """Whose file may be fetched now: for a day, and only while the account is open."""
        return self.filter(
            status=Export.Status.READY, expires_at__gt=timezone.now(), member__is_active=True
        )

    def over(self, abandoned_before: dt.datetime) -> "ExportQuerySet":
        """Those whose time is over, and those that were never finished."""
        return self.filter(Q(expires_at__lte=timezone.now()) | Q(created_at__lt=abandoned_before))


class Export(UUIDModel):
    """One zip that a member asked for. The row goes with its file, a day after it was ready."""

    class Status(models.TextChoices):
        """How far it is."""

        PROCESSING = "processing", _("processing")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="exports", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROCESSING)
    # The background task that makes it. Whether it has given up, its own row tells.
    task_id = models.UUIDField(null=True)
    size = models.PositiveBigIntegerField(null=True, help_text="bytes")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("export"), _("exports")
        constraints = [
            # A second request gets the first one's.
            models.UniqueConstraint(
                fields=["member"], condition=Q(status="processing"), name="export_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="ready") | Q(size__isnull=False, expires_at__isnull=False),
                name="export_ready_has_file",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["processing", "ready", "failed"]),
                name="export_status_known",
            ),
        ]
        indexes = [
            # A member's exports, when they are erased.
            models.Index(fields=["member", "-id"], name="export_by_member"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def key(self) -> str:
        """Where the file is, in the private store."""
        return f"exports/{self.id}.zip"
