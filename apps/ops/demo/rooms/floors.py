"""Floors: boards, tiles, parquet, concrete, and the floor of a hanok."""

import math

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, luma, mix, pale
from apps.ops.demo.rooms.themes import Theme

NEAR = -1.4  # metres before the picture's plane: far enough to pass the edges of the picture


def draw_floor(sc: Scene, th: Theme, *, wet: bool) -> None:
    whole = [
        (sc.left, 0.0, NEAR),
        (sc.right, 0.0, NEAR),
        (sc.right, 0.0, sc.depth),
        (sc.left, 0.0, sc.depth),
    ]
    base = th.floor_color
    sc.poly(whole, base)
    kind = th.floor
    if wet and kind in {"wide", "planks", "herringbone", "dark", "maru"}:
        kind = (
            "checker" if th.style in {"classic", "romantic", "antique", "scandinavian"} else "tiles"
        )
    if kind == "checker":
        pairs = {
            "antique": ((222, 208, 184), (112, 74, 58)),
            "classic": ((240, 236, 228), (72, 72, 78)),
        }
        a, b = pairs.get(th.style, (pale(th.neutral, 0.4), mix(th.neutral, th.accent, 0.45)))
        _tiles(sc, a, b, 0.36)
    elif kind == "tiles":
        c = mix((206, 202, 196), th.floor_color, 0.3)
        _tiles(sc, c, dark(c, 0.025), 0.6)
    elif kind == "terracotta":
        _tiles(sc, base, dark(base, 0.08), 0.34)
    elif kind == "concrete":
        _concrete(sc, base)
    elif kind == "maru":
        _maru(sc, base)
    elif kind == "herringbone":
        _herringbone(sc, base)
    else:
        _planks(sc, base, {"wide": 0.26, "dark": 0.15}.get(kind, 0.17))
    # Daylight lying on a polished floor.
    x = sc.light_from * sc.width * 0.2
    for i in range(6):
        r = sc.width * (0.10 + 0.05 * i)
        sc.poly(
            [
                (x - r, 0, sc.depth),
                (x + r, 0, sc.depth),
                (x + r * 1.1, 0, NEAR),
                (x - r * 1.1, 0, NEAR),
            ],
            (255, 246, 228),
            8,
        )


def _planks(sc: Scene, base: RGB, width: float) -> None:
    x, seam = sc.left, dark(base, 0.24)
    while x < sc.right:
        x1 = min(x + width, sc.right)
        z = NEAR - sc.grain.random()
        while z < sc.depth:
            z1 = min(z + 0.9 + sc.grain.random() * 1.2, sc.depth)
            t = sc.grain.uniform(-1, 1)
            c = pale(base, t * 0.13) if t > 0 else dark(base, -t * 0.10)
            a = max(z, NEAR)
            sc.flat(x, x1, 0, a, z1, c)
            sc.line([(x, 0, z1), (x1, 0, z1)], seam, 0.006)
            z = z1
        sc.line([(x, 0, NEAR), (x, 0, sc.depth)], seam, 0.005)
        x += width


def _maru(sc: Scene, base: RGB) -> None:
    """The floor of a hanok's hall: long beams with short boards laid between them."""
    beam, seam = dark(base, 0.10), dark(base, 0.34)
    z, n = NEAR, max(3, round(sc.width / 1.1))
    while z < sc.depth:
        z1 = min(z + 0.16, sc.depth)
        for i in range(n):
            x0, x1 = sc.left + i * sc.width / n, sc.left + (i + 1) * sc.width / n
            t = sc.grain.uniform(-1, 1)
            c = pale(base, t * 0.1) if t > 0 else dark(base, -t * 0.1)
            sc.flat(x0, x1, 0, z, z1, c)
        sc.line([(sc.left, 0, z1), (sc.right, 0, z1)], seam, 0.007)
        z = z1
    for i in range(n + 1):
        x = sc.left + i * sc.width / n
        sc.flat(x - 0.07, x + 0.07, 0, NEAR, sc.depth, beam)
        for s in (-0.07, 0.07):
            sc.line([(x + s, 0, NEAR), (x + s, 0, sc.depth)], seam, 0.007)


def _herringbone(sc: Scene, base: RGB) -> None:
    wide, long = 0.13, 0.26
    x, column = sc.left, 0
    while x < sc.right:
        z = NEAR - 0.3
        slope = long * 0.62 if column % 2 == 0 else -long * 0.62
        x1 = min(x + long, sc.right)
        while z < sc.depth + 0.3:
            t = sc.grain.uniform(-1, 1)
            bias = 0.06 if column % 2 else -0.05
            c = pale(base, t * 0.1 + 0.1) if t + bias > 0 else dark(base, 0.1 - t * 0.05)
            zs = [min(max(v, NEAR), sc.depth) for v in (z, z + slope, z + slope + wide, z + wide)]
            sc.poly(
                [(x, 0, zs[0]), (x1, 0, zs[1]), (x1, 0, zs[2]), (x, 0, zs[3])], mix(c, base, 0.3)
            )
            z += wide
        x += long
        column += 1


def _tiles(sc: Scene, a: RGB, b: RGB, step: float) -> None:
    grout = pale(a, 0.3) if luma(a) < 170 else dark(a, 0.12)
    cols = math.ceil(sc.width / step)
    start = -cols * step / 2
    row, z = 0, sc.depth
    while z > NEAR:
        z0 = max(z - step, NEAR)
        for i in range(cols):
            x0, x1 = max(start + i * step, sc.left), min(start + (i + 1) * step, sc.right)
            c = a if (i + row) % 2 == 0 else b
            c = dark(c, sc.grain.random() * 0.05)
            sc.flat(x0, x1, 0, z0, z, c)
        sc.line([(sc.left, 0, z), (sc.right, 0, z)], grout, 0.007)
        z, row = z - step, row + 1
    for i in range(cols + 1):
        x = min(max(start + i * step, sc.left), sc.right)
        sc.line([(x, 0, NEAR), (x, 0, sc.depth)], grout, 0.006)


def _concrete(sc: Scene, base: RGB) -> None:
    for _ in range(26):
        x, z = sc.grain.uniform(sc.left, sc.right), sc.grain.uniform(-0.6, sc.depth)
        r = sc.grain.uniform(0.15, 0.6)
        px, py = sc.at(x, 0, z)
        rx, ry = r * sc.k(z), r * sc.k(z) * 0.22
        tone = (255, 252, 246, 12) if sc.grain.random() < 0.5 else (50, 46, 50, 10)
        sc.glass.ellipse((px - rx, py - ry, px + rx, py + ry), fill=tone)
    for z in (2.2, 0.6):
        sc.line([(sc.left, 0, z), (sc.right, 0, z)], dark(base, 0.25), 0.01, 150)
    for x in (-0.7, 0.9):
        sc.line([(x, 0, NEAR), (x, 0, sc.depth)], dark(base, 0.25), 0.008, 150)
