"""Serializer fields that every app shares."""

from typing import Any

from rest_framework import serializers

from apps.common.texts import plain_text


class Text(serializers.CharField):
    """A text, and nothing that could be read as one.

    DRF takes a number for its digits. One of over 19 digits has become a float by then: a password
    sent as a number would be saved as another one, 1.2345678901234568e+20.
    """

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        # Before the text is composed (see plain_text), which takes the square of its marks: two
        # minutes for a password of 1 MiB. A letter falls apart into four at most.
        if self.max_length is not None and len(data) > 4 * self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class Address(serializers.EmailField):
    """An e-mail address that a mail can be sent to.

    Django lets control characters through between quotes (`"a<form feed>Bcc:b"@example.com`), which
    a mail's header can't have: no mail would go out, and each try would log the address.
    """

    def to_internal_value(self, data: Any) -> str:
        """The address."""
        address: str = super().to_internal_value(data)
        if not address.isprintable():
            self.fail("invalid")
        return address


class Flag(serializers.BooleanField):
    """True or false, and nothing that could be read as one: a consent is no guess.

    DRF takes `1`, `"yes"` and `"off"` too.
    """

    def to_internal_value(self, data: Any) -> bool:
        """The flag."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class PlainText(Text):
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


class ShortList(serializers.ListField):
    """A list that is counted before its items are looked at.

    DRF does so afterwards: of the hundred thousands that a body of 1 MiB holds each would be
    checked, which takes minutes, and told what is wrong with it, in an answer of 50 MB.
    """

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        self._most = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        """The items."""
        if isinstance(data, list) and len(data) > self._most:
            self.fail("max_length", max_length=self._most)
        found: list[Any] = super().to_internal_value(data)
        return found
