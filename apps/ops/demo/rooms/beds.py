"""Beds, from a padded headboard to a quilted mat on a low platform."""

import math

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, mix, pale
from apps.ops.demo.rooms.seats import pillow
from apps.ops.demo.rooms.themes import Theme


def bed(sc: Scene, th: Theme, x: float, w: float, *, long: float = 2.0) -> None:
    """A bed, its head at the back wall."""
    c, z1 = th.textile, sc.depth - 0.02
    z0, x0, x1 = z1 - long, x - w / 2, x + w / 2
    sc.spot("bed", x - w * 0.15, 0.5, z0 + long * 0.35)
    if th.style == "korean":
        _floor_bed(sc, th, x0, x1, z0, z1)
        return
    low = {"minimal": 0.16, "modern": 0.22}.get(th.style, 0.3)
    top = low + 0.24
    wood = th.wood if th.style != "industrial" else (48, 48, 52)
    sc.shadow(x0 - 0.05, x1 + 0.05, z0, z1, 0.55)
    _headboard(sc, th, x0, x1, wood)
    if th.style != "minimal":
        for u in (x0 + 0.04, x1 - 0.12):
            sc.rect(u, u + 0.08, 0.0, 0.12, z0 + 0.02, dark(wood, 0.15))
    sc.box(
        x0 - 0.03,
        x1 + 0.03,
        0.1 if th.style != "minimal" else 0.03,
        low,
        z0,
        z1 - 0.06,
        wood,
        r=0.02,
    )
    sc.box(x0, x1, low - 0.02, top, z0 + 0.03, z1 - 0.08, (244, 240, 232), r=0.06)
    # Pillows at the head
    for row, s in enumerate((0.0, 0.16)):
        n = 2 if w > 1.3 else 1
        for i in range(n):
            px = x if n == 1 else x + (i - 0.5) * w * 0.47
            shade = (250, 247, 241) if row == 0 else pale(c, 0.3)
            pw = (w * 0.44 if n == 2 else w * 0.7) * (1 - 0.1 * row)
            y = top + 0.02
            sc.rect(
                px - pw / 2,
                px + pw / 2,
                y,
                y + 0.34 - 0.05 * row,
                z1 - 0.22 - s,
                dark(shade, 0.05),
                0.12,
            )
            sc.rect(
                px - pw / 2,
                px + pw / 2,
                y + 0.03,
                y + 0.34 - 0.05 * row,
                z1 - 0.22 - s,
                shade,
                0.12,
            )
    if th.clutter > 0.3:
        pillow(sc, x + 0.02, top + 0.17, z1 - 0.5, 0.34, th.accent, 0.12, 1)
    # Duvet: over the mattress and down at its sides, turned back near the pillows
    edge, fold = top + 0.06, z1 - 0.66
    a, b = x0 - 0.05, x1 + 0.05
    for xx, out in ((a, -1), (b, 1)):
        if (out < 0 and xx > sc.cam) or (out > 0 and xx < sc.cam):
            hem = [
                (xx, low - 0.08 + 0.03 * math.sin(i * 1.3), z0 + (fold - z0) * i / 10)
                for i in range(11)
            ]
            sc.poly([(xx, edge, z0), (xx, edge, fold), *hem[::-1]], dark(c, 0.2))
    sc.flat(a, b, edge, z0, fold, pale(c, 0.14))
    sc.poly(
        [
            (a, edge + 0.004, fold - 0.02),
            (b, edge + 0.004, fold - 0.02),
            (b, edge + 0.02, fold - 0.26),
            (a, edge + 0.02, fold - 0.26),
        ],
        pale(c, 0.6),
    )
    for i in range(1, 4):
        u = a + (b - a) * i / 4
        sc.line(
            [(u, edge, fold - 0.3), (u + 0.05, edge, (z0 + fold) / 2), (u - 0.02, edge, z0)],
            dark(c, 0.2),
            0.012,
            60,
        )
    sc.rect(a, b, low - 0.08, edge + 0.005, z0 - 0.01, c, 0.05)
    for i in range(1, 7):
        u = a + (b - a) * i / 7
        sc.line(
            [(u, edge - 0.06, z0 - 0.01), (u + 0.015, low - 0.06, z0 - 0.01)],
            dark(c, 0.18),
            0.012,
            110,
        )
    _throw(sc, th, a, b, edge, z0, low)


def _throw(sc: Scene, th: Theme, a: float, b: float, y: float, z: float, low: float) -> None:
    if th.clutter < 0.3:
        return
    c = mix(th.accent, th.neutral, 0.2)
    n = 8
    sc.flat(a, b, y + 0.012, z + 0.12, z + 0.55, c)
    for i in range(n):
        if i % 2:
            u0, u1 = a + (b - a) * i / n, a + (b - a) * (i + 1) / n
            sc.flat(u0, u1, y + 0.013, z + 0.12, z + 0.55, pale(c, 0.2))
    sc.spot("throw", (a + b) / 2, y, z + 0.3)


