"""Text that people typed is cleaned before it is counted and kept."""

import unicodedata

import pytest
from rest_framework.exceptions import ValidationError

from apps.common.fields import Address, Flag, PlainText, ShortList, Text

FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  볕이 드는 집  ", "볕이 드는 집"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        ("a\x00b\x1b[0m", "ab[0m"),
        ("two\nlines\tand", "twolinesand"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("admin\u202egnp.exe", "admingnp.exe"),
        ("one\u2028two", "onetwo"),
        ("\u061cadmin", "admin"),
        ("mi\u200bn\u00adj\u2060i\ufeff\u180e\u034f", "minji"),
        # England's flag is spelled with tags.
        (FLAG, FLAG),
    ],
)
def test_it_is_trimmed_composed_and_free_of_control_characters(typed: str, kept: str) -> None:
    assert PlainText().run_validation(typed) == kept


def test_lines_stay_where_they_are_meant() -> None:
    assert PlainText(multiline=True).run_validation("two\nlines") == "two\nlines"


def test_the_length_is_that_of_composed_text() -> None:
    typed = unicodedata.normalize("NFD", "한" * 10)
    assert len(typed) == 30
    assert PlainText(max_length=10).run_validation(typed) == "한" * 10


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "\x00", "\u200b\u200b", "\u3000", "\ufeff", "\u3164", "\u2800", "\ufe0f", "\u0301"],
)
def test_what_shows_nothing_is_blank(typed: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PlainText().run_validation(typed)
    assert raised.value.get_codes() == ["blank"]
    assert PlainText(allow_blank=True).run_validation(typed) == ""


@pytest.mark.parametrize("field", [Text, PlainText])
@pytest.mark.parametrize("sent", [225, 1.5, 123456789012345678901, True, [], {}])
def test_what_is_no_text_is_not_made_one(field: type[Text], sent: object) -> None:
    with pytest.raises(ValidationError) as raised:
        field().run_validation(sent)
    assert raised.value.get_codes() == ["invalid"]


@pytest.mark.parametrize("sent", [0, 1, "true", "yes", "off", "", None, [], {}])
def test_what_is_no_flag_is_not_made_one(sent: object) -> None:
    with pytest.raises(ValidationError) as raised:
        Flag().run_validation(sent)
    assert raised.value.get_codes()[0] in ("invalid", "null")
    assert (Flag().run_validation(True), Flag().run_validation(False)) == (True, False)


@pytest.mark.parametrize("mark", ["\x01", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_an_address_has_no_control_characters_not_even_between_quotes(mark: str) -> None:
    with pytest.raises(ValidationError):
        Address().run_validation(f'"a{mark}Bcc:b"@example.com')
    assert Address().run_validation('"a.Bcc:b"@example.com') == '"a.Bcc:b"@example.com'


def test_a_list_that_is_too_long_is_refused_before_its_items_are_looked_at() -> None:
    """A body of 1 MiB holds 300,000 of them."""
    field = ShortList(child=Flag(), max_length=3)
    assert field.run_validation([True, False, True]) == [True, False, True]
    with pytest.raises(ValidationError) as refusal:
        field.run_validation(["no flag"] * 4)
    [error] = refusal.value.detail
    assert error.code == "max_length"
