"""What each style is made of, and what each colour of the taxonomy looks like as paint."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.ops.demo.rooms.canvas import RGB, dark, luma, mix, pale

COLORS: dict[str, RGB] = {
    "red": (190, 74, 66),
    "orange": (221, 138, 76),
    "yellow": (236, 202, 98),
    "green": (122, 156, 116),
    "blue": (116, 160, 202),
    "navy": (50, 66, 106),
    "purple": (150, 126, 184),
    "black": (52, 50, 54),
    "white": (246, 243, 238),
    "gray": (160, 161, 163),
    "beige": (228, 208, 176),
    "brown": (134, 98, 72),
}


@dataclass(frozen=True)
class Theme:
    """The parts of a style, by the names that `shell` and the pieces know."""

    style: str
    floor: str
    floor_color: RGB
    wall: str
    window: str
    curtain: str
    sofa: str
    lamp: str
    rug: str
    art: str
    plant: str
    table: str
    wood: RGB
    metal: RGB
    textile: RGB
    accent: RGB
    clutter: float
    trim: RGB = (246, 242, 235)
    # Filled in for one picture:
    paint: RGB = (255, 255, 255)
    ceiling: RGB = (250, 247, 241)
    neutral: RGB = (236, 229, 218)


OAK, WALNUT, BIRCH, MAHOGANY = (193, 152, 109), (112, 76, 55), (221, 190, 150), (92, 50, 38)
BRASS, IRON, STEEL = (196, 158, 92), (46, 46, 50), (150, 154, 160)

THEMES: dict[str, Theme] = {
    t.style: t
    for t in (
        Theme("modern", "wide", (186, 158, 128), "plain", "slim", "drape", "block", "arc",
              "bordered", "abstract", "rubber", "round", WALNUT, IRON, (196, 192, 188),
              (212, 120, 72), 0.6),
        Theme("minimal", "wide", (224, 208, 186), "plain", "slim", "sheer", "low", "globe",
              "none", "line", "branch", "slab", (214, 188, 156), (206, 200, 190),
              (232, 227, 218), (186, 170, 150), 0.15),
        Theme("korean", "maru", (190, 136, 84), "hanji", "lattice", "none", "floor", "paper",
              "none", "ink", "pine", "soban", (128, 80, 48), (176, 136, 74),
              (214, 206, 186), (96, 134, 120), 0.5),
        Theme("scandinavian", "planks", (222, 196, 160), "plain", "grid", "sheer", "legs", "dome",
              "zigzag", "botanical", "monstera", "tripod", BIRCH, (238, 234, 226),
              (206, 208, 206), (226, 178, 84), 0.8),
        Theme("industrial", "concrete", (150, 147, 143), "brick", "steel", "none", "leather",
              "cone", "flat", "poster", "cactus", "crate", (124, 84, 54), IRON, (150, 86, 50),
              (200, 150, 60), 0.7),
        Theme("provence", "terracotta", (206, 146, 110), "boards", "shutter", "linen", "skirt",
              "basket", "stripe", "flowers", "lavender", "turned", (226, 214, 196),
              (140, 128, 118), (236, 226, 210), (154, 130, 190), 0.8),
        Theme("romantic", "herringbone", (224, 194, 164), "stripes", "arched", "swag", "curvy",
              "crystal", "round", "flowers", "roses", "curl", (240, 228, 218),
              (214, 178, 122), (234, 190, 190), (206, 112, 128), 0.8),
        Theme("classic", "herringbone", (158, 108, 70), "panels", "tall", "drape", "roll",
              "candle", "border", "gilt", "rubber", "turned", (104, 64, 42), BRASS,
              (64, 84, 106), (190, 154, 84), 0.6),
        Theme("antique", "dark", (112, 72, 50), "damask", "tall", "velvet", "tufted", "tiffany",
              "persian", "oval", "fern", "turned", MAHOGANY, (164, 120, 62), (118, 52, 48),
              (70, 98, 82), 0.95),
    )
}  # fmt: skip


def theme_for(style: str, colors: Sequence[str], *, paint_shift: float) -> Theme:
    """The style in the named colours: walls the first, cloth the second, small things the third.

    With one colour alone cloth keeps the style's own, unless that would vanish against the wall.
    `paint_shift` (-1 to 1) makes the same colour a little lighter or deeper from home to home.
    """
    base = THEMES[style]
    paint = COLORS[colors[0]]
    amount = abs(paint_shift) * 0.09
    paint = pale(paint, amount) if paint_shift > 0 else dark(paint, amount * 0.4)
    textile = COLORS[colors[1]] if len(colors) > 1 else base.textile
    accent = COLORS[colors[2]] if len(colors) > 2 else base.accent
    if _near(textile, paint):
        textile = pale(textile, 0.4) if luma(paint) < 150 else dark(textile, 0.24)
    if _near(accent, textile):
        accent = mix(accent, (214, 130, 84), 0.6)
    deep = luma(paint) < 120
    ceiling = pale(paint, 0.86 if deep else 0.8)
    trim = base.trim
    if style in {"antique", "korean"}:
        trim = base.wood
    elif style == "industrial":
        ceiling, trim = mix(paint, (128, 126, 124), 0.6), (86, 84, 84)
    elif style == "modern" and colors[0] in {"black", "navy"}:
        trim = dark(paint, 0.2)
    return replace(
        base, paint=paint, textile=textile, accent=accent, ceiling=ceiling, trim=trim,
        neutral=(238, 232, 222) if deep else mix((236, 229, 218), paint, 0.08),
    )  # fmt: skip


def _near(a: RGB, b: RGB) -> bool:
    return sum(abs(p - q) for p, q in zip(a, b, strict=True)) < 84
