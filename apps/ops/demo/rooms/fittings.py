"""What else is built in: baths, the loft of a duplex, the entrance."""

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, luma, mix, pale
from apps.ops.demo.rooms.decor import books, vase
from apps.ops.demo.rooms.kitchens import cabinet_color, cabinet_front
from apps.ops.demo.rooms.plants import small_plant
from apps.ops.demo.rooms.themes import Theme

PORCELAIN: RGB = (246, 246, 243)


def bath_tub(sc: Scene, th: Theme, x0: float, x1: float) -> None:
    """A tub along the back wall."""
    z, y = sc.depth - 0.75, 0.56
    sc.shadow(x0, x1, z, sc.depth, 0.45)
    sc.spot("bath", (x0 + x1) / 2, y, z)
    c = PORCELAIN
    if th.style in {"romantic", "classic", "antique", "provence"}:
        for u in (x0 + 0.22, x1 - 0.26):
            sc.disc(u, 0.06, z + 0.1, 0.06, th.metal)
        skin = mix(th.accent, c, 0.55) if th.style != "classic" else c
        belly = [
            (x0 + 0.02, y, z),
            (x0 + 0.1, 0.24, z),
            (x0 + 0.3, 0.09, z),
            (x1 - 0.3, 0.09, z),
            (x1 - 0.1, 0.24, z),
            (x1 - 0.02, y, z),
        ]
        sc.poly(belly, skin)
        sc.poly(
            [
                (x1 - 0.7, 0.09, z),
                (x1 - 0.3, 0.09, z),
                (x1 - 0.1, 0.24, z),
                (x1 - 0.02, y, z),
                (x1 - 0.25, y, z),
            ],
            dark(skin, 0.4),
            40,
        )
    elif th.style in {"korean", "industrial"}:
        wood = th.wood if th.style == "korean" else (150, 148, 146)
        sc.box(x0, x1, 0.0, y, z, sc.depth, wood)
        if th.style == "korean":
            n = round((x1 - x0) / 0.14)
            for i in range(1, n):
                u = x0 + (x1 - x0) * i / n
                sc.rect(u, u + 0.008, 0.0, y, z - 0.004, dark(wood, 0.3))
        c = pale(wood, 0.25)
    else:
        sc.box(x0, x1, 0.0, y, z, sc.depth, c, r=0.16)
    mid, rx = (x0 + x1) / 2, (x1 - x0) / 2
    sc.plate(mid, y, z + 0.37, rx, 0.38, c)
    sc.plate(mid, y + 0.004, z + 0.37, rx - 0.07, 0.3, dark(c, 0.2))
    sc.plate(mid, y - 0.03, z + 0.36, rx - 0.1, 0.26, (170, 210, 216))
    sc.plate(mid - rx * 0.3, y - 0.02, z + 0.4, rx * 0.35, 0.1, (206, 230, 232))
    sc.line(
        [
            (x1 - 0.2, y, sc.depth - 0.08),
            (x1 - 0.2, y + 0.3, sc.depth - 0.08),
            (x1 - 0.34, y + 0.28, sc.depth - 0.1),
        ],
        th.metal,
        0.03,
    )
    towel = th.accent
    sc.rect(x0 + 0.2, x0 + 0.58, 0.2, y + 0.02, z - 0.01, towel, 0.02)
    for yy in (0.26, 0.3):
        sc.rect(x0 + 0.2, x0 + 0.58, yy, yy + 0.014, z - 0.012, pale(towel, 0.5))
    sc.spot("towel", x0 + 0.39, 0.4, z)


def vanity(sc: Scene, th: Theme, x0: float, x1: float) -> None:
    """A wash stand with a bowl."""
    z, c = sc.depth - 0.5, th.wood
    sc.shadow(x0, x1, z, sc.depth, 0.4)
    foot = 0.3 if th.style in {"modern", "minimal", "industrial", "korean"} else 0.12
    if foot < 0.2:
        for u in (x0 + 0.03, x1 - 0.08):
            sc.rect(u, u + 0.05, 0, 0.14, z, dark(c, 0.2))
    sc.box(x0, x1, foot, 0.78, z, sc.depth, c, r=0.01)
    mid = (x0 + x1) / 2
    for a, b in ((x0 + 0.03, mid - 0.01), (mid + 0.01, x1 - 0.03)):
        sc.rect(a, b, foot + 0.03, 0.74, z - 0.004, dark(c, 0.2), 0.01)
        sc.rect(a + 0.006, b - 0.006, foot + 0.036, 0.734, z - 0.005, pale(c, 0.08), 0.01)
        sc.disc(b - 0.04 if b < mid else a + 0.04, 0.6, z - 0.01, 0.016, th.metal)
    sc.box(x0 - 0.02, x1 + 0.02, 0.78, 0.82, z - 0.02, sc.depth, (236, 232, 226))
    sc.tube(mid, z + 0.22, 0.82, 0.95, 0.15, 0.21, PORCELAIN)
    sc.line(
        [
            (mid + 0.02, 0.82, sc.depth - 0.06),
            (mid + 0.02, 1.1, sc.depth - 0.06),
            (mid + 0.02, 1.08, sc.depth - 0.2),
        ],
        th.metal,
        0.026,
    )
    for i, shade in enumerate((th.accent, (232, 226, 214))):
        sc.tube(x0 + 0.1 + i * 0.1, z + 0.25, 0.82, 0.97 - 0.03 * i, 0.03, 0.03, shade)
    sc.spot("vanity", x0 + (x1 - x0) * 0.25, 0.6, z)


