"""Plants in their pots."""

import math

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, pale, pick
from apps.ops.demo.rooms.openings import lavender_stem
from apps.ops.demo.rooms.themes import Theme

GREENS: tuple[RGB, ...] = ((88, 128, 88), (112, 150, 98), (72, 108, 84), (134, 164, 112))


def plant(sc: Scene, th: Theme, x: float, z: float, tall: float = 1.3, y: float = 0.0) -> None:
    """The style's plant in its pot, `tall` metres over height `y`."""
    g, kind = sc.grain, th.plant
    pot = {
        "monstera": (240, 236, 228),
        "cactus": (120, 118, 116),
        "lavender": (196, 132, 96),
        "pine": (92, 104, 100),
        "fern": (150, 92, 62),
        "roses": (246, 238, 232),
        "branch": (216, 206, 192),
    }.get(kind, pale(th.accent, 0.2))
    r, foot = 0.11 + tall * 0.06, tall * 0.26
    if y == 0:
        x = sc.within(x, z, r * 1.4)
        sc.shadow(x - r * 1.3, x + r * 1.3, z - r, z + r, 0.42)
    sc.spot("plant", x, y + tall * 0.6, z)
    sc.tube(x, z, y, y + foot, r * 0.78, r, pot)
    sc.plate(x, y + foot - 0.005, z, r * 0.86, r * 0.24, (84, 66, 54))
    base, rise = y + foot - 0.01, tall - foot
    if kind == "lavender":
        for i in range(30):
            lean = (i - 14.5) / 15 * rise * 0.45
            lavender_stem(sc, x + lean * 0.3, base, z, rise * g.uniform(0.55, 0.9), lean)
    elif kind == "cactus":
        c = (94, 134, 100)
        for dx, h, w in ((0.0, 1.0, 0.09), (-0.14, 0.6, 0.06), (0.14, 0.74, 0.065)):
            k = tall / 1.3
            if dx:
                sc.rect(
                    min(x, x + dx * k),
                    max(x, x + dx * k),
                    base + rise * 0.28,
                    base + rise * 0.28 + 0.09 * k,
                    z,
                    dark(c, 0.06),
                    0.04,
                )
            lo = base if dx == 0 else base + rise * 0.28
            sc.rect(x + (dx - w) * k, x + (dx + w) * k, lo, base + rise * h * 0.9, z, c, 0.09 * k)
            for u in (-0.4, 0.3):
                sc.line(
                    [
                        (x + (dx + w * u) * k, lo + 0.05, z),
                        (x + (dx + w * u) * k, base + rise * h * 0.86, z),
                    ],
                    pale(c, 0.22),
                    0.008,
                )
    elif kind in {"branch", "pine"}:
        bark = (112, 84, 64)
        tips = []
        for dx, h in ((-0.3, 0.7), (0.12, 1.0), (0.34, 0.62), (-0.08, 0.86)):
            tip = (x + dx * rise * 0.75, base + rise * h, z)
            sc.line(
                [(x, base, z), (x + dx * 0.2 * rise, base + rise * h * 0.5, z), tip],
                bark,
                0.018 if kind == "branch" else 0.032,
            )
            tips.append(tip)
        for tx, ty, _ in tips:
            if kind == "pine":
                for dx, dy, rr in ((-0.11, -0.03, 0.13), (0.1, -0.02, 0.12), (0.0, 0.03, 0.15)):
                    sc.disc(
                        tx + dx * tall,
                        ty + dy * tall,
                        z,
                        rr * tall,
                        pick(g, *GREENS[:3]),
                        rr * tall * 0.42,
                    )
            else:
                for i in range(7):
                    leaf(
                        sc,
                        tx - (tx - x) * i * 0.09,
                        ty - (ty - base) * i * 0.08,
                        z,
                        0.13 * tall,
                        g.uniform(-0.4, 3.5),
                        0.4,
                        pick(g, *GREENS),
                    )
    elif kind == "roses":
        for _ in range(26):
            a, rr = g.uniform(0.1, 3.04), g.uniform(0.2, 0.85) * rise * 0.62
            leaf(sc, x, base, z, rr, a, 0.24, pick(g, *GREENS))
        for _ in range(13):
            a, rr = g.uniform(0.3, 2.84), g.uniform(0.35, 0.8) * rise * 0.7
            fx, fy, s = x + rr * math.cos(a), base + rr * math.sin(a), 0.055 * max(tall, 0.5)
            c = pick(g, th.accent, pale(th.accent, 0.4), (250, 232, 226))
            sc.disc(fx, fy, z, s, c)
            sc.disc(fx - s * 0.1, fy + s * 0.1, z, s * 0.62, dark(c, 0.1))
            sc.disc(fx, fy, z, s * 0.32, pale(c, 0.3))
    elif kind in {"monstera", "rubber"}:
        n = 12 if kind == "monstera" else 16
        stem = (96, 104, 76)
        leaves = []
        for i in range(n):
            a = 0.25 + 2.65 * ((i * 0.618 + 0.1) % 1.0)
            h = rise * (0.30 + 0.62 * i / n)
            reach = rise * (0.36 if kind == "monstera" else 0.2) * (1.1 - 0.4 * i / n)
            leaves.append((x + reach * math.cos(a), base + h + reach * 0.4 * math.sin(a), a))
        sc.line([(x, base, z), (x, base + rise * 0.85, z)], stem, 0.022)
        for i, (lx, ly, a) in enumerate(leaves):
            sc.line([(x, base + (ly - base) * 0.6, z), (lx, ly, z)], stem, 0.012)
            size = (
                (0.3 if kind == "monstera" else 0.26) * tall * (1.0 if kind == "rubber" else 0.95)
            )
            leaf(
                sc,
                lx,
                ly,
                z,
                size,
                a * 0.8 + 0.3,
                0.62 if kind == "monstera" else 0.4,
                GREENS[i % 4],
                vein=True,
            )
    else:
        for i in range(26):
            a = 0.15 + 2.84 * i / 25
            long = rise * g.uniform(0.55, 0.95)
            mid = (x + long * 0.5 * math.cos(a), base + long * (0.35 + 0.45 * math.sin(a)), z)
            tip = (x + long * 0.95 * math.cos(a), base + long * (0.05 + 0.8 * math.sin(a)), z)
            c = GREENS[i % 4]
            sc.poly(
                [
                    (x - 0.012, base, z),
                    (mid[0], mid[1] + 0.04 * tall, z),
                    tip,
                    (mid[0], mid[1] - 0.035 * tall, z),
                ],
                c,
            )


def leaf(
    sc: Scene,
    x: float,
    y: float,
    z: float,
    long: float,
    angle: float,
    wide: float,
    c: RGB,
    *,
    vein: bool = False,
) -> None:
    ux, uy = math.cos(angle), math.sin(angle)
    pts, half = [], []
    for i in range(13):
        t = i / 12
        s = math.sin(math.pi * t**0.8) * wide * 0.5
        pts.append((x + long * (ux * t - uy * s), y + long * (uy * t + ux * s), z))
        half.append((x + long * (ux * t + uy * s), y + long * (uy * t - ux * s), z))
    sc.poly(pts + half[::-1], c)
    spine = [(x + long * ux * i / 12, y + long * uy * i / 12, z) for i in range(13)]
    sc.poly(half + spine[::-1], dark(c, 0.14))
    if vein:
        sc.line([spine[0], spine[-2]], pale(c, 0.25), 0.006)


def small_plant(sc: Scene, th: Theme, x: float, y: float, z: float) -> None:
    """A pot plant for a sill, shelf or counter."""
    plant(sc, th, x, z, 0.32, y)
