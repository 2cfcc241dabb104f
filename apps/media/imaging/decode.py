"""From a checked file to an upright sRGB picture of at most 1600 px.

JPEG, PNG and WebP go through libvips, HEIC through libheif (libvips' wheel has no HEVC decoder).
The loader is named by the sniffed type, never guessed by the library.
"""

import os
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from apps.media.imaging.refusals import PhotoRefused, RefusalCode
from apps.media.imaging.sniff import Sniffed, png_pixels_only

if TYPE_CHECKING:
    import pyvips

# libjpeg's complaints about files that are whole and look right: old Samsung and Xiaomi cameras
# leave bytes before the end marker, and some encoders write odd scan parameters.
_HARMLESS_JPEG = re.compile(r"extraneous bytes before marker 0xd9|Invalid SOS parameters", re.I)


@cache
def vips() -> ModuleType:
    """libvips, loaded at first use and set up once for the process."""
    # libvips' warnings quote the file's metadata as it is. pyvips decodes them as UTF-8 inside a
    # C callback, where the error of a hostile file cannot be caught: no handler, no warnings.
    # What matters is an error, not a warning.
    os.environ.setdefault("VIPS_WARNING", "1")
    import pyvips

    pyvips._remove_log_handler()
    # The same photo is never processed twice by a process: a cache would only hold memory.
    pyvips.cache_set_max(0)
    # A Lambda of 1,769 MB has one CPU and an ECS task one or two; each thread has its own
    # buffers, and more threads than CPUs only cost memory.
    pyvips.concurrency_set(2)
    # Whatever libvips itself marks as not hardened against hostile files. We name our loaders, so
    # this is a second lock; it holds for everything else in the process too.
    pyvips.block_untrusted_set(True)
    return pyvips


def decode(source: Path, sniffed: Sniffed, *, long_edge: int) -> tuple["pyvips.Image", int, int]:
    """The picture of `source`, upright, sRGB, 3 bands of 8 bits, in memory; and its full size.

    The longer side is at most `long_edge` px, never enlarged. Width and height are those of the
    original in px, after orientation. Raises `PhotoRefused`.
    """
    try:
        if sniffed.content_type == "image/heic":
            # libheif has applied irot and imir; an EXIF orientation would turn it once more.
            small, width, height = _decode_heic(source, sniffed, long_edge)
            return _to_srgb(small), width, height
        width, height = sniffed.width, sniffed.height
        size = fit(width, height, long_edge)
        reduce = _reduce_on_load(sniffed, long_edge)
        try:
            image = _open(source, sniffed, reduce=reduce, fail_on="warning")
            small = _shrink(image, size)
        except vips().Error as error:
            if not _HARMLESS_JPEG.search(str(error)):
                raise
            image = _open(source, sniffed, reduce=reduce, fail_on="truncated")
            small = _shrink(image, size)
        orientation = _orientation(image)
        small = _to_srgb(small)
        if orientation > 1:
            small = _upright(small, orientation)
            if orientation >= 5:
                width, height = height, width
        return small, width, height
    except vips().Error as error:
        raise PhotoRefused(*_reason(error)) from error
    except UnicodeDecodeError as error:
        # pyvips could not read libvips' message, and left it to be met by the next error.
        vips().vips_lib.vips_error_clear()
        raise PhotoRefused("damaged", "libvips' message is not UTF-8") from error


