"""Builders of sample photos: bytes of every kind that a member, or an attacker, may send.

The picture is nearly always `corners()`: red, green over blue, yellow, so that every way of
turning it can be told from the others.
"""

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pyvips
from PIL import Image

SAMPLES = Path(__file__).parent / "samples"

RED, GREEN, BLUE, YELLOW = (225, 30, 40), (30, 170, 60), (40, 60, 220), (235, 215, 50)
# Where each corner's colour is, as shares of width and height.
CORNERS = {(0.2, 0.2): RED, (0.8, 0.2): GREEN, (0.2, 0.8): BLUE, (0.8, 0.8): YELLOW}
# In every piece of metadata, to be looked for in what comes out.
MARK = "PLANTED"

_UNTURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def corners(width: int = 400, height: int = 300) -> Image.Image:
    image = Image.new("RGB", (width, height), RED)
    half_width, half_height = width // 2, height // 2
    image.paste(GREEN, (half_width, 0, width, half_height))
    image.paste(BLUE, (0, half_height, half_width, height))
    image.paste(YELLOW, (half_width, half_height, width, height))
    return image


def noise(width: int = 160, height: int = 120) -> Image.Image:
    """A picture that does not compress, so that a cut anywhere cuts pixels."""
    return Image.frombytes("RGB", (width, height), random.Random(7).randbytes(width * height * 3))


def exif(orientation: int = 1, *, place: bool = False) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = f"{MARK}-MAKER"
    if place:
        gps = tags.get_ifd(0x8825)
        gps[1], gps[2], gps[3], gps[4] = "N", (37.0, 33.0, 58.0), "E", (126.0, 58.0, 40.0)
        gps[27] = f"ASCII\0\0\0{MARK}-GPS".encode()
    return tags.tobytes()


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(image: Image.Image | None = None, *, orientation: int = 0, **options: Any) -> bytes:
    """A JPEG that shows `image` upright once its EXIF orientation is obeyed."""
    image = corners() if image is None else image
    if orientation:
        options["exif"] = exif(orientation)
        if orientation in _UNTURN:
            image = image.transpose(_UNTURN[orientation])
    return save(image, "JPEG", **{"quality": 95, "subsampling": 0, **options})


def jpeg_with_everything() -> bytes:
    """EXIF with a place, XMP, IPTC, a comment, a profile and bytes after the end."""
    data = jpeg(
        exif=exif(place=True),
        xmp=f"<x:xmpmeta>{MARK}-XMP</x:xmpmeta>".encode(),
        comment=f"{MARK}-COMMENT",
        icc_profile=profile("p3") + MARK.encode(),
    )
    text = f"{MARK}-IPTC".encode()
    record = b"\x1c\x02\x78" + struct.pack(">H", len(text)) + text
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + b"\0"
    segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    return data[:2] + segment + data[2:] + f"{MARK}-TAIL".encode()


def png(image: Image.Image | None = None, **options: Any) -> bytes:
    return save(corners() if image is None else image, "PNG", **options)


def webp(image: Image.Image | None = None, **options: Any) -> bytes:
    return save(corners() if image is None else image, "WEBP", **{"quality": 95, **options})


def vips_image(image: Image.Image) -> pyvips.Image:
    made = pyvips.Image.new_from_memory(
        image.tobytes(), image.width, image.height, len(image.getbands()), "uchar"
    )
    return made.copy(interpretation="srgb" if made.bands > 2 else "b-w")


def png16(image: Image.Image) -> bytes:
    """16 bits a channel."""
    wide = (vips_image(image).cast("ushort") * 257).cast("ushort")
    kind = "rgb16" if wide.bands > 2 else "grey16"
    return bytes(wide.copy(interpretation=kind).pngsave_buffer(bitdepth=16))


def profile(name: str) -> bytes:
    """A colour profile: `p3` Display P3, `srgb`, `cmyk` (libvips' own), `adobe` Adobe RGB."""
    if name != "adobe":
        return bytes(pyvips.Operation.call("profile_load", name))
    xyz = {
        b"wtpt": (0.9642, 1.0, 0.8249),
        b"rXYZ": (0.60974, 0.31111, 0.01947),
        b"gXYZ": (0.20528, 0.62567, 0.06087),
        b"bXYZ": (0.14919, 0.06322, 0.74457),
    }
    tags = {
        name: b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)
        for name, values in xyz.items()
    }
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 0x0233) + b"\0\0"  # gamma 2.199
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"A\0" + bytes(78)
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI", start + len(body), b"lcms", 0x02400000) + b"mntrRGB XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


# --- made by hand ---------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(
    width: int,
    height: int,
    idat: bytes,
    *,
    before: bytes = b"",
    depth: int = 8,
    colour: int = 2,
    interlaced: int = 0,
) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + before
        + chunk(b"IDAT", idat)
        + chunk(b"IEND", b"")
    )


def inflates_to(size: int) -> bytes:
    """zlib data of about 1/230 of `size` that inflates to `size` zero bytes."""
    step = 1 << 24
    packer = zlib.compressobj(1)
    zeros = bytes(step)
    parts = [packer.compress(zeros) for _ in range(size // step)]
    return b"".join(parts) + packer.compress(bytes(size % step)) + packer.flush()


def flat_idat(width: int, height: int, rgb: tuple[int, int, int] = RED) -> bytes:
    return zlib.compress((b"\0" + bytes(rgb) * width) * height)


def riff_chunks(data: bytes) -> list[bytes]:
    """The names of a WebP's chunks."""
    names, at = [], 12
    while at < len(data):
        names.append(data[at : at + 4])
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        at += at % 2
    return names


def heic(name: str) -> bytes:
    return (SAMPLES / f"{name}.heic").read_bytes()
