"""What things stand on or in: chests, shelves, wardrobes, a mantelpiece, a clock, a screen."""

import math

from apps.ops.demo.rooms.canvas import Scene, dark, mix, pale
from apps.ops.demo.rooms.decor import books, vase
from apps.ops.demo.rooms.lamps import table_lamp
from apps.ops.demo.rooms.seats import legs
from apps.ops.demo.rooms.themes import Theme


def chest(
    sc: Scene,
    th: Theme,
    x0: float,
    x1: float,
    tall: float,
    *,
    deep: float = 0.42,
    z1: float | None = None,
) -> float:
    """A sideboard or chest of drawers at the back wall; returns the depth of its front."""
    back = sc.depth if z1 is None else z1
    z, c = back - deep, th.wood
    foot = 0.0 if th.style in {"modern", "minimal"} else 0.1 if th.style == "korean" else 0.14
    if th.style == "industrial":
        c = mix(c, (70, 70, 74), 0.35)
    sc.shadow(x0, x1, z, back, 0.46)
    sc.stain((*sc.at(x0 - 0.03, tall, sc.depth), *sc.at(x1 + 0.09, 0.1, sc.depth)), 0.2)
    sc.spot("chest", (x0 + x1) / 2, tall * 0.6, z)
    if foot:
        legs(sc, x0 + 0.04, x1 - 0.04, z + 0.03, back - 0.04, foot, dark(c, 0.2), 0.045)
    sc.box(x0, x1, foot, tall, z, back, c, r=0.012)
    w = x1 - x0
    cols, rows = (max(2, round(w / 0.5)), 1 if tall < 0.6 else 2 if tall < 0.9 else 3)
    for i in range(cols):
        for j in range(rows):
            a, b = x0 + 0.03 + (w - 0.06) * i / cols, x0 + 0.03 + (w - 0.06) * (i + 1) / cols
            lo = foot + 0.03 + (tall - foot - 0.06) * j / rows
            hi = foot + 0.03 + (tall - foot - 0.06) * (j + 1) / rows
            sc.rect(a + 0.008, b - 0.008, lo + 0.008, hi - 0.008, z - 0.005, dark(c, 0.28), 0.01)
            sc.rect(a + 0.012, b - 0.012, lo + 0.014, hi - 0.01, z - 0.006, pale(c, 0.08), 0.01)
            mid, my = (a + b) / 2, (lo + hi) / 2
            if th.style == "korean":
                # Brass plates, as on a bandaji.
                for dx in (a + 0.05, b - 0.05):
                    for dy in (lo + 0.05, hi - 0.05):
                        sc.disc(dx, dy, z - 0.01, 0.014, th.metal)
                sc.disc(mid, my, z - 0.01, 0.06, th.metal)
                sc.disc(mid, my, z - 0.012, 0.024, dark(th.metal, 0.35))
            elif th.style in {"modern", "minimal"}:
                sc.rect(a + 0.012, b - 0.012, hi - 0.03, hi - 0.016, z - 0.008, dark(c, 0.45))
            elif th.style in {"classic", "antique", "romantic", "provence"}:
                sc.rect(a + 0.05, b - 0.05, lo + 0.05, hi - 0.05, z - 0.007, dark(c, 0.12), 0.01)
                sc.disc(mid, my, z - 0.01, 0.02, th.metal)
            else:
                sc.disc(
                    mid, my, z - 0.01, 0.018, th.metal if th.style == "industrial" else dark(c, 0.4)
                )
    return z


def dress_top(sc: Scene, th: Theme, x0: float, x1: float, y: float, z: float) -> None:
    """Something on a chest: a lamp, a vase, books, as much as the style bears."""
    w = x1 - x0
    sc.shadow(x0 + 0.05, x1 - 0.05, z - 0.08, z + 0.08, 0.14, y=y)
    vase(sc, th, x0 + w * 0.18, y, z, 1.1)
    if th.clutter > 0.3 and w > 0.7:
        table_lamp(sc, th, x1 - w * 0.2, y, z)
    if th.clutter > 0.5 and w > 1.0:
        books(sc, th, x0 + w * 0.38, x0 + w * 0.38 + 0.26, y, z, 0.2)


