"""Tables to sit at, laid with what the style would have on them."""

import math

from apps.ops.demo.rooms.canvas import Scene, dark, mix, pale
from apps.ops.demo.rooms.decor import books, vase
from apps.ops.demo.rooms.lamps import table_lamp
from apps.ops.demo.rooms.seats import legs
from apps.ops.demo.rooms.themes import Theme


def coffee_table(sc: Scene, th: Theme, x: float, z: float) -> None:
    """The low table before the sofa, with something on it."""
    kind, wood = th.table, th.wood
    sc.spot("table", x - 0.2, 0.4, z)
    if kind in {"round", "tripod"}:
        sc.shadow(x - 0.46, x + 0.46, z - 0.32, z + 0.32, 0.45)
        c = (58, 56, 58) if kind == "round" else pale(wood, 0.12)
        if kind == "round":
            sc.plate(x, 0.02, z, 0.24, 0.17, dark(c, 0.1))
            sc.rect(x - 0.06, x + 0.06, 0.02, 0.34, z - 0.02, dark(c, 0.05))
        else:
            for u, dz in ((-0.3, 0.16), (0.3, 0.16), (-0.34, -0.14), (0.34, -0.14)):
                sc.line([(x + u * 0.7, 0.34, z + dz * 0.7), (x + u, 0, z + dz)], wood, 0.034)
        sc.plate(x, 0.34, z, 0.47, 0.33, dark(c, 0.3))
        sc.plate(x, 0.375, z, 0.47, 0.33, pale(c, 0.1))
        top = 0.375
    elif kind == "soban":
        top = soban(sc, th, x, z)
    elif kind == "slab":
        sc.shadow(x - 0.48, x + 0.48, z - 0.26, z + 0.26, 0.4)
        sc.box(x - 0.34, x + 0.34, 0.0, 0.26, z - 0.18, z + 0.2, dark(wood, 0.12))
        sc.box(x - 0.5, x + 0.5, 0.26, 0.33, z - 0.26, z + 0.26, wood, r=0.02)
        top = 0.33
    elif kind == "crate":
        sc.shadow(x - 0.5, x + 0.5, z - 0.3, z + 0.3, 0.48)
        for u in (-0.4, 0.34):
            sc.disc(x + u + 0.03, 0.06, z - 0.2, 0.06, (44, 44, 46))
        sc.box(x - 0.5, x + 0.5, 0.1, 0.38, z - 0.28, z + 0.28, wood)
        for y in (0.19, 0.285):
            sc.rect(x - 0.5, x + 0.5, y, y + 0.01, z - 0.285, dark(wood, 0.45))
        for u in (-0.5, 0.42):
            sc.rect(x + u, x + u + 0.08, 0.1, 0.38, z - 0.287, (66, 64, 64))
        top = 0.38
    else:
        sc.shadow(x - 0.5, x + 0.5, z - 0.3, z + 0.3, 0.45)
        legs(sc, x - 0.46, x + 0.46, z - 0.24, z + 0.26, 0.34, wood, 0.055)
        sc.rect(x - 0.45, x + 0.45, 0.26, 0.36, z - 0.24, dark(wood, 0.08))
        sc.box(x - 0.52, x + 0.52, 0.36, 0.41, z - 0.28, z + 0.3, wood, r=0.02)
        if kind == "curl":
            sc.rect(x - 0.4, x + 0.4, 0.29, 0.31, z - 0.245, th.metal)
        top = 0.41
    _on_table(sc, th, x, top, z)


def soban(sc: Scene, th: Theme, x: float, z: float) -> float:
    """A low table with bowed legs; returns the height of its top."""
    wood = dark(th.wood, 0.05)
    sc.shadow(x - 0.5, x + 0.5, z - 0.3, z + 0.3, 0.45)
    for zz in (z + 0.24, z - 0.22):
        for s in (-1, 1):
            pts = [
                (x + s * (0.38 + 0.07 * math.sin(math.pi * t / 8)), 0.28 - 0.28 * t / 8, zz)
                for t in range(9)
            ]
            sc.line(pts, dark(wood, 0.2), 0.05)
    sc.rect(x - 0.4, x + 0.4, 0.21, 0.28, z - 0.23, dark(wood, 0.12))
    for i in range(6):
        u = x - 0.3 + i * 0.12
        sc.disc(u, 0.22, z - 0.235, 0.045, dark(wood, 0.3), 0.022)
    sc.box(x - 0.52, x + 0.52, 0.28, 0.325, z - 0.3, z + 0.32, wood, r=0.02)
    return 0.325


