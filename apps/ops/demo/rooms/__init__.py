"""Pictures of rooms for a demo site, drawn by the program: no photo needs a licence."""

import io
import random
from collections.abc import Sequence

from PIL import Image

from apps.ops.demo.rooms.canvas import Scene
from apps.ops.demo.rooms.layouts import LAYOUTS
from apps.ops.demo.rooms.themes import COLORS, THEMES, theme_for

__all__ = ["COLORS", "HOUSING_TYPES", "ROOMS", "STYLES", "find_spots", "paint_room"]

ROOMS = tuple(LAYOUTS)
STYLES = tuple(THEMES)
HOUSING_TYPES = ("villa", "apartment", "officetel", "one-room", "two-three-room", "duplex")
QUALITY = 88
REHEARSAL = 20  # a rehearsal is this many times smaller than the picture


def paint_room(
    *,
    room: str,
    style: str,
    colors: Sequence[str],
    housing_type: str,
    seed: int,
    size: tuple[int, int] = (1600, 1200),
) -> bytes:
    """Draw an interior and return it as a JPEG.

    `room` is one of ROOMS; `style`, `colors` and `housing_type` are slugs of the taxonomies; `size`
    is in px. The walls take the first colour, cloth the second, small things the third. The same
    arguments give the same bytes each time. Raises KeyError for an unknown room, style or colour,
    ValueError for no colour.
    """
    picture, _ = _paint(room, style, colors, housing_type, seed, size)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, optimize=False)
    return out.getvalue()


def find_spots(
    *,
    room: str,
    style: str,
    colors: Sequence[str],
    housing_type: str,
    seed: int,
    size: tuple[int, int] = (1600, 1200),
) -> dict[str, tuple[float, float]]:
    """Where the pieces of that picture are: name → (x, y) as fractions of its width and height.

    It draws the same picture very small and forgets it, which takes some 20 ms.
    """
    small = (max(8, size[0] // REHEARSAL), max(8, size[1] // REHEARSAL))
    _, spots = _paint(room, style, colors, housing_type, seed, small)
    return spots


def _paint(
    room: str,
    style: str,
    colors: Sequence[str],
    housing_type: str,
    seed: int,
    size: tuple[int, int],
) -> tuple[Image.Image, dict[str, tuple[float, float]]]:
    if not colors:
        raise ValueError("a room needs a colour")
    mood = random.Random(f"{room}/{style}/{housing_type}/{seed}")
    tall = 2.66 if style in {"classic", "romantic", "antique"} else 2.5
    tall = {"one-room": 2.42, "villa": tall - 0.04}.get(housing_type, tall)
    double = housing_type == "duplex" and room in {"living", "bedroom", "study"}
    scene = Scene(
        size,
        ceiling=3.55 if double else tall,
        eye=1.6 if double else 1.36,
        seed=mood.getrandbits(32),
    )
    sky = mood.choices(("day", "morning", "sunset", "night"), (5, 4, 2, 1))[0]
    scene.light_from = -1.0 if mood.random() < 0.5 else 1.0
    theme = theme_for(style, colors, paint_shift=mood.uniform(-1, 1))
    LAYOUTS[room](scene, theme, housing_type, sky)
    # Stairs must rise where the wall is, so only the whole picture may be turned round.
    mirrored = mood.random() < 0.5
    picture = scene.finish(dusk={"sunset": 0.4, "night": 1.0}.get(sky, 0.0), mirrored=mirrored)
    spots = scene.spots
    if mirrored:
        spots = {name: (round(1 - x, 3), y) for name, (x, y) in spots.items()}
    return picture, spots