def shelf_unit(
    sc: Scene, th: Theme, x0: float, x1: float, tall: float, *, deep: float = 0.32
) -> None:
    """A bookcase full of books and finds."""
    z, c, g = sc.depth - deep, th.wood, sc.grain
    metal = th.style == "industrial"
    sc.shadow(x0, x1, z, sc.depth, 0.46)
    sc.spot("shelf", (x0 + x1) / 2, min(tall * 0.6, 1.3), z)
    t = 0.03
    inner = dark(mix(th.paint, c, 0.3), 0.22)
    sc.box(x0, x1, 0.0, tall, z, sc.depth, c if not metal else (52, 52, 56))
    rows = max(3, round(tall / 0.38))
    cols = 1 if x1 - x0 < 0.9 else 2
    for j in range(rows):
        lo, hi = 0.06 + (tall - 0.08) * j / rows, 0.06 + (tall - 0.08) * (j + 1) / rows - t
        for i in range(cols):
            a = x0 + t + (x1 - x0 - t) * i / cols
            b = x0 + (x1 - x0 - t) * (i + 1) / cols
            sc.rect(a, b, lo, hi, z - 0.004, inner)
            sc.rect(a, b, hi - 0.05, hi, z - 0.004, dark(inner, 0.25))
            if metal:
                sc.rect(a, b, lo - t, lo, z - 0.006, c)
            self_kind = g.randrange(5)
            if j == 0 and th.clutter > 0.5:
                sc.rect(a + 0.03, b - 0.03, lo, lo + 0.2, z - 0.01, (206, 176, 130), 0.03)
                sc.rect(a + 0.1, b - 0.1, lo + 0.12, lo + 0.15, z - 0.012, (150, 120, 84), 0.02)
            elif self_kind in {0, 1, 4} and th.style != "minimal":
                books(
                    sc,
                    th,
                    a + 0.02,
                    a + (b - a) * g.uniform(0.5, 0.95),
                    lo,
                    z - 0.01,
                    min(0.26, (hi - lo) * 0.86),
                )
            elif self_kind == 2:
                vase(sc, th, (a + b) / 2, lo, z - 0.01, min(0.7, (hi - lo) / 0.46))
            else:
                s = min(0.1, (hi - lo) * 0.36)
                sc.disc((a + b) / 2, lo + s, z - 0.01, s, th.accent)
                if th.clutter > 0.5:
                    books(sc, th, a + 0.02, a + 0.12, lo, z - 0.01, min(0.22, (hi - lo) * 0.8))
    if th.style in {"classic", "antique"}:
        sc.rect(x0 - 0.04, x1 + 0.04, tall - 0.02, tall + 0.07, z - 0.01, pale(c, 0.1), 0.02)


def wardrobe(sc: Scene, th: Theme, x0: float, x1: float, tall: float) -> None:
    """A wardrobe in a side corner; its front faces the viewer."""
    z = sc.depth - 0.58
    c = th.wood if th.style not in {"minimal", "modern"} else pale(th.paint, 0.45)
    sc.shadow(x0, x1, z, sc.depth, 0.48)
    sc.spot("wardrobe", (x0 + x1) / 2, 1.3, z)
    sc.box(x0, x1, 0.04, tall, z, sc.depth, c)
    n = 2
    for i in range(n):
        a, b = x0 + 0.02 + (x1 - x0 - 0.04) * i / n, x0 + 0.02 + (x1 - x0 - 0.04) * (i + 1) / n
        sc.rect(a + 0.006, b - 0.006, 0.1, tall - 0.06, z - 0.004, dark(c, 0.2), 0.01)
        sc.rect(a + 0.01, b - 0.01, 0.104, tall - 0.064, z - 0.005, pale(c, 0.06), 0.01)
        if th.style in {"classic", "antique", "romantic", "provence"}:
            for lo, hi in ((0.2, 0.8), (0.95, tall - 0.2)):
                sc.rect(a + 0.07, b - 0.07, lo, hi, z - 0.006, dark(c, 0.14), 0.02)
                sc.rect(a + 0.085, b - 0.085, lo + 0.015, hi - 0.015, z - 0.007, c, 0.02)
        hx = b - 0.05 if i == 0 else a + 0.03
        sc.rect(hx, hx + 0.018, 0.95, 1.15, z - 0.01, th.metal, 0.01)


