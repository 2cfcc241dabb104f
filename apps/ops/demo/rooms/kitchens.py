"""Kitchen fronts with what is on, above and beside them."""

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, luma, mix, pale
from apps.ops.demo.rooms.decor import books, vase
from apps.ops.demo.rooms.plants import small_plant
from apps.ops.demo.rooms.themes import Theme


def cabinet_color(th: Theme) -> RGB:
    """Kitchen fronts: the second colour where the style paints, wood where it does not."""
    if th.style in {"korean", "antique", "classic"}:
        return mix(th.wood, th.textile, 0.12)
    if th.style == "industrial":
        return (74, 76, 80) if luma(th.paint) > 90 else (116, 92, 72)
    if th.style == "minimal":
        return pale(th.paint, 0.5)
    return mix(th.textile, th.neutral, 0.25)


def kitchen_run(sc: Scene, th: Theme, x0: float, x1: float, *, fridge: str = "") -> None:
    """Units with hob and sink, tiles and shelves above; `fridge` is "left", "right" or ""."""
    c, z = cabinet_color(th), sc.depth - 0.6
    a, b = x0, x1
    if fridge:
        f0, f1 = (x0, x0 + 0.72) if fridge == "left" else (x1 - 0.72, x1)
        a, b = (f1 + 0.02, x1) if fridge == "left" else (x0, f0 - 0.02)
    _splash(sc, th, a, b)
    sc.shadow(a, b, z, sc.depth, 0.42)
    sc.rect(a + 0.02, b - 0.02, 0.0, 0.1, z + 0.06, (60, 56, 58))
    sc.box(a, b, 0.1, 0.84, z, sc.depth, c)
    n = max(2, round((b - a) / 0.5))
    for i in range(n):
        u0, u1 = a + (b - a) * i / n, a + (b - a) * (i + 1) / n
        cabinet_front(sc, th, u0 + 0.01, u1 - 0.01, 0.12, 0.82, z - 0.004, c, drawers=i == n // 2)
    top = {
        "industrial": (150, 110, 76),
        "modern": (226, 224, 220),
        "minimal": (240, 237, 230),
        "antique": (206, 196, 180),
    }.get(th.style, mix(th.wood, (226, 206, 176), 0.5))
    sc.box(a - 0.01, b + 0.01, 0.84, 0.89, z - 0.03, sc.depth, top)
    hob = a + (b - a) * 0.28
    sink = a + (b - a) * 0.72
    sc.flat(hob - 0.28, hob + 0.28, 0.893, z + 0.06, z + 0.5, (42, 42, 46))
    for u, dz in ((-0.14, 0.18), (0.14, 0.18), (-0.14, 0.4), (0.14, 0.4)):
        sc.plate(hob + u, 0.896, z + dz, 0.075, 0.06, (78, 76, 80))
    pot = th.accent
    sc.tube(hob - 0.14, z + 0.38, 0.9, 1.04, 0.1, 0.11, pot)
    sc.plate(hob - 0.14, 1.05, z + 0.38, 0.11, 0.035, dark(pot, 0.15))
    sc.disc(hob - 0.14, 1.075, z + 0.38, 0.02, (60, 56, 56))
    sc.poly(
        [
            (sink - 0.27, 0.893, z + 0.1),
            (sink + 0.27, 0.893, z + 0.1),
            (sink + 0.25, 0.893, z + 0.46),
            (sink - 0.25, 0.893, z + 0.46),
        ],
        (176, 180, 184),
    )
    sc.poly(
        [
            (sink - 0.24, 0.893, z + 0.13),
            (sink + 0.24, 0.893, z + 0.13),
            (sink + 0.22, 0.893, z + 0.4),
            (sink - 0.22, 0.893, z + 0.4),
        ],
        (130, 134, 140),
    )
    sc.line(
        [
            (sink, 0.9, z + 0.52),
            (sink, 1.16, z + 0.52),
            (sink - 0.02, 1.2, z + 0.5),
            (sink - 0.12, 1.2, z + 0.46),
            (sink - 0.14, 1.12, z + 0.44),
        ],
        th.metal,
        0.028,
    )
    _on_counter(sc, th, a, b, z)
    _above(sc, th, a, b, c, hob)
    sc.spot("counter", a + (b - a) * 0.5, 0.88, z)
    sc.spot("pot", hob - 0.14, 1.0, z + 0.38)
    if fridge:
        _fridge(sc, th, f0, f1)


def cabinet_front(
    sc: Scene,
    th: Theme,
    x0: float,
    x1: float,
    y0: float,
    y1: float,
    z: float,
    c: RGB,
    *,
    drawers: bool,
) -> None:
    rows = 3 if drawers else 1
    for j in range(rows):
        lo, hi = y0 + (y1 - y0) * j / rows + 0.006, y0 + (y1 - y0) * (j + 1) / rows - 0.006
        sc.rect(x0, x1, lo, hi, z, dark(c, 0.22), 0.01)
        sc.rect(x0 + 0.006, x1 - 0.006, lo + 0.006, hi - 0.004, z - 0.001, pale(c, 0.1), 0.01)
        if (
            th.style in {"classic", "antique", "romantic", "provence", "scandinavian"}
            and not drawers
        ):
            sc.rect(x0 + 0.06, x1 - 0.06, lo + 0.07, hi - 0.07, z - 0.002, dark(c, 0.08), 0.01)
            sc.rect(x0 + 0.07, x1 - 0.07, lo + 0.08, hi - 0.08, z - 0.003, pale(c, 0.04), 0.01)
        if th.style in {"modern", "minimal"}:
            sc.rect(x0 + 0.006, x1 - 0.006, hi - 0.024, hi - 0.008, z - 0.003, dark(c, 0.4))
        elif drawers or th.style == "industrial":
            mid = (x0 + x1) / 2
            sc.rect(mid - 0.08, mid + 0.08, hi - 0.06, hi - 0.042, z - 0.004, th.metal, 0.008)
        else:
            sc.disc(x1 - 0.04, hi - 0.12, z - 0.004, 0.018, th.metal)


def _splash(sc: Scene, th: Theme, x0: float, x1: float) -> None:
    """Tiles between counter and shelves."""
    if th.style in {"korean", "minimal"}:
        return
    c = pale(mix(th.neutral, th.accent, 0.1), 0.35) if th.style != "modern" else (212, 208, 202)
    y0, y1, z = 0.89, 1.5, sc.depth - 0.004
    sc.rect(x0, x1, y0, y1, z, dark(c, 0.13))
    wide, tall = (0.2, 0.1) if th.style not in {"provence", "antique"} else (0.12, 0.12)
    row, y = 0, y0
    while y < y1 - 0.01:
        x = x0 - (wide / 2 if row % 2 and wide > tall else 0)
        while x < x1:
            t = sc.grain.random()
            tile = mix(c, th.accent, 0.35) if wide == tall and t > 0.86 else pale(c, t * 0.3)
            sc.rect(
                max(x, x0) + 0.004,
                min(x + wide, x1) - 0.004,
                y + 0.004,
                min(y + tall, y1) - 0.004,
                z,
                tile,
            )
            x += wide
        y, row = y + tall, row + 1


def _on_counter(sc: Scene, th: Theme, a: float, b: float, z: float) -> None:
    mid = a + (b - a) * 0.5
    if th.clutter < 0.3:
        vase(sc, th, mid, 0.89, z + 0.35, 0.9)
        return
    sc.rect(mid - 0.16, mid + 0.1, 0.89, 1.22, z + 0.52, (196, 158, 112), 0.05)
    sc.rect(mid - 0.04, mid + 0.18, 0.89, 1.13, z + 0.48, (170, 128, 88), 0.05)
    for i in range(3):
        u = mid + 0.26 + i * 0.1
        if u < b - 0.1 and abs(u - (a + (b - a) * 0.72)) > 0.1:
            sc.tube(
                u,
                z + 0.46,
                0.89,
                1.03 - 0.02 * i,
                0.04,
                0.04,
                (mix(th.accent, th.neutral, 0.4), th.neutral, pale(th.textile, 0.2))[i],
            )
            sc.rect(u - 0.04, u + 0.04, 1.03 - 0.02 * i, 1.05 - 0.02 * i, z + 0.44, th.wood, 0.01)
    small_plant(sc, th, b - 0.2, 0.89, z + 0.36)


def _above(sc: Scene, th: Theme, a: float, b: float, c: RGB, hob: float) -> None:
    """Wall units in new kitchens, open shelves in old ones, and a hood."""
    z = sc.depth - 0.34
    closed = th.style in {"modern", "minimal", "classic", "korean"}
    top = min(2.15, sc.ceiling - 0.22)
    h0, h1 = hob - 0.32, hob + 0.32
    if closed:
        for u0, u1 in ((a, h0 - 0.02), (h1 + 0.02, b)):
            if u1 - u0 < 0.25:
                continue
            sc.stain((*sc.at(u0, 1.5, sc.depth), *sc.at(u1, 1.38, sc.depth)), 0.3)
            sc.box(u0, u1, 1.48, top, z, sc.depth, pale(c, 0.1))
            n = max(1, round((u1 - u0) / 0.48))
            for i in range(n):
                cabinet_front(
                    sc,
                    th,
                    u0 + (u1 - u0) * i / n + 0.01,
                    u0 + (u1 - u0) * (i + 1) / n - 0.01,
                    1.49,
                    top - 0.01,
                    z - 0.004,
                    pale(c, 0.1),
                    drawers=False,
                )
    else:
        u0, u1 = (h1 + 0.1, b - 0.08) if b - h1 > 0.6 else (a + 0.05, h0 - 0.05)
        wood = th.wood
        for k, y in enumerate((1.5, 1.86)):
            sc.box(u0, u1, y, y + 0.035, sc.depth - 0.24, sc.depth, wood)
            if th.style == "industrial":
                for u in (u0 + 0.08, u1 - 0.1):
                    sc.rect(u, u + 0.025, y - 0.1, y + 0.16, sc.depth - 0.25, (46, 46, 50))
            x, g = u0 + 0.1, sc.grain
            while x < u1 - 0.1:
                kind = (g.randrange(4) + k) % 4
                zz = sc.depth - 0.14
                if kind == 0:
                    for i in range(4):
                        sc.rect(
                            x - 0.07,
                            x + 0.07,
                            y + 0.035 + i * 0.022,
                            y + 0.052 + i * 0.022,
                            zz,
                            (pale(th.textile, 0.3), (246, 243, 236))[i % 2],
                            0.01,
                        )
                elif kind == 1:
                    sc.tube(x, zz, y + 0.035, y + 0.15, 0.04, 0.05, pale(th.accent, 0.2))
                elif kind == 2:
                    small_plant(sc, th, x, y + 0.035, zz)
                else:
                    books(sc, th, x - 0.06, x + 0.07, y + 0.035, zz, 0.2)
                x += 0.21
    metal = (70, 70, 74) if th.style in {"industrial", "modern"} else (226, 222, 214)
    if closed:
        sc.box(h0, h1, 1.56, top, z, sc.depth, metal if th.style != "minimal" else pale(c, 0.1))
        sc.rect(h0, h1, 1.56, 1.6, z - 0.004, dark(metal, 0.3))
    else:
        sc.poly(
            [
                (h0, 1.55, z),
                (h1, 1.55, z),
                (hob + 0.13, 1.8, sc.depth - 0.1),
                (hob - 0.13, 1.8, sc.depth - 0.1),
            ],
            metal,
        )
        sc.rect(hob - 0.13, hob + 0.13, 1.8, sc.ceiling - 0.05, sc.depth - 0.1, dark(metal, 0.06))
        sc.rect(h0, h1, 1.52, 1.56, z, dark(metal, 0.2))
    sc.glow(hob, 1.5, z, 0.5, (255, 214, 150), 0.3)


def _fridge(sc: Scene, th: Theme, x0: float, x1: float) -> None:
    z, tall = sc.depth - 0.66, 1.86
    c = {
        "modern": (86, 88, 92),
        "industrial": (162, 166, 170),
        "korean": (226, 220, 206),
        "romantic": (240, 212, 206),
        "scandinavian": mix(th.accent, (244, 240, 232), 0.55),
        "provence": (226, 230, 214),
    }.get(th.style, (240, 238, 232))
    sc.shadow(x0, x1, z, sc.depth, 0.45)
    sc.box(x0, x1, 0.04, tall, z, sc.depth, c, r=0.04)
    sc.rect(x0 + 0.01, x1 - 0.01, 0.68, 0.69, z - 0.004, dark(c, 0.35))
    for lo, hi in ((0.74, 1.1), (0.4, 0.63)):
        sc.rect(
            x1 - 0.08,
            x1 - 0.055,
            lo,
            hi,
            z - 0.02,
            (206, 206, 204) if luma(c) < 140 else (150, 148, 146),
            0.01,
        )
    if th.clutter > 0.5:
        for u, y, shade in (
            (0.2, 1.42, th.accent),
            (0.34, 1.5, (250, 240, 200)),
            (0.28, 1.3, th.textile),
        ):
            sc.rect(x0 + u, x0 + u + 0.1, y, y + 0.11, z - 0.01, shade)
    sc.spot("fridge", (x0 + x1) / 2, 1.3, z)