def _on_table(sc: Scene, th: Theme, x: float, y: float, z: float) -> None:
    if th.style == "korean":
        sc.plate(x - 0.14, y + 0.004, z, 0.2, 0.13, dark(th.wood, 0.3))
        c = (206, 214, 200)
        sc.disc(x - 0.18, y + 0.075, z, 0.075, c, 0.06)
        sc.line([(x - 0.11, y + 0.07, z), (x - 0.05, y + 0.11, z)], c, 0.024)
        sc.disc(x - 0.18, y + 0.14, z, 0.018, dark(c, 0.2))
        for u in (0.0, 0.1):
            sc.tube(x + u - 0.01, z - 0.06, y + 0.005, y + 0.05, 0.024, 0.036, (240, 238, 230))
        vase(sc, th, x + 0.32, y, z + 0.05, 0.7)
        return
    if th.clutter > 0.3:
        for i, c in enumerate((th.textile, th.neutral, th.accent)):
            sc.box(
                x + 0.06 + i * 0.012,
                x + 0.34 - i * 0.02,
                y + i * 0.028,
                y + 0.028 + i * 0.028,
                z - 0.1,
                z + 0.08,
                c,
            )
        sc.tube(x + 0.19, z - 0.02, y + 0.085, y + 0.15, 0.03, 0.042, pale(th.neutral, 0.4))
    vase(sc, th, x - 0.2, y, z + 0.04, 0.9 if th.style != "minimal" else 0.7)


def dining_table(sc: Scene, th: Theme, x: float, z: float, w: float) -> None:
    """A table to eat at, laid with a bowl and cups."""
    c = th.wood if th.style != "industrial" else pale(th.wood, 0.1)
    y, d = 0.74, 0.72
    x0, x1 = x - w / 2, x + w / 2
    leg = (46, 46, 50) if th.style in {"industrial", "modern"} else dark(c, 0.12)
    legs(sc, x0 + 0.06, x1 - 0.06, z + 0.05, z + d - 0.05, y - 0.04, leg, 0.06)
    sc.box(x0, x1, y - 0.05, y, z, z + d, c, r=0.015)
    if th.style in {"provence", "romantic", "antique"}:
        cloth = mix(th.accent, (248, 244, 236), 0.6)
        a, b = x - 0.2, x + 0.2
        sc.flat(a, b, y + 0.004, z, z + d, cloth)
        sc.poly([(a, y, z - 0.005), (b, y, z - 0.005), (x, y - 0.2, z - 0.005)], dark(cloth, 0.05))
    sc.spot("dining table", x - w * 0.3, y, z + 0.2)
    mid = z + d * 0.5
    vase(sc, th, x, y, mid + 0.1, 1.1)
    for u in (-0.3, 0.3):
        sc.plate(x + w * u, y + 0.006, mid - 0.1, 0.13, 0.1, (248, 246, 240))
        sc.plate(x + w * u, y + 0.01, mid - 0.1, 0.09, 0.07, mix(th.textile, (248, 246, 240), 0.7))
        sc.tube(x + w * u + 0.2, mid, y, y + 0.09, 0.03, 0.04, pale(th.accent, 0.3))


