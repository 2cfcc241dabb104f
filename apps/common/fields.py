"""Serializer fields that every app shares."""

from typing import Any

from rest_framework import serializers

from apps.common.texts import plain_text


class PlainText(serializers.CharField):
    """What a person typed, as `plain_text` has it. Line breaks and tabs stay where `multiline`."""

    def __init__(self, *, multiline: bool = False, **kwargs: Any) -> None:
        self.multiline = multiline
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The cleaned text; what shows nothing at all is blank."""
        text = plain_text(super().to_internal_value(data), "\n\t" if self.multiline else "")
        if not text and not self.allow_blank:
            self.fail("blank")
        return text
