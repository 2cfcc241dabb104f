"""The whole way of one photo."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apps.media.imaging.colors import PaletteEntry, read_colors
from apps.media.imaging.decode import decode, vips
from apps.media.imaging.refusals import PhotoRefused
from apps.media.imaging.renditions import LONG_EDGES, Rendition, make_renditions
from apps.media.imaging.sniff import sniff

if TYPE_CHECKING:
    import pyvips

# px. A blurhash has 12 coefficients; more pixels rarely change one of its characters.
BLURHASH_EDGE = 32


@dataclass(frozen=True)
class ProcessedPhoto:
    """What a photo became. `width` and `height`: of the original, upright, in px.

    `palette`: at most 6 of `{"hex": "#rrggbb", "share": 0..1}`, largest share first.
    `suggested_colors`: at most 4 slugs of the colour taxonomy, best first, never none.
    `renditions`: large, medium, small.
    """

    width: int
    height: int
    blurhash: str
    palette: list[PaletteEntry]
    suggested_colors: list[str]
    renditions: list[Rendition]


def process_photo(source: Path, *, declared_type: str) -> ProcessedPhoto:
    """Check, decode and shrink the photo at `source`, which the client said is `declared_type`.

    Deterministic. Nothing of the original's metadata is kept. Raises `PhotoRefused` for any bad
    input, and `OSError` only when the file cannot be read.
    """
    sniffed = sniff(source, declared_type=declared_type)
    large, width, height = decode(source, sniffed, long_edge=LONG_EDGES[0][1])
    try:
        renditions, small = make_renditions(large)
        palette, suggested = read_colors(small)
        blurhash = _blurhash(small)
    except vips().Error as error:  # pragma: no cover - pixels are in memory and of a known shape
        raise PhotoRefused("damaged", str(error)[:200]) from error
    return ProcessedPhoto(width, height, blurhash, palette, suggested, renditions)


def _blurhash(small: "pyvips.Image") -> str:
    """4 x 3 components, or 3 x 4 for a portrait (https://blurha.sh).

    Shrunk in linear light, as the encoder's authors ask.
    """
    import blurhash

    linear = small.colourspace("scrgb")
    edge = max(linear.width, linear.height)
    if edge > BLURHASH_EDGE:
        linear = linear.resize(BLURHASH_EDGE / edge)
    values = memoryview(linear.cast("float").write_to_memory()).cast("f").tolist()
    width = linear.width
    pixels = [values[at : at + 3] for at in range(0, len(values), 3)]
    rows = [pixels[at : at + width] for at in range(0, len(pixels), width)]
    across, down = (4, 3) if small.width >= small.height else (3, 4)
    return str(blurhash.encode(rows, components_x=across, components_y=down, linear=True))