def wall_tiles(sc: Scene, th: Theme, height: float) -> None:
    """Tiles round a wet room, up to `height`."""
    c = pale(th.paint, 0.42) if luma(th.paint) < 200 else dark(th.paint, 0.05)
    wide, tall = {
        "modern": (0.6, 0.3),
        "minimal": (0.6, 0.6),
        "industrial": (0.2, 0.1),
        "korean": (0.3, 0.3),
    }.get(th.style, (0.15, 0.15))
    if th.style in {"modern", "minimal", "korean", "industrial"}:
        c, height = mix(th.paint, c, 0.25), min(height + 0.7, sc.ceiling)
    seam = dark(c, 0.14)
    for x in (sc.left, sc.right):
        sc.side(x, 0, height, -1.4, sc.depth, dark(c, 0.12))
        y = tall
        while y < height:
            sc.line([(x, y, sc.depth), (x, y, -1.2)], dark(c, 0.2), 0.006)
            y += max(tall, 0.15)
    sc.rect(sc.left, sc.right, 0, height, sc.depth, seam)
    y, row = 0.0, 0
    while y < height - 0.01:
        x = sc.left - (wide / 2 if row % 2 and wide > tall else 0)
        while x < sc.right:
            tile = pale(c, sc.grain.random() * 0.16)
            sc.rect(
                max(x, sc.left) + 0.003,
                min(x + wide, sc.right) - 0.003,
                y + 0.003,
                min(y + tall, height) - 0.003,
                sc.depth,
                tile,
            )
            x += wide
        y, row = y + tall, row + 1
    sc.rect(sc.left, sc.right, height - 0.02, height + 0.02, sc.depth, mix(c, th.accent, 0.5))


def loft(sc: Scene, th: Theme, x0: float, y: float, deep: float) -> None:
    """The upper floor of a duplex: slab, rail, what is up there, and the stairs."""
    x1, z = sc.right, sc.depth - deep
    slab = mix(th.ceiling, th.wood, 0.18)
    wood = th.wood
    dark_rail = th.style in {"modern", "industrial", "korean", "antique", "classic"}
    rail = (52, 50, 52) if dark_rail else (244, 240, 232)
    # The wall under the slab sees less of the window.
    for i in range(4):
        sc.veil(x0 + 0.06 * i, x1, 0.0, y, sc.depth, (40, 30, 40), 10)
    up = y + 0.2
    bed_c = th.textile
    sc.rect(x1 - 1.75, x1 - 0.15, up, up + 0.34, sc.depth - 0.4, bed_c, 0.08)
    sc.rect(x1 - 0.6, x1 - 0.2, up + 0.24, up + 0.46, sc.depth - 0.4, (250, 247, 240), 0.08)
    sc.rect(x1 - 1.75, x1 - 1.2, up + 0.3, up + 0.36, sc.depth - 0.41, th.accent, 0.03)
    small_plant(sc, th, x0 + 0.35, up, sc.depth - 0.3)
    sc.spot("loft", x1 - 1.0, up + 0.3, z)
    sc.box(x0, x1, y, up, z, sc.depth, slab)
    sc.flat(x0, x1, y, z, sc.depth, dark(slab, 0.1))
    sc.rect(x0, x1, y, y + 0.03, z - 0.003, dark(slab, 0.25))
    n = 11 if dark_rail else 9
    for i in range(n + 1):
        u = x0 + 0.05 + (x1 - x0 - 0.1) * i / n
        sc.rect(u - 0.011, u + 0.011, up, up + 0.8, z, rail)
    sc.rect(x0, x1, up + 0.78, up + 0.84, z, wood)
    # Stairs rise along the right wall, away from the viewer.
    steps, w = 9, 0.78
    run, rise = 0.24, (y + 0.2) / 10
    for i in reversed(range(steps)):
        lo, hi = rise * (i + 1) - 0.06, rise * (i + 1)
        zz = z - (steps - i) * run
        sc.box(
            x1 - w,
            x1 - 0.02,
            max(0.0, lo - 0.35 if i else 0.0),
            hi - 0.05,
            zz + 0.03,
            zz + run + 0.03,
            mix(th.paint, th.neutral, 0.6),
        )
        sc.box(x1 - w - 0.03, x1 - 0.02, hi - 0.05, hi, zz, zz + run + 0.04, wood)
    sc.spot("stairs", x1 - w / 2, rise * 5, z - 5 * run)


