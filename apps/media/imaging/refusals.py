"""What is accepted, and the one exception that says why a file is not."""

from typing import Literal

PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif")

# 40 MP is more than any phone's default photo (12, 24 or 25 MP); the 48 to 200 MP modes are not.
MAX_PIXELS = 40_000_000
# A side below this is a tracking pixel or a broken export, never a photo of a home.
MIN_SIDE = 16
# The widest phone panoramas are about 6:1. At 20:1 the small rendition is 320 x 16 px.
MAX_ASPECT = 20
# What a decoder may hold at once for a kind that it cannot stream (progressive JPEG, interlaced
# PNG, WebP, HEIC), in bytes. With it the whole process stays under about 300 MB.
MAX_HELD_BYTES = 200_000_000

RefusalCode = Literal[
    "not_an_image",
    "unsupported_type",
    "type_mismatch",
    "truncated",
    "too_many_pixels",
    "too_small",
    "too_narrow",
    "damaged",
]


class PhotoRefused(Exception):
    """The file cannot become a photo. `code` is stable and may be shown; the message is for logs.

    Codes: `not_an_image` nothing known; `unsupported_type` an image of a kind we do not take;
    `type_mismatch` not what the client declared; `truncated` the end is missing;
    `too_many_pixels` over `MAX_PIXELS`, or over `MAX_HELD_BYTES` to decode; `too_small` a side
    under `MIN_SIDE` px; `too_narrow` one side over `MAX_ASPECT` times the other; `damaged` the
    rest.
    """

    def __init__(self, code: RefusalCode, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code: RefusalCode = code
        self.detail = detail
