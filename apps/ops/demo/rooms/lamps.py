"""Lamps that hang, stand and sit on tables, and the light they throw."""

import math

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, luma, mix
from apps.ops.demo.rooms.themes import Theme

WARM: RGB = (255, 205, 132)


def pendant(sc: Scene, th: Theme, x: float, z: float, y: float) -> None:
    """A lamp that hangs from the ceiling, its lower edge at height `y`."""
    top, kind = sc.ceiling, th.lamp
    cord = (60, 56, 56) if luma(th.ceiling) > 120 else (190, 186, 180)
    sc.line([(x, top, z), (x, y + 0.2, z)], cord, 0.012)
    sc.glow(x, y, z, 0.75, WARM, 0.55)
    sc.spot("pendant", x, y + 0.1, z)
    if kind == "paper":
        _lantern(sc, x, y + 0.16, z, 0.24)
    elif kind in {"globe", "arc"}:
        sc.disc(x, y + 0.14, z, 0.15, (250, 240, 218))
        sc.disc(x - 0.04, y + 0.18, z, 0.07, (255, 252, 242))
    elif kind == "cone":
        _shade(sc, x, y, z, 0.05, 0.24, 0.2, (52, 52, 56))
    elif kind == "basket":
        _shade(sc, x, y, z, 0.12, 0.27, 0.24, (206, 172, 124))
        for i in range(1, 6):
            t = i / 6
            r = 0.27 - 0.15 * t
            sc.line([(x - r, y + 0.24 * t, z), (x + r, y + 0.24 * t, z)], (170, 134, 90), 0.008)
    elif kind in {"crystal", "candle"}:
        _chandelier(sc, th, x, y, z)
    elif kind == "tiffany":
        _shade(sc, x, y, z, 0.09, 0.28, 0.2, (176, 116, 60))
        for i, c in enumerate(
            ((104, 132, 92), (196, 86, 62), (222, 178, 96), (104, 132, 92), (196, 86, 62))
        ):
            u = x - 0.22 + i * 0.11
            sc.disc(u, y + 0.06, z, 0.034, c)
    else:
        ring = [math.pi * i / 20 for i in range(21)]
        c = th.accent if th.style == "scandinavian" else th.metal
        sc.poly([(x + 0.26 * math.cos(a), y + 0.2 * math.sin(a), z) for a in ring], c)
        sc.poly(
            [(x + 0.26 * math.cos(a), y + 0.2 * math.sin(a), z) for a in ring[:8]]
            + [(x + 0.06, y, z)],
            dark(c, 0.5),
            50,
        )
        sc.disc(x, y, z, 0.26, (255, 236, 196), 0.03)


def _lantern(sc: Scene, x: float, y: float, z: float, r: float) -> None:
    sc.disc(x, y, z, r, (252, 236, 202), r * 0.86)
    for i in range(-3, 4):
        h = r * 0.86 * i / 4
        half = r * math.sqrt(max(0.0, 1 - (i / 4) ** 2))
        sc.line([(x - half, y + h, z), (x + half, y + h, z)], (224, 200, 158), 0.007)


def _shade(
    sc: Scene, x: float, y: float, z: float, top: float, foot: float, tall: float, c: RGB
) -> None:
    sc.poly([(x - foot, y, z), (x + foot, y, z), (x + top, y + tall, z), (x - top, y + tall, z)], c)
    sc.poly(
        [
            (x + foot * 0.3, y, z),
            (x + foot, y, z),
            (x + top, y + tall, z),
            (x + top * 0.3, y + tall, z),
        ],
        dark(c, 0.6),
        46,
    )
    sc.disc(x, y, z, foot, (255, 232, 184), foot * 0.13)


def _chandelier(sc: Scene, th: Theme, x: float, y: float, z: float) -> None:
    gold = th.metal
    sc.line([(x, y + 0.5, z), (x, y, z)], gold, 0.03)
    sc.disc(x, y + 0.12, z, 0.05, gold)
    for i, u in enumerate((-0.36, -0.2, 0.0, 0.2, 0.36)):
        dip = y + 0.02 + 0.05 * abs(u) * 2
        if u:
            sc.line([(x, y + 0.05, z), (x + u * 0.5, y - 0.04, z), (x + u, dip, z)], gold, 0.018)
        sc.rect(x + u - 0.016, x + u + 0.016, dip, dip + 0.11, z, (250, 244, 230))
        sc.disc(x + u, dip + 0.14, z, 0.022, (255, 226, 150), 0.04)
        sc.glow(x + u, dip + 0.14, z, 0.3, WARM, 0.3)
        if th.lamp == "crystal":
            for k in range(3):
                sc.disc(
                    x + u + (k - 1) * 0.035,
                    dip - 0.05 - (0.03 if k == 1 else 0),
                    z,
                    0.014,
                    (236, 240, 246),
                    0.024,
                )
        elif i % 2 == 0:
            sc.disc(x + u, dip - 0.02, z, 0.025, gold)


