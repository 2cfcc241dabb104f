"""Uploads, for operators."""

from django.contrib import admin
from django.utils.safestring import SafeString

from apps.common.admin import ReadOnly
from apps.media.models import RenditionRun, Upload
from apps.media.thumbnail import thumbnail


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    """Uploads: a post or a profile takes and deletes its own."""

    list_display = ["picture", "id", "owner", "status", "failure_code", "size", "created_at"]
    list_display_links = ["picture", "id"]
    list_filter = ["status", "created_at"]
    search_fields = ["=id", "=owner__username", "=failure_code"]
    search_help_text = "upload id, username, failure code"
    list_select_related = ["owner"]
    fields = [
        "large_picture",
        "owner",
        "status",
        "failure_code",
        "content_type",
        "size",
        "width",
        "height",
        "palette",
        "suggested_colors",
        "created_at",
        "attached_at",
    ]

    @admin.display(description="")
    def picture(self, upload: Upload) -> SafeString | str:
        """The photo, small."""
        return thumbnail(upload)

    @admin.display(description="picture")
    def large_picture(self, upload: Upload) -> SafeString | str:
        """The photo, as large as its small rendition."""
        return thumbnail(upload, height=320)


@admin.register(RenditionRun)
class RenditionRunAdmin(ReadOnly):
    """Renditions made again: how far each run is."""

    list_display = ["id", "__str__", "failed", "started_at", "finished_at"]
    ordering = ["-id"]
