"""Serializer fields that every app shares."""

import unicodedata
from typing import Any

from rest_framework import serializers


class PlainText(serializers.CharField):
    """What a person typed: trimmed, in Unicode's NFC, without control characters.

    An iPhone may send 한글 decomposed; composed, it is found and counted as people expect.
    Line breaks and tabs stay where `multiline`.
    """

    def __init__(self, *, multiline: bool = False, **kwargs: Any) -> None:
        self.multiline = multiline
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The cleaned text; what shows nothing at all is blank."""
        text = unicodedata.normalize("NFC", super().to_internal_value(data))
        keep = "\n\t" if self.multiline else ""
        text = "".join(
            char for char in text if char in keep or unicodedata.category(char) != "Cc"
        ).strip()
        # Zero-width characters and the like are neither trimmed nor seen.
        visible = any(unicodedata.category(char)[0] not in "CZ" for char in text)
        if not visible and not self.allow_blank:
            self.fail("blank")
        return text if visible else ""
