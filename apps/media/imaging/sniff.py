"""The type, size and cost of a photo, read from its bytes by hand, before any decoder sees it.

Decoders allocate for what a header claims. So the claims are read here first, with nothing but
`struct` and seeks: a few hundred bytes of the file are touched, never its pixels.
Sources: ITU-T T.81 (JPEG), W3C PNG third edition, RFC 9649 (WebP); HEIC is in `heif.py`.
"""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from apps.media.imaging.heif import read_heif_header
from apps.media.imaging.refusals import (
    MAX_ASPECT,
    MAX_HELD_BYTES,
    MAX_PIXELS,
    MIN_SIDE,
    PhotoRefused,
)

# A file of more pieces than this is made to keep a parser busy.
MAX_JPEG_SEGMENTS = 4_000
# Cameras and browsers write at most about 12.
MAX_JPEG_SCANS = 100
MAX_PNG_CHUNKS = 100_000

# The chunks that change what a PNG looks like. The others (text above all) are never decoded.
PNG_PIXEL_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"eXIf")
)


@dataclass(frozen=True)
class Sniffed:
    """What the header says. `width` and `height` in px, as stored: before any orientation.

    `content_type` is the one name we use for the kind ("image/heic" for image/heif too).
    `extra_chunks`: a PNG with chunks that are not in `PNG_PIXEL_CHUNKS`.
    """

    content_type: str
    width: int
    height: int
    extra_chunks: bool = False


def sniff(source: Path, *, declared_type: str) -> Sniffed:
    """Read the header of `source`, check it against the declared type and the limits.

    Raises `PhotoRefused`; the message of a missing file (`OSError`) is the caller's to handle.
    """
    with source.open("rb") as file:
        head = file.read(1024)
        kind = _kind(head)
        if kind is None:
            raise PhotoRefused("not_an_image")
        if kind not in _READERS:
            raise PhotoRefused("unsupported_type", kind)
        declared = declared_type.strip().lower()
        if kind != ("image/heic" if declared == "image/heif" else declared):
            raise PhotoRefused("type_mismatch", f"declared {declared[:40]!r}, is {kind}")
        size = file.seek(0, 2)
        try:
            sniffed, held = _READERS[kind](file, size)
        except (struct.error, IndexError, EOFError) as error:
            raise PhotoRefused("truncated", "header") from error
    _check_limits(sniffed.width, sniffed.height, held)
    return sniffed


def _check_limits(width: int, height: int, held: int) -> None:
    size = f"{width} x {height} px"
    if width * height > MAX_PIXELS:
        raise PhotoRefused("too_many_pixels", size)
    if min(width, height) < MIN_SIDE:
        raise PhotoRefused("too_small", size)
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoRefused("too_narrow", size)
    if held > MAX_HELD_BYTES:
        raise PhotoRefused("too_many_pixels", f"{size}: {held} bytes to decode")


def _kind(head: bytes) -> str | None:
    """The media type by magic bytes, or None when it is no kind of image that we know."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _heif_kind(head)
    for magic, name in _OTHER_IMAGES:
        if head.startswith(magic):
            return name
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!DOCTYPE svg|svg)", head) and b"<svg" in head:
        return "image/svg+xml"
    return None


_OTHER_IMAGES = (
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"qoif", "image/qoi"),
)

_HEVC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))


def _heif_kind(head: bytes) -> str | None:
    """By the brands of the `ftyp` box (ISO/IEC 23008-12, annex B)."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    # The major brand decides; `mif1` and `msf1` only say "HEIF", so the compatible ones do then.
    for brand in brands:
        if brand in _HEVC_BRANDS:
            return "image/heic"
        if brand in _AVIF_BRANDS:
            return "image/avif"
    return "image/heif-other" if brands[0] in (b"mif1", b"msf1") else None


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _read_jpeg(file: BinaryIO, size: int) -> tuple[Sniffed, int]:
    """Walk the segments to the first scan. Held bytes: the coefficients, when they are kept.

    A progressive file, or one whose first scan has not all components, makes libjpeg hold every
    coefficient (2 bytes each) until the last scan.
    """
    file.seek(2)
    frame: tuple[int, int, int, int, int] | None = None
    for _ in range(MAX_JPEG_SEGMENTS):
        marker = _exactly(file, 2)
        while marker == b"\xff\xff":  # fill bytes (T.81 B.1.1.2)
            marker = b"\xff" + _exactly(file, 1)
        if marker[0] != 0xFF:
            raise PhotoRefused("damaged", "JPEG marker expected")
        code = marker[1]
        if code == 0x01 or 0xD0 <= code <= 0xD7:
            continue
        (length,) = struct.unpack(">H", _exactly(file, 2))
        if length < 2 or code in (0x00, 0xD8, 0xD9):
            raise PhotoRefused("damaged", f"JPEG segment {code:02x}")
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            if frame is not None:
                raise PhotoRefused("damaged", "two JPEG frames")
            frame = _jpeg_frame(code, _exactly(file, length - 2))
        elif code == 0xDA:
            if frame is None:
                raise PhotoRefused("damaged", "JPEG scan before its frame")
            frame_code, width, height, components, coefficients = frame
            in_scan = _exactly(file, 1)[0]
            _refuse_many_scans(file)
            kept = frame_code in (0xC2, 0xCA) or in_scan < components
            return Sniffed("image/jpeg", width, height), 2 * coefficients if kept else 0
        else:
            file.seek(length - 2, 1)
            if file.tell() > size:
                raise EOFError
    raise PhotoRefused("damaged", "too many JPEG segments")


