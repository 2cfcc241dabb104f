"""The colours of a photo: a palette, and which colours of the taxonomy to suggest.

Pixels are gathered into cells of CIELAB, the cells into at most six clusters (the palette), and
each cell is given a name in OKLCh, whose hue stays put where CIELAB's does not: pure blue and
violet have the same hue in CIELAB, and 40 degrees between them in OKLCh.
"""

from collections import defaultdict
from dataclasses import dataclass
from math import atan2, cbrt, degrees, hypot
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import pyvips

# Both sides at most this, in px: enough for a cushion in a room, few enough for plain Python.
SAMPLE_EDGE = 64
# Side of a cell in CIELAB units. A difference of 2.3 is just noticeable; cells are not seen.
CELL = 6
CLUSTERS = 6
ROUNDS = 6
# Clusters nearer than this (CIE76) look like one colour in two lights: they are joined.
JOIN_BELOW = 9.0
# A cluster under this share is noise, unless it is all there is.
MIN_SHARE = 0.015


class PaletteEntry(TypedDict):
    """`hex`: "#rrggbb", sRGB. `share`: of the picture's area, 0 to 1."""

    hex: str
    share: float


@dataclass(slots=True)
class Cluster:
    """`weight` pixels whose mean is `lab` in CIELAB (D65) and `rgb` in sRGB (0 to 255)."""

    weight: float
    lab: tuple[float, float, float]
    rgb: tuple[float, float, float]


def read_colors(small: "pyvips.Image") -> tuple[list[PaletteEntry], list[str]]:
    """Palette and suggested colours of a small sRGB picture (3 bands, 8 bits)."""
    edge = max(small.width, small.height)
    if edge > SAMPLE_EDGE:
        small = small.resize(SAMPLE_EDGE / edge)
    cells = _cells(small)
    total = sum(cell.weight for cell in cells)
    clusters = _cluster(cells)
    kept = [cluster for cluster in clusters if cluster.weight / total >= MIN_SHARE] or clusters[:1]
    palette: list[PaletteEntry] = [
        {"hex": _hex(cluster.rgb), "share": round(cluster.weight / total, 4)} for cluster in kept
    ]
    return palette, _suggest(cells, total)