def desk(sc: Scene, th: Theme, x: float, w: float) -> None:
    """A desk at the back wall, with a screen, a lamp and a few papers."""
    z1 = sc.depth
    z, y = z1 - 0.62, 0.73
    x0, x1, c = x - w / 2, x + w / 2, th.wood
    leg = (48, 48, 52) if th.style in {"industrial", "modern"} else dark(c, 0.1)
    sc.shadow(x0, x1, z, z1, 0.4)
    sc.spot("desk", x - w * 0.3, 0.7, z)
    legs(sc, x0 + 0.04, x1 - 0.04, z + 0.04, z1 - 0.04, y - 0.04, leg, 0.05)
    sc.box(
        x1 - 0.44, x1 - 0.06, 0.16, y - 0.04, z + 0.06, z1 - 0.06, mix(c, th.neutral, 0.35), r=0.01
    )
    for i in range(3):
        lo = 0.18 + i * 0.17
        sc.rect(
            x1 - 0.42,
            x1 - 0.08,
            lo,
            lo + 0.155,
            z + 0.05,
            pale(mix(c, th.neutral, 0.35), 0.12),
            0.01,
        )
        sc.rect(x1 - 0.3, x1 - 0.2, lo + 0.1, lo + 0.116, z + 0.045, th.metal)
    sc.box(x0, x1, y - 0.045, y, z, z1, c, r=0.01)
    zc = z + 0.36
    sc.shadow(x - 0.35, x + 0.35, z + 0.1, z + 0.5, 0.16, y=y)
    if th.style in {"classic", "antique", "romantic", "korean", "provence"}:
        _writing_things(sc, th, x, y, z)
    else:
        sc.rect(x - 0.04, x + 0.04, y, y + 0.1, zc, (150, 150, 154))
        sc.rect(x - 0.31, x + 0.31, y + 0.08, y + 0.46, zc - 0.02, (44, 45, 50), 0.015)
        sc.rect(
            x - 0.295, x + 0.295, y + 0.1, y + 0.445, zc - 0.022, mix(th.accent, (70, 88, 120), 0.6)
        )
        sc.poly(
            [
                (x - 0.295, y + 0.1, zc - 0.022),
                (x - 0.295, y + 0.28, zc - 0.022),
                (x - 0.05, y + 0.2, zc - 0.022),
                (x + 0.295, y + 0.33, zc - 0.022),
                (x + 0.295, y + 0.1, zc - 0.022),
            ],
            pale(th.accent, 0.25),
        )
        sc.box(x - 0.2, x + 0.2, y, y + 0.018, z + 0.08, z + 0.2, (238, 236, 232), r=0.005)
        sc.disc(x + 0.28, y + 0.012, z + 0.12, 0.03, (236, 234, 230), 0.018)
    table_lamp(sc, th, x0 + 0.2, y, z + 0.36)
    if th.clutter > 0.3:
        books(sc, th, x1 - 0.42, x1 - 0.2, y, z + 0.4, 0.24)
        sc.tube(x1 - 0.12, z + 0.34, y, y + 0.1, 0.035, 0.04, th.accent)
        for i in range(4):
            sc.line(
                [
                    (x1 - 0.14 + i * 0.013, y + 0.09, z + 0.34),
                    (x1 - 0.16 + i * 0.026, y + 0.2, z + 0.34),
                ],
                (th.textile, (206, 176, 100), (90, 96, 110), th.accent)[i],
                0.01,
            )


def _writing_things(sc: Scene, th: Theme, x: float, y: float, z: float) -> None:
    sc.flat(x - 0.25, x + 0.2, y + 0.003, z + 0.06, z + 0.34, dark(th.accent, 0.15))
    sc.poly(
        [
            (x - 0.17, y + 0.006, z + 0.1),
            (x + 0.1, y + 0.006, z + 0.1),
            (x + 0.12, y + 0.006, z + 0.3),
            (x - 0.15, y + 0.006, z + 0.3),
        ],
        (250, 244, 230),
    )
    sc.tube(x + 0.26, z + 0.26, y, y + 0.09, 0.035, 0.04, dark(th.wood, 0.2))
    sc.line([(x + 0.26, y + 0.06, z + 0.26), (x + 0.36, y + 0.3, z + 0.26)], (244, 238, 226), 0.02)
    vase(sc, th, x - 0.3, y, z + 0.44, 0.9)
