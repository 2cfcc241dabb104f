"""Uploads: a photo on its way from a phone to renditions."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.models import JSONField, UUIDModel


class UploadQuerySet(models.QuerySet["Upload"]):
    """Reads of uploads."""

    def visible_to(self, viewer: Any) -> "UploadQuerySet":
        """The viewer's own: an upload is nobody else's business."""
        return self.filter(owner_id=viewer.pk)


class Upload(UUIDModel):
    """One file that a member announced, sent and uses at one place: a photo or an avatar.

    `palette` is `[{"hex": "#rrggbb", "share": 0..1}]`; `renditions` is
    `[{"name", "key", "width", "height", "content_type"}]`, sizes in px, keys in the public store.
    """

    class Status(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("waiting")
        PROCESSING = "processing", _("processing")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64, blank=True, default="", help_text="hex, or empty")
    expires_at = models.DateTimeField(help_text="when the ticket to send the file ends")
    processing_since = models.DateTimeField(null=True, blank=True)
    attached_at = models.DateTimeField(
        null=True, blank=True, help_text="when a post or a profile took it"
    )
    failure_code = models.CharField(max_length=40, blank=True, default="")
    width = models.PositiveIntegerField(null=True, blank=True, help_text="px, upright")
    height = models.PositiveIntegerField(null=True, blank=True, help_text="px, upright")
    blurhash = models.CharField(max_length=100, blank=True, default="")
    palette = JSONField(default=list, blank=True)
    suggested_colors = JSONField(default=list, blank=True)
    renditions = JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("upload"), _("uploads")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "processing", "ready", "failed"]),
                name="upload_status_known",
            ),
            models.CheckConstraint(
                condition=(Q(status="failed") & ~Q(failure_code=""))
                | (~Q(status="failed") & Q(failure_code="")),
                name="upload_failed_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status="ready") | Q(width__gt=0, height__gt=0),
                name="upload_ready_has_size",
            ),
            models.CheckConstraint(
                condition=Q(attached_at__isnull=True) | Q(status="ready"),
                name="upload_attached_is_ready",
            ),
        ]
        indexes = [
            # A member's uploads, in the admin and when the member leaves.
            models.Index(fields=["owner", "-id"], name="upload_by_owner"),
            # purge_unattached_uploads.
            models.Index(
                fields=["created_at"],
                condition=Q(attached_at__isnull=True),
                name="upload_unattached",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def incoming_key(self) -> str:
        """Where the phone puts the file. A ticket opens this key alone."""
        return f"incoming/{self.id}"

    @property
    def original_key(self) -> str:
        """Where the file is kept once it proved to be a photo; no ticket reaches it."""
        return f"originals/{self.id}"


class RenditionRun(UUIDModel):
    """Renditions of all photos made again, oldest first: how far it is, and where to go on."""

    total = models.PositiveIntegerField(help_text="photos when it began")
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0, help_text="left as they were; see the log")
    # The upload that was looked at last, and how often it was begun: one that kills its container
    # must not do so for ever.
    reached = models.UUIDField(null=True, blank=True)
    trying = models.UUIDField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("rendition run"), _("rendition runs")
        constraints = [
            # Two at once would do the same work twice.
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(finished_at__isnull=True),
                name="rendition_run_is_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.done + self.failed} of {self.total}"