def _cells(image: "pyvips.Image") -> list[Cluster]:
    rgb = bytes(image.write_to_memory())
    labs = memoryview(image.colourspace("lab").cast("float").write_to_memory()).cast("f").tolist()
    sums: dict[tuple[int, int, int], list[float]] = defaultdict(lambda: [0.0] * 7)
    for at in range(0, len(labs), 3):
        light, a, b = labs[at : at + 3]
        cell = sums[int(light // CELL), int(a // CELL), int(b // CELL)]
        cell[0] += 1
        cell[1] += light
        cell[2] += a
        cell[3] += b
        cell[4] += rgb[at]
        cell[5] += rgb[at + 1]
        cell[6] += rgb[at + 2]
    cells = [
        Cluster(n, (light / n, a / n, b / n), (red / n, green / n, blue / n))
        for n, light, a, b, red, green, blue in sums.values()
    ]
    # A fixed order, so that the result does not hang on the order of the pixels.
    return sorted(cells, key=lambda cell: (-cell.weight, cell.lab))


def _cluster(cells: list[Cluster]) -> list[Cluster]:
    """k-means on the cells, started from the heaviest and then the heavy-and-far ones.

    The start is chosen, not drawn, so the same photo always has the same palette. Returns the
    clusters, heaviest first.
    """
    centres = [cells[0].lab]
    nearest = [_distance(cell.lab, centres[0]) for cell in cells]
    while len(centres) < min(CLUSTERS, len(cells)):
        # The distance is capped: one far and tiny speck must not take a place of its own.
        best = max(range(len(cells)), key=lambda i: cells[i].weight * min(nearest[i], 1600.0))
        if nearest[best] == 0:
            break
        centres.append(cells[best].lab)
        nearest = [
            min(old, _distance(cell.lab, centres[-1]))
            for cell, old in zip(cells, nearest, strict=True)
        ]
    clusters: list[Cluster] = []
    for _ in range(ROUNDS):
        groups: list[list[Cluster]] = [[] for _ in centres]
        for cell in cells:
            distances = [_distance(cell.lab, centre) for centre in centres]
            groups[distances.index(min(distances))].append(cell)
        clusters = [_mean(group) for group in groups if group]
        moved = [cluster.lab for cluster in clusters]
        if moved == centres:
            break
        centres = moved
    return sorted(_join(clusters), key=lambda cluster: (-cluster.weight, cluster.lab))


def _join(clusters: list[Cluster]) -> list[Cluster]:
    while True:
        pairs = [
            (_distance(one.lab, other.lab), i, j)
            for i, one in enumerate(clusters)
            for j, other in enumerate(clusters[:i])
        ]
        if not pairs or min(pairs)[0] >= JOIN_BELOW**2:
            return clusters
        _, i, j = min(pairs)
        joined = _mean([clusters[i], clusters[j]])
        clusters = [c for at, c in enumerate(clusters) if at not in (i, j)] + [joined]


def _mean(group: list[Cluster]) -> Cluster:
    weight = sum(one.weight for one in group)
    lab = [sum(one.weight * one.lab[i] for one in group) / weight for i in range(3)]
    rgb = [sum(one.weight * one.rgb[i] for one in group) / weight for i in range(3)]
    return Cluster(weight, (lab[0], lab[1], lab[2]), (rgb[0], rgb[1], rgb[2]))


def _distance(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """CIE76, squared."""
    light, a, b = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    return light * light + a * a + b * b


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in rgb)


# --- names ---------------------------------------------------------------------------------

# The share of the picture from which a colour is worth a suggestion, and how much more a member
# means it than its area says: one green sofa makes a "green" room, while walls are always whitish.
_ACCENT = (0.05, 2.0)
_WARM = (0.10, 1.2)
_PLAIN = (0.15, 0.7)
_RULES: dict[str, tuple[float, float]] = {
    "red": _ACCENT,
    "orange": _ACCENT,
    "yellow": _ACCENT,
    "green": _ACCENT,
    "blue": _ACCENT,
    "navy": _ACCENT,
    "purple": _ACCENT,
    "beige": _WARM,
    "brown": _WARM,
    "black": _PLAIN,
    "white": _PLAIN,
    "gray": _PLAIN,
}
MOST_SUGGESTED = 4


def _suggest(cells: list[Cluster], total: float) -> list[str]:
    shares: dict[str, float] = dict.fromkeys(_RULES, 0.0)
    for cell in cells:
        shares[color_name(cell.rgb)] += cell.weight / total
    enough = [name for name, (least, _) in _RULES.items() if shares[name] >= least]
    ranked = sorted(enough, key=lambda name: -shares[name] * _RULES[name][1])
    # A picture of many small colours reaches no threshold: then its largest one.
    return ranked[:MOST_SUGGESTED] or [max(shares, key=lambda name: shares[name])]


def color_name(rgb: tuple[float, float, float]) -> str:
    """The slug of the taxonomy for an sRGB colour (0 to 255 each).

    The borders were drawn by eye on paint cards and photos of Korean flats: dark blue is navy
    (남색), a warm light colour is beige (베이지) long before it is yellow, wood is brown.
    """
    light, chroma, hue = oklch(rgb)
    if light < 0.22 or (light < 0.31 and chroma < 0.022):
        return "navy" if chroma >= 0.06 and 240 <= hue < 290 else "black"
    warm = 35 <= hue < 115
    if warm and light >= 0.70 and 0.016 <= chroma < _beige_end(light, hue):
        return "white" if light > 0.965 and chroma < 0.025 else "beige"
    if chroma < (0.025 if warm else 0.033):
        return _plain(light) if not warm or chroma < 0.016 or light > 0.6 else "brown"
    return _hue_name(light, chroma, hue)


def _plain(light: float) -> str:
    if light < 0.31:
        return "black"
    return "white" if light > 0.89 else "gray"


def _beige_end(light: float, hue: float) -> float:
    """The chroma at which a light warm colour is no longer beige but yellow, orange or brown."""
    if hue < 55:
        return 0.06
    return 0.075 if light > 0.80 else 0.085


def _hue_name(light: float, chroma: float, hue: float) -> str:
    if hue < 35 or hue >= 350:
        if chroma < 0.06:  # dusty pink and mauve: a member says 베이지 or 회색 before 빨강
            return "brown" if light < 0.5 else "beige" if light > 0.75 else "gray"
        return "orange" if light > 0.70 and 25 <= hue < 35 and chroma > 0.1 else "red"
    if hue < 115:
        muted = chroma < 0.125 and light < (0.745 if hue < 85 else 0.62)
        if (muted and hue < 105) or (light < 0.45 and chroma < 0.15 and hue < 105):
            return "brown"
        if hue < 38:
            return "red"
        if hue < 80:
            return "orange"
        return "yellow" if hue < 105 or light > 0.70 else "green"
    if hue < 192:
        return "green"
    if hue < 290:
        return "navy" if light < 0.42 else "blue"
    return "purple"


def oklch(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    """Lightness 0..1, chroma and hue in degrees of an sRGB colour (0 to 255 each).

    Björn Ottosson, "A perceptual color space for image processing" (2020), with the sRGB
    transfer function of IEC 61966-2-1.
    """
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)
    )
    long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    light = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return light, hypot(a, b), degrees(atan2(b, a)) % 360