def floor_lamp(sc: Scene, th: Theme, x: float, z: float) -> None:
    """A standing lamp about 1.6 m tall."""
    kind = th.lamp
    sc.shadow(x - 0.16, x + 0.16, z - 0.12, z + 0.12, 0.34)
    sc.spot("lamp", x, 1.4, z)
    if kind == "arc":
        c = th.metal
        sc.plate(x, 0.03, z, 0.17, 0.13, c)
        s = -1 if x > 0 else 1
        pts = [
            (
                x + s * 0.75 * (1 - math.cos(math.pi * 0.5 * t / 14)),
                0.03 + 1.75 * math.sin(math.pi * 0.55 * t / 14),
                z,
            )
            for t in range(15)
        ]
        sc.line(pts, c, 0.026)
        ex, ey = pts[-1][0], pts[-1][1]
        ring = [math.pi * i / 16 for i in range(17)]
        sc.poly([(ex + 0.18 * math.cos(a), ey - 0.16 + 0.17 * math.sin(a), z) for a in ring], c)
        sc.disc(ex, ey - 0.16, z, 0.18, (255, 234, 190), 0.03)
        sc.glow(ex, ey - 0.2, z, 0.8, WARM, 0.55)
    elif kind == "paper":
        sc.box(x - 0.15, x + 0.15, 0.06, 0.72, z - 0.12, z + 0.12, (250, 234, 200))
        for u in (-0.15, 0.0, 0.138):
            sc.rect(x + u, x + u + 0.014, 0.0, 0.74, z - 0.12, th.wood)
        for y in (0.06, 0.26, 0.48, 0.72):
            sc.rect(x - 0.15, x + 0.15, y, y + 0.014, z - 0.12, th.wood)
        sc.glow(x, 0.42, z, 0.8, WARM, 0.6)
    elif kind == "globe":
        sc.line([(x, 0, z), (x, 1.3, z)], th.metal, 0.018)
        sc.plate(x, 0.02, z, 0.13, 0.1, th.metal)
        sc.disc(x, 1.42, z, 0.14, (252, 242, 220))
        sc.glow(x, 1.42, z, 0.8, WARM, 0.5)
    elif kind == "cone":
        c = (50, 50, 54)
        for u in (-0.24, 0.0, 0.24):
            sc.line([(x, 1.2, z), (x + u, 0, z - (0.15 if u == 0 else 0))], c, 0.024)
        sc.poly(
            [(x - 0.1, 1.34, z), (x + 0.16, 1.12, z), (x + 0.22, 1.42, z), (x + 0.02, 1.52, z)], c
        )
        sc.disc(x + 0.19, 1.27, z, 0.055, (255, 226, 160), 0.15)
        sc.glow(x + 0.2, 1.27, z, 0.7, WARM, 0.55)
    else:
        c = {"tiffany": (150, 112, 60), "candle": th.metal, "crystal": th.metal}.get(kind, th.wood)
        if kind == "dome":
            for u in (-0.2, 0.2, 0.02):
                sc.line([(x, 1.15, z), (x + u, 0, z - (0.14 if u == 0.02 else 0))], c, 0.026)
        else:
            sc.line([(x, 0, z), (x, 1.2, z)], c, 0.032)
            sc.plate(x, 0.02, z, 0.16, 0.12, c)
            for y in (0.3, 0.7, 1.05):
                sc.disc(x, y, z, 0.03, c)
        shade = {
            "tiffany": (190, 132, 70),
            "basket": (222, 196, 152),
            "crystal": (250, 226, 220),
        }.get(kind, (246, 236, 216))
        sc.tube(x, z, 1.18, 1.52, 0.24, 0.15, shade)
        if kind == "tiffany":
            for i, b in enumerate(((104, 132, 92), (196, 86, 62), (222, 178, 96), (104, 132, 92))):
                sc.disc(x - 0.15 + i * 0.1, 1.26, z, 0.036, b)
        sc.glow(x, 1.32, z, 0.85, WARM, 0.55)


def table_lamp(sc: Scene, th: Theme, x: float, y: float, z: float) -> None:
    """A small lamp that stands on something at height `y`."""
    if th.lamp == "paper":
        sc.disc(x, y + 0.17, z, 0.12, (252, 236, 202), 0.15)
        sc.rect(x - 0.06, x + 0.06, y, y + 0.04, z, th.wood)
    elif th.lamp in {"globe", "arc"}:
        sc.rect(x - 0.06, x + 0.06, y, y + 0.06, z, th.metal, 0.02)
        sc.disc(x, y + 0.17, z, 0.115, (252, 242, 220))
    elif th.lamp == "cone":
        sc.line([(x, y, z), (x - 0.04, y + 0.22, z), (x + 0.08, y + 0.36, z)], (50, 50, 54), 0.018)
        _shade(sc, x + 0.1, y + 0.28, z, 0.03, 0.1, 0.1, (50, 50, 54))
    else:
        sc.disc(x, y + 0.09, z, 0.06, mix(th.accent, th.neutral, 0.3), 0.09)
        sc.rect(x - 0.05, x + 0.05, y, y + 0.02, z, dark(th.wood, 0.1))
        sc.tube(
            x,
            z,
            y + 0.18,
            y + 0.36,
            0.14,
            0.09,
            (190, 132, 70) if th.lamp == "tiffany" else (248, 236, 212),
        )
    sc.glow(x, y + 0.22, z, 0.6, WARM, 0.5)
    sc.spot("table lamp", x, y + 0.2, z)