def fit(width: int, height: int, long_edge: int) -> tuple[int, int]:
    """The size in px with the longer side at `long_edge`, or as it is when that is larger."""
    factor = min(1.0, long_edge / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _reduce_on_load(sniffed: Sniffed, long_edge: int) -> float:
    """By how much a decoder may shrink as it decodes: JPEG by 1, 2, 4 or 8, WebP by any factor.

    Decoders shrink by plain averaging, so at least a factor of two is left to Lanczos. For a
    40 MP WebP this is 200 MB of memory less.
    """
    spare = max(sniffed.width, sniffed.height) / (2 * long_edge)
    if sniffed.content_type == "image/webp":
        return max(1.0, spare)
    if sniffed.content_type == "image/jpeg":
        return next((factor for factor in (8, 4, 2) if spare >= factor), 1)
    return 1


def _reason(error: Exception) -> tuple[RefusalCode, str]:
    detail = " ".join(str(error).split())[:200]
    return ("truncated" if "premature end" in detail.lower() else "damaged"), detail


def _open(source: Path, sniffed: Sniffed, *, reduce: float, fail_on: str) -> "pyvips.Image":
    """A lazy picture: the header is read, no pixel is decoded.

    `fail_on="warning"` for JPEG because libjpeg only warns about pixels it cannot read and fills
    them with grey. (Changed bits of a baseline JPEG may pass even so: it has no checksum.) libpng
    and libwebp stop by themselves, and libpng warns about many a good file.
    """
    image_class = vips().Image
    if sniffed.content_type == "image/jpeg":
        image = image_class.jpegload(
            str(source), shrink=int(reduce), fail_on=fail_on, access="sequential"
        )
    elif sniffed.content_type == "image/webp":
        # One page: the first frame of an animation.
        image = image_class.webpload(
            str(source), scale=1 / reduce, fail_on="error", access="sequential"
        )
    elif sniffed.extra_chunks:
        data = png_pixels_only(source)
        image = image_class.pngload_buffer(data, fail_on="error", access="sequential")
    else:
        image = image_class.pngload(str(source), fail_on="error", access="sequential")
    # The decoder must see the picture that was sniffed, or the limits were checked on another.
    for side, sniffed_side in ((image.width, sniffed.width), (image.height, sniffed.height)):
        if abs(side - sniffed_side / reduce) >= (1 if reduce > 1 else 0.5):
            raise PhotoRefused("damaged", "the decoder reads another size than the header says")
    return image


def _orientation(image: "pyvips.Image") -> int:
    """EXIF orientation 1 to 8; 1 when there is none or it is nonsense."""
    value = image.get("orientation") if image.get_typeof("orientation") else 1
    return value if value in range(1, 9) else 1


def _upright(image: "pyvips.Image", orientation: int) -> "pyvips.Image":
    image = image.copy()
    image.set_type(vips().GValue.gint_type, "orientation", orientation)
    return image.autorot().copy_memory()


def _decode_heic(source: Path, sniffed: Sniffed, long_edge: int) -> tuple["pyvips.Image", int, int]:
    import pi_heif

    # Not looked at, so not parsed; and threads as in `vips`.
    pi_heif.options.THUMBNAILS = False
    pi_heif.options.DEPTH_IMAGES = False
    pi_heif.options.AUX_IMAGES = False
    pi_heif.options.DECODE_THREADS = 2
    try:
        heic = pi_heif.open_heif(source.read_bytes(), convert_hdr_to_8bit=True)
        width, height = heic.size
        if width * height > sniffed.width * sniffed.height:
            raise PhotoRefused("damaged", "the decoder reads another size than the header says")
        data, mode, info = heic.data, heic.mode, heic.info
        width, height = heic.size
        stride = heic.stride
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, LookupError) as error:
        detail = str(error)
        cut = "end of file" in detail.lower() or isinstance(error, EOFError)
        raise PhotoRefused("truncated" if cut else "damaged", detail[:200]) from error
    bands = {"L": 1, "LA": 2, "La": 2, "RGB": 3, "RGBA": 4, "RGBa": 4}.get(mode)
    if bands is None or stride != width * bands or len(data) < stride * height:
        raise PhotoRefused("damaged", f"HEIC mode {mode}")
    # The pixels are libheif's: neither the memoryview nor libvips keeps them alive, only `heic`
    # does. All reading is over when this function returns.
    image = vips().Image.new_from_memory(data, width, height, bands, "uchar")
    image = image.copy(interpretation="b-w" if bands < 3 else "srgb")
    if mode.endswith("a"):
        image = image.unpremultiply().cast("uchar")
    profile = info.get("icc_profile")
    if profile:
        image.set_type(vips().GValue.blob_type, "icc-profile-data", bytes(profile))
    elif info.get("nclx_profile", {}).get("color_primaries") == 12:
        # SMPTE EG 432-1, that is Display P3, said by number and not by a profile.
        p3 = vips().Operation.call("profile_load", "p3")
        image.set_type(vips().GValue.blob_type, "icc-profile-data", bytes(p3))
    return _shrink(image, fit(width, height, long_edge)), width, height


def _shrink(image: "pyvips.Image", size: tuple[int, int]) -> "pyvips.Image":
    """The one pass over the original: flatten alpha over white, shrink, keep in memory.

    Here, and before colours are converted, because a large original is read once and in strips.
    """
    if image.hasalpha():
        white = 65535 if image.format == "ushort" else 255
        image = image.flatten(background=[white] * (image.bands - 1), max_alpha=white)
    return shrink_to(image, size)


def shrink_to(image: "pyvips.Image", size: tuple[int, int]) -> "pyvips.Image":
    """`image` at `size` px (Lanczos 3), in memory."""
    if size != (image.width, image.height):
        # Both scales, so that the shorter side is not rounded a px away.
        image = image.resize(size[0] / image.width, vscale=size[1] / image.height)
    return image.copy_memory()


def _to_srgb(image: "pyvips.Image") -> "pyvips.Image":
    """Through the embedded profile; CMYK without one through a generic press profile."""
    error = vips().Error
    if image.get_typeof("icc-profile-data"):
        try:
            return _three_bands(
                image.icc_transform("srgb", intent="relative", black_point_compensation=True)
            )
        except error:
            # A broken profile, or one for another kind of picture. Viewers ignore it; so do we.
            image = image.copy()
            image.remove("icc-profile-data")
    return _three_bands(image.colourspace("srgb"))


def _three_bands(image: "pyvips.Image") -> "pyvips.Image":
    if image.bands < 3:
        image = image[0].bandjoin([image[0], image[0]])
    image = image.extract_band(0, n=3) if image.bands > 3 else image
    return image.cast("uchar").copy(interpretation="srgb").copy_memory()