def shoe_wall(sc: Scene, th: Theme, x0: float, x1: float, tall: float) -> None:
    """A tall shoe cabinet with an open niche."""
    z, c = sc.depth - 0.4, mix(cabinet_color(th), th.neutral, 0.2)
    sc.shadow(x0, x1, z, sc.depth, 0.42)
    sc.box(x0, x1, 0.16, tall, z, sc.depth, c)
    n = max(2, round((x1 - x0) / 0.45))
    for i in range(n):
        a, b = x0 + (x1 - x0) * i / n + 0.008, x0 + (x1 - x0) * (i + 1) / n - 0.008
        for lo, hi in ((0.18, 0.88), (1.22, tall - 0.02)):
            cabinet_front(sc, th, a, b, lo, hi, z - 0.004, c, drawers=False)
    sc.rect(x0 + 0.01, x1 - 0.01, 0.9, 1.2, z - 0.004, dark(th.wood, 0.15))
    sc.rect(x0 + 0.01, x1 - 0.01, 1.14, 1.2, z - 0.005, dark(th.wood, 0.4))
    vase(sc, th, x0 + 0.2, 0.9, z - 0.01, 0.7)
    books(sc, th, x1 - 0.36, x1 - 0.24, 0.9, z - 0.01, 0.14)
    sc.glow((x0 + x1) / 2, 1.16, z, 0.45, (255, 214, 150), 0.35)
    shoe = (th.accent, (240, 238, 232), (70, 66, 70))
    for i in range(3):
        u = x0 + 0.15 + i * 0.26
        for k in (0, 0.1):
            if u + k < x1 - 0.08:
                sc.disc(u + k, 0.045, z - 0.06, 0.04, shoe[i], 0.04)
                sc.rect(u + k - 0.04, u + k + 0.04, 0.0, 0.03, z - 0.08, dark(shoe[i], 0.2), 0.02)
    sc.spot("shoe cabinet", (x0 + x1) / 2, 1.5, z)


def bench(sc: Scene, th: Theme, x0: float, x1: float) -> None:
    """A bench by the door, with coats on hooks above it."""
    z, c = sc.depth - 0.4, th.wood
    sc.shadow(x0, x1, z, sc.depth, 0.4)
    for u in (x0 + 0.03, x1 - 0.09):
        sc.rect(u, u + 0.06, 0, 0.4, z + 0.02, dark(c, 0.15))
    sc.box(x0, x1, 0.39, 0.45, z, sc.depth, c)
    sc.box(x0 + 0.03, x1 - 0.03, 0.45, 0.51, z + 0.02, sc.depth - 0.06, th.textile, r=0.03)
    sc.rect(x0 + 0.1, x0 + 0.44, 0.0, 0.24, z + 0.1, (206, 174, 126), 0.04)
    sc.rect(x0, x1, 1.62, 1.72, sc.depth - 0.02, c, 0.01)
    n = max(3, round((x1 - x0) / 0.24))
    wear = (th.accent, dark(th.textile, 0.15), mix(th.accent, th.neutral, 0.5), (92, 96, 108))
    for i in range(n):
        u = x0 + (x1 - x0) * (i + 0.5) / n
        sc.disc(u, 1.65, sc.depth - 0.05, 0.022, th.metal)
        if i % 2 == 0:
            k = wear[i % 4]
            zz = sc.depth - 0.06
            sc.poly(
                [
                    (u - 0.05, 1.64, zz),
                    (u + 0.05, 1.64, zz),
                    (u + 0.17, 1.5, zz),
                    (u + 0.2, 0.85, zz),
                    (u - 0.2, 0.85, zz),
                    (u - 0.17, 1.5, zz),
                ],
                k,
            )
            sc.poly(
                [
                    (u, 1.64, zz),
                    (u + 0.05, 1.64, zz),
                    (u + 0.17, 1.5, zz),
                    (u + 0.2, 0.85, zz),
                    (u + 0.02, 0.85, zz),
                ],
                dark(k, 0.3),
                60,
            )
            sc.rect(u - 0.005, u + 0.005, 0.85, 1.55, zz, dark(k, 0.3))
    sc.spot("bench", (x0 + x1) / 2, 0.45, z)
