"""The largest size that a HEIC's pictures claim, from its boxes, by hand.

Source: ISO/IEC 14496-12 and 23008-12.

Only the `meta` box is read: which item is the main one, what it is, and the sizes of all items.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from apps.media.imaging.refusals import MAX_PIXELS, PhotoRefused

# Of a 12 MP iPhone photo the box has about 4 KB; 48 tiles, a depth map and a gain map included.
MAX_META_BYTES = 1_000_000
MAX_TOP_BOXES = 1_000

# A grid may name a thousand tiles, and each may be as large as the picture: 6 kB that decode for
# minutes. Real tiles add up to the picture, and its gain map names the picture once more.
MAX_DERIVED_PIXELS = 3 * MAX_PIXELS
# A single picture, a grid of tiles (every iPhone photo), and the "as it is" derivation of one.
PICTURE_ITEMS = frozenset((b"hvc1", b"grid", b"iden"))


def read_heif_header(file: BinaryIO, size: int) -> tuple[int, int]:
    """Width and height in px of the largest item of the file, before rotation.

    The largest, not the main one: a decoder may have to make it whole to give the main one, and
    in real photos the two are the same. Raises `PhotoRefused`, or `EOFError` when the file ends
    inside a box.
    """
    meta = None
    at = 0
    for _ in range(MAX_TOP_BOXES):
        if at == size:
            break
        file.seek(at)
        head = file.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, 8)
        elif length == 0:  # to the end of the file
            length = size - at
        if length < 8:
            raise PhotoRefused("damaged", "HEIC box")
        if at + length > size:
            raise EOFError
        if kind == b"meta" and meta is None:
            if length > MAX_META_BYTES:
                raise PhotoRefused("damaged", "HEIC meta box is too large")
            file.seek(at)
            meta = file.read(length)
        at += length
    else:
        raise PhotoRefused("damaged", "too many HEIC boxes")
    if meta is None:
        raise PhotoRefused("damaged", "HEIC without a meta box")
    try:
        return _read_meta(meta)
    except (struct.error, IndexError, ValueError) as error:
        raise PhotoRefused("damaged", "HEIC meta box") from error


def _read_meta(meta: bytes) -> tuple[int, int]:
    sizes: dict[int, tuple[int, int]] = {}
    kinds: dict[int, bytes] = {}
    inputs: list[int] = []
    main = None
    for kind, start, end in _boxes(meta, 12, len(meta)):
        if kind == b"pitm":
            (main,) = struct.unpack_from(">I" if meta[start] else ">H", meta, start + 4)
        elif kind == b"iinf":
            for entry, at, inner_end in _boxes(meta, start + (8 if meta[start] else 6), end):
                if entry == b"infe":
                    number, item_kind = _item(meta[at:inner_end])
                    kinds[number] = item_kind
        elif kind == b"iref":
            inputs += _derivation_inputs(meta, start, end)
        elif kind == b"iprp":
            sizes.update(_item_sizes(meta, start, end))
    if main is None or main not in sizes:
        raise PhotoRefused("damaged", "HEIC without a main picture")
    if kinds.get(main) not in PICTURE_ITEMS:
        raise PhotoRefused("unsupported_type", f"HEIF item {kinds.get(main)!r}")
    areas = {number: _area(size) for number, size in sizes.items()}
    if sum(areas.get(number, 0) for number in inputs) > MAX_DERIVED_PIXELS:
        raise PhotoRefused("too_many_pixels", "HEIC tiles")
    return max(sizes.values(), key=_area)


def _derivation_inputs(meta: bytes, start: int, end: int) -> list[int]:
    """The items that others are made from (`dimg`), each as often as it is named."""
    wide = "I" if meta[start] else "H"
    width = struct.calcsize(f">{wide}")
    inputs: list[int] = []
    for kind, at, _ in _boxes(meta, start + 4, end):
        if kind == b"dimg":
            (count,) = struct.unpack_from(">H", meta, at + width)
            inputs += struct.unpack_from(f">{count}{wide}", meta, at + width + 2)
    return inputs


def _item_sizes(meta: bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Width and height of each item: the `ispe` property that `ipma` gives it."""
    properties: list[tuple[int, int] | None] = [None]  # they are counted from 1
    sizes: dict[int, tuple[int, int]] = {}
    for kind, at, inner_end in _boxes(meta, start, end):
        if kind == b"ipco":
            properties += [
                struct.unpack_from(">II", meta, inner + 4) if name == b"ispe" else None
                for name, inner, _ in _boxes(meta, at, inner_end)
            ]
        elif kind == b"ipma":
            wide_item, wide_index = meta[at] >= 1, meta[at + 3] & 1
            (count,) = struct.unpack_from(">I", meta, at + 4)
            at += 8
            for _ in range(count):
                item, number = struct.unpack_from(">IB" if wide_item else ">HB", meta, at)
                at += 5 if wide_item else 3
                indexes = struct.unpack_from(f">{number}{'H' if wide_index else 'B'}", meta, at)
                at += number * (2 if wide_index else 1)
                for index in indexes:
                    size = properties[index & (0x7FFF if wide_index else 0x7F)]
                    if size:
                        sizes[item] = max(size, sizes.get(item, size), key=_area)
    return sizes


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _item(box: bytes) -> tuple[int, bytes]:
    """Number and kind of an `infe` box, from its version byte on."""
    version = box[0]
    if version < 2:
        raise PhotoRefused("damaged", "HEIC item of an old version")
    width = 2 if version == 2 else 4
    number = int.from_bytes(box[4 : 4 + width], "big")
    kind = box[6 + width : 10 + width]
    if kind == b"mime":
        # name, content type, content encoding: a compressed item can inflate to any size, and
        # no phone writes one.
        texts = box[10 + width :].split(b"\0")
        if len(texts) > 2 and texts[2]:
            raise PhotoRefused("damaged", "HEIC with compressed metadata")
    return number, kind


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two offsets: kind, start and end of what is inside."""
    while at < end:
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8 or at + length > end:
            raise ValueError
        yield kind, at + 8, at + length
        at += length