def _refuse_many_scans(file: BinaryIO) -> None:
    """Each scan of a progressive file is a pass over all its coefficients, however little it says:
    thousands of them, in a file of 100 kB, are minutes of work. In coded data 0xFF is followed by
    zero or a restart marker (T.81 F.1.2.3), so every SOS that is found begins one."""
    scans = 1
    last = b""
    while chunk := file.read(1 << 20):
        scans += (last + chunk).count(b"\xff\xda")
        last = chunk[-1:]
        if scans > MAX_JPEG_SCANS:
            raise PhotoRefused("damaged", "too many JPEG scans")


def _jpeg_frame(code: int, data: bytes) -> tuple[int, int, int, int, int]:
    precision, height, width, components = struct.unpack_from(">BHHB", data)
    if precision != 8 or components not in (1, 3, 4) or not width or not height:
        raise PhotoRefused("damaged", "JPEG frame of a kind that no phone or browser writes")
    sampling = [(data[6 + 3 * i + 1] >> 4, data[6 + 3 * i + 1] & 15) for i in range(components)]
    if any(not 1 <= factor <= 4 for pair in sampling for factor in pair):
        raise PhotoRefused("damaged", "JPEG sampling factor")
    most = max(h for h, _ in sampling) * max(v for _, v in sampling)
    coefficients = sum(width * height * h * v // most for h, v in sampling)
    return code, width, height, components, coefficients


def _read_png(file: BinaryIO, size: int) -> tuple[Sniffed, int]:
    """Walk the chunks to IEND. Held bytes: the whole picture, when it is interlaced."""
    file.seek(8)
    width = height = held = idat = 0
    extra_chunks = False
    for number in range(MAX_PNG_CHUNKS):
        length, kind = struct.unpack(">I4s", _exactly(file, 8))
        if number == 0:
            if kind != b"IHDR" or length != 13:
                raise PhotoRefused("damaged", "PNG without IHDR")
            width, height, depth, colour, *_, interlaced = struct.unpack(
                ">IIBBBBB", _exactly(file, 13)
            )
            channels = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}.get(colour)
            if channels is None or depth not in (1, 2, 4, 8, 16):
                raise PhotoRefused("damaged", "PNG header")
            held = width * height * channels * (2 if depth == 16 else 1) if interlaced else 0
            # Before the walk: what only a bomb claims is not worth reading on.
            _check_limits(width, height, held)
            file.seek(4, 1)
            continue
        if kind == b"IEND":
            if not idat:
                raise PhotoRefused("damaged", "PNG without pixels")
            _exactly(file, length + 4)
            return Sniffed("image/png", width, height, extra_chunks), held
        idat += kind == b"IDAT"
        extra_chunks = extra_chunks or kind not in PNG_PIXEL_CHUNKS
        if file.seek(length + 4, 1) > size:
            raise EOFError
    raise PhotoRefused("damaged", "too many PNG chunks")


def png_pixels_only(source: Path) -> bytes:
    """The PNG of `source` with only the chunks that change its look, and one colour profile.

    libpng inflates each compressed text chunk to as much as 8 MB and libvips keeps them: 300 of
    them, a 2 MB file, took 2.3 GB. We want none of that text, so the decoder does not get it.
    """
    kept = [b"\x89PNG\r\n\x1a\n"]
    profiles = 0
    with source.open("rb") as file:
        file.seek(8)
        for _ in range(MAX_PNG_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                break
            length, kind = struct.unpack(">I4s", head)
            profiles += kind == b"iCCP"
            if kind in PNG_PIXEL_CHUNKS and not (kind == b"iCCP" and profiles > 1):
                kept += (head, file.read(length + 4))
            else:
                file.seek(length + 4, 1)
            if kind == b"IEND":
                break
    return b"".join(kept)


def _read_webp(file: BinaryIO, size: int) -> tuple[Sniffed, int]:
    """The canvas of VP8X, or the frame of VP8/VP8L. Held bytes: libwebp keeps whole pictures."""
    file.seek(4)
    (riff_size,) = struct.unpack("<I", _exactly(file, 4))
    if riff_size + 8 > size:
        raise EOFError
    file.seek(12)
    chunk, _, data = struct.unpack("<4sI10s", _exactly(file, 18))
    if chunk == b"VP8X":
        width = int.from_bytes(data[4:7], "little") + 1
        height = int.from_bytes(data[7:10], "little") + 1
    elif chunk == b"VP8 ":
        if data[3:6] != b"\x9d\x01\x2a":
            raise PhotoRefused("damaged", "WebP key frame")
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", data[6:10]))
    elif chunk == b"VP8L":
        if data[0] != 0x2F:
            raise PhotoRefused("damaged", "WebP lossless signature")
        bits = int.from_bytes(data[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        raise PhotoRefused("damaged", "WebP of an unknown kind")
    return Sniffed("image/webp", width, height), width * height * 4


def _read_heic(file: BinaryIO, size: int) -> tuple[Sniffed, int]:
    """Held bytes: the YUV of the decoder (1.5 per px) and the RGB made from it (3 per px)."""
    width, height = read_heif_header(file, size)
    return Sniffed("image/heic", width, height), width * height * 9 // 2


_READERS = {
    "image/jpeg": _read_jpeg,
    "image/png": _read_png,
    "image/webp": _read_webp,
    "image/heic": _read_heic,
}