def tv_wall(sc: Scene, th: Theme, x: float, w: float) -> None:
    """A low console with a screen on the wall above it."""
    z = chest(sc, th, x - w / 2, x + w / 2, 0.48, deep=0.4)
    sw = min(1.35, w * 0.78)
    y = 0.78
    sc.stain(
        (
            *sc.at(x - sw / 2, y + sw * 0.56, sc.depth),
            *sc.at(x + sw / 2 + 0.05, y - 0.06, sc.depth),
        ),
        0.3,
    )
    sc.rect(x - sw / 2, x + sw / 2, y, y + sw * 0.56, sc.depth - 0.05, (34, 35, 40), 0.02)
    sc.poly(
        [
            (x - sw * 0.2, y, sc.depth - 0.05),
            (x + sw * 0.05, y, sc.depth - 0.05),
            (x + sw * 0.4, y + sw * 0.56, sc.depth - 0.05),
            (x + sw * 0.12, y + sw * 0.56, sc.depth - 0.05),
        ],
        (255, 255, 255),
        16,
    )
    sc.spot("tv", x, y + sw * 0.28, sc.depth)
    vase(sc, th, x - w / 2 + 0.2, 0.48, z + 0.2, 1.0)
    if th.clutter > 0.5:
        books(sc, th, x + w / 2 - 0.45, x + w / 2 - 0.2, 0.48, z + 0.2, 0.18)


def fireplace(sc: Scene, th: Theme, x: float) -> None:
    """A mantelpiece with a fire."""
    z, c = sc.depth - 0.3, pale(th.neutral, 0.4) if th.style != "antique" else dark(th.wood, 0.1)
    sc.shadow(x - 0.85, x + 0.85, z - 0.25, sc.depth, 0.4)
    sc.box(x - 0.8, x + 0.8, 0.0, 0.05, z - 0.25, sc.depth, (118, 112, 110))
    sc.box(x - 0.74, x + 0.74, 0.0, 1.08, z, sc.depth, c)
    sc.rect(x - 0.5, x + 0.5, 0.05, 0.82, z - 0.004, (104, 88, 82), 0.02)
    sc.rect(x - 0.4, x + 0.4, 0.05, 0.74, z - 0.006, (42, 34, 34), 0.2)
    sc.rect(x - 0.4, x + 0.4, 0.05, 0.4, z - 0.006, (42, 34, 34))
    for u in (-0.62, 0.62):
        sc.rect(x + u - 0.07, x + u + 0.07, 0.12, 0.84, z - 0.01, dark(c, 0.07), 0.01)
        sc.rect(x + u - 0.045, x + u + 0.045, 0.16, 0.8, z - 0.012, pale(c, 0.2), 0.01)
    sc.rect(x - 0.5, x + 0.5, 0.88, 0.98, z - 0.01, dark(c, 0.06), 0.01)
    for u, h, col in (
        (-0.14, 0.24, (226, 120, 52)),
        (0.12, 0.28, (226, 120, 52)),
        (0.0, 0.36, (242, 166, 74)),
        (-0.02, 0.2, (252, 222, 140)),
    ):
        flame = [
            (x + u + 0.1 * math.sin(math.pi * t / 10) * s, 0.12 + h * t / 10, z - 0.01)
            for s in (1, -1)
            for t in (range(11) if s > 0 else range(10, -1, -1))
        ]
        sc.poly(flame, col)
    for u in (-0.2, 0.0):
        sc.rect(x + u, x + u + 0.24, 0.07, 0.14, z - 0.012, (96, 62, 44), 0.03)
    sc.glow(x, 0.3, z, 1.0, (255, 160, 80), 0.6)
    sc.spot("fireplace", x, 0.6, z)
    sc.box(x - 0.84, x + 0.84, 1.08, 1.15, z - 0.06, sc.depth, pale(c, 0.1), r=0.01)
    for u in (-0.6, 0.6):
        sc.rect(x + u - 0.02, x + u + 0.02, 1.15, 1.36, z + 0.1, (246, 238, 220))
        sc.disc(x + u, 1.16, z + 0.1, 0.05, th.metal, 0.02)
        sc.disc(x + u, 1.4, z + 0.1, 0.018, (255, 220, 140), 0.035)
        sc.glow(x + u, 1.4, z, 0.3, (255, 205, 132), 0.4)
    vase(sc, th, x + 0.3, 1.15, z + 0.12, 0.8)


