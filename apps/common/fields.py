"""Serializer fields that every app shares."""

import unicodedata
from typing import Any

from rest_framework import serializers

# Marks that turn the direction of what follows, and line breaks that are not "\n": in a name they
# would rearrange the page around it.
_UNWANTED = frozenset(
    "\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Letters and symbols that draw nothing: Hangul fillers, the blank Braille pattern and so on.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffc")


class Text(serializers.CharField):
    """A text, and nothing that could be read as one.

    DRF takes a number for its digits. One of over 19 digits has become a float by then: a password
    sent as a number would be saved as another one, 1.2345678901234568e+20.
    """

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PlainText(Text):
    """What a person typed: trimmed, in Unicode's NFC, without control characters and the like.

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
            char
            for char in text
            if char in keep or (unicodedata.category(char) != "Cc" and char not in _UNWANTED)
        ).strip()
        # Zero-width characters, marks without a letter and the like are not trimmed, nor seen.
        visible = any(
            unicodedata.category(char)[0] in "LNPS" and char not in _INVISIBLE for char in text
        )
        if not visible and not self.allow_blank:
            self.fail("blank")
        return text if visible else ""
