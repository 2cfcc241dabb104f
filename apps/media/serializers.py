"""What the uploads endpoints take."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.media.errors import FAILURES
from apps.media.imaging import PHOTO_TYPES


class UploadIn(serializers.Serializer[Any]):
    """A file that the phone is about to send."""

    content_type = serializers.ChoiceField(
        choices=PHOTO_TYPES, error_messages={"invalid_choice": FAILURES["unsupported_type"]}
    )
    size = serializers.IntegerField(
        min_value=1, max_value=settings.UPLOAD_MAX_BYTES, help_text="bytes"
    )
    sha256 = serializers.RegexField(
        r"^[0-9a-fA-F]{64}$",
        required=False,
        help_text="hex",
        error_messages={"invalid": _("Give the SHA-256 as 64 hexadecimal digits.")},
    )

    def validate_sha256(self, value: str) -> str:
        """Lower case, as we compare it."""
        return value.lower()
