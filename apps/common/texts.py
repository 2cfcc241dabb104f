"""What a person typed, made fit to show."""

import unicodedata

# Marks that turn the direction of what follows, and line breaks that are not "\n": in a name they
# would rearrange the page around it.
_TURNING = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Marks of no width that no script needs: with them a name would be another and look the same. The
# joiners U+200C and U+200D, and the tags of flags, are part of what is seen.
_WIDTHLESS = (
    "\u00ad\u034f\u180e\u200b\u2060\u2061\u2062\u2063\u2064"
    "\u206a\u206b\u206c\u206d\u206e\u206f\ufeff"
)
_UNWANTED = frozenset(_TURNING + _WIDTHLESS)
# Letters and symbols that draw nothing: Hangul fillers, the blank Braille pattern and so on.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffc")
# Control characters, and halves of a pair that no UTF-8 can hold.
_UNWANTED_CATEGORIES = ("Cc", "Cs")


def plain_text(text: str, keep: str = "") -> str:
    """The text trimmed, in Unicode's NFC, without control characters but those of `keep`.

    An iPhone may send 한글 decomposed; composed, it is found and counted as people expect. What
    shows nothing at all is empty.
    """
    text = "".join(
        char
        for char in unicodedata.normalize("NFC", text)
        if char in keep
        or (unicodedata.category(char) not in _UNWANTED_CATEGORIES and char not in _UNWANTED)
    ).strip()
    # Zero-width characters, marks without a letter and the like are not trimmed, nor seen.
    visible = any(
        unicodedata.category(char)[0] in "LNPS" and char not in _INVISIBLE for char in text
    )
    return text if visible else ""