def _headboard(sc: Scene, th: Theme, x0: float, x1: float, wood: RGB) -> None:
    z, c = sc.depth - 0.08, th.textile
    a, b, w = x0 - 0.06, x1 + 0.06, x1 - x0 + 0.12
    if th.style == "minimal":
        return
    if th.style in {"romantic", "classic", "antique"}:
        tall = 1.22
        shade = mix(c, th.neutral, 0.25) if th.style == "romantic" else wood
        crest = [
            (a + w * t / 24, tall - 0.26 + 0.26 * math.sin(math.pi * t / 24) ** 0.7, z)
            for t in range(25)
        ]
        sc.poly([(a, 0.2, z), *crest, (b, 0.2, z)], dark(shade, 0.12))
        sc.line(crest, th.metal if th.style == "romantic" else pale(shade, 0.16), 0.04)
        if th.style == "romantic":
            for row in range(3):
                for i in range(6):
                    sc.disc(
                        a + w * (i + 0.7 + 0.3 * (row % 2)) / 6.7,
                        0.66 + row * 0.14,
                        z,
                        0.015,
                        dark(shade, 0.35),
                    )
        else:
            sc.rect(a + 0.14, x0 + w * 0.46, 0.6, 0.95, z, dark(shade, 0.28), 0.03)
            sc.rect(x0 + w * 0.48, b - 0.14, 0.6, 0.95, z, dark(shade, 0.28), 0.03)
            for u in (a, b - 0.08):
                sc.rect(u, u + 0.08, 0, 1.06, z, dark(shade, 0.02))
                sc.disc(u + 0.04, 1.1, z, 0.055, shade)
    elif th.style == "industrial":
        for u in range(9):
            px = a + w * u / 8
            sc.line([(px, 0.2, z), (px, 1.05, z)], wood, 0.02 if u % 8 else 0.04)
        sc.line([(a, 1.05, z), (b, 1.05, z)], wood, 0.04)
    elif th.style in {"provence", "scandinavian"}:
        sc.rect(a, b, 0.2, 1.0, z, wood, 0.05)
        n = 9
        for i in range(1, n):
            sc.rect(a + w * i / n - 0.006, a + w * i / n + 0.006, 0.3, 0.92, z, dark(wood, 0.16))
        sc.rect(a - 0.02, b + 0.02, 0.96, 1.03, z, pale(wood, 0.15), 0.02)
    else:
        sc.box(a - 0.12, b + 0.12, 0.1, 0.96, z - 0.04, z + 0.05, mix(c, wood, 0.35), r=0.04)
        for i in range(1, 4):
            u = a + w * i / 4
            sc.rect(u - 0.006, u + 0.006, 0.2, 0.95, z - 0.042, dark(mix(c, wood, 0.35), 0.2))


def _floor_bed(sc: Scene, th: Theme, x0: float, x1: float, z0: float, z1: float) -> None:
    """A low platform with a quilted yo."""
    c = th.textile
    sc.shadow(x0 - 0.1, x1 + 0.1, z0, z1, 0.5)
    sc.box(x0 - 0.14, x1 + 0.14, 0.04, 0.18, z0 - 0.06, z1, th.wood, r=0.01)
    sc.box(x0, x1, 0.18, 0.32, z0, z1 - 0.1, (244, 238, 224), r=0.04)
    for i in (-1, 1):
        px = (x0 + x1) / 2 + i * (x1 - x0) * 0.24
        half = (x1 - x0) * 0.19
        sc.rect(px - half, px + half, 0.33, 0.55, z1 - 0.3, (250, 246, 236), 0.08)
        sc.rect(px - half, px - half + 0.07, 0.33, 0.55, z1 - 0.31, th.accent, 0.05)
        sc.rect(px + half - 0.07, px + half, 0.33, 0.55, z1 - 0.31, (198, 100, 84), 0.05)
    y, fold = 0.345, z1 - 0.62
    sc.flat(x0 - 0.03, x1 + 0.03, y, z0 - 0.01, fold, pale(c, 0.16))
    sc.flat(x0 - 0.03, x1 + 0.03, y + 0.004, fold - 0.22, fold, th.accent)
    for i in range(1, 6):
        u = x0 + (x1 - x0) * i / 6
        sc.line([(u, y, z0), (u, y, fold - 0.22)], dark(c, 0.14), 0.008)
    for i in range(1, 5):
        zz = z0 + (fold - 0.22 - z0) * i / 5
        sc.line([(x0, y, zz), (x1, y, zz)], dark(c, 0.14), 0.008)
    sc.rect(x0 - 0.03, x1 + 0.03, 0.2, y, z0 - 0.012, c, 0.03)
    sc.rect(x0 - 0.03, x1 + 0.03, 0.2, 0.235, z0 - 0.014, th.accent)