def tall_clock(sc: Scene, th: Theme, x: float) -> None:
    """A long-case clock."""
    z, c = sc.depth - 0.3, th.wood
    sc.shadow(x - 0.24, x + 0.24, z, sc.depth, 0.4)
    sc.box(x - 0.23, x + 0.23, 0.0, 0.5, z, sc.depth, c)
    sc.box(x - 0.17, x + 0.17, 0.5, 1.5, z + 0.03, sc.depth, dark(c, 0.06))
    sc.box(x - 0.23, x + 0.23, 1.5, 2.02, z, sc.depth, c)
    sc.rect(x - 0.1, x + 0.1, 0.6, 1.42, z + 0.02, (226, 200, 150), 0.02)
    sc.line([(x, 1.42, z), (x, 0.84, z)], dark(th.metal, 0.2), 0.014)
    sc.disc(x, 0.8, z, 0.065, th.metal)
    sc.disc(x, 1.76, z - 0.01, 0.18, th.metal)
    sc.disc(x, 1.76, z - 0.012, 0.155, (248, 240, 222))
    for a, r in ((2.2, 0.11), (0.6, 0.08)):
        sc.line(
            [(x, 1.76, z - 0.02), (x + r * math.cos(a), 1.76 + r * math.sin(a), z - 0.02)],
            (50, 40, 40),
            0.014,
        )
    sc.poly(
        [
            (x - 0.27, 2.02, z),
            (x + 0.27, 2.02, z),
            (x + 0.1, 2.16, z),
            (x, 2.12, z),
            (x - 0.1, 2.16, z),
        ],
        pale(c, 0.1),
    )
    sc.spot("clock", x, 1.5, z)


def screen(sc: Scene, th: Theme, x0: float, x1: float) -> None:
    """A folding screen with a painted landscape across its leaves."""
    n, z = 6, sc.depth - 0.1
    w = (x1 - x0) / n
    sc.shadow(x0, x1, z - 0.3, sc.depth, 0.35)
    sc.spot("screen", (x0 + x1) / 2, 1.0, z)
    for i in range(n):
        a, b = x0 + w * i, x0 + w * (i + 1)
        za, zb = (z, z - 0.16) if i % 2 else (z - 0.16, z)
        paper = (240, 230, 206) if i % 2 else (228, 216, 190)
        sc.poly([(a, 0.02, za), (b, 0.02, zb), (b, 1.62, zb), (a, 1.62, za)], dark(th.accent, 0.2))
        sc.poly(
            [(a + 0.03, 0.3, za), (b - 0.03, 0.3, zb), (b - 0.03, 1.56, zb), (a + 0.03, 1.56, za)],
            paper,
        )
        for j, c in enumerate(((164, 172, 164), (112, 128, 120), (76, 92, 88))):
            top = 1.1 - j * 0.2
            crest = []
            for t in range(7):
                u = a + 0.03 + (w - 0.06) * t / 6
                zz = za + (zb - za) * t / 6
                crest.append((u, top + 0.13 * math.sin(u * 4.2 + j * 1.7), zz))
            sc.poly([(a + 0.03, 0.3, za), *crest, (b - 0.03, 0.3, zb)], c)
        if i == n - 2:
            sc.disc((a + b) / 2, 1.38, (za + zb) / 2, 0.06, (206, 96, 78))
