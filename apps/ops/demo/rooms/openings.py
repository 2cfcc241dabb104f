"""Windows with what is seen through them, curtains and doors."""

import math

from PIL import Image

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, mix, pale
from apps.ops.demo.rooms.themes import Theme

SKIES: dict[str, tuple[RGB, RGB, RGB]] = {
    # top of the sky, horizon, hills and houses
    "day": ((150, 198, 232), (226, 240, 246), (150, 182, 164)),
    "morning": ((176, 208, 226), (252, 236, 214), (166, 186, 172)),
    "sunset": ((126, 140, 188), (250, 196, 150), (118, 108, 136)),
    "night": ((38, 48, 84), (92, 92, 132), (34, 38, 62)),
}
LEAF: RGB = (112, 146, 100)


def window(sc: Scene, th: Theme, x0: float, x1: float, y0: float, y1: float, sky: str) -> None:
    """A window in the back wall, in the style's kind of frame, with its curtains."""
    z = sc.depth
    arched = th.window == "arched"
    frame = {
        "slim": (64, 64, 68),
        "steel": (40, 40, 44),
        "lattice": th.wood,
        "grid": (248, 246, 240),
    }.get(th.window, pale(th.trim, 0.2))
    if th.style == "minimal":
        frame = (238, 235, 228)
    if th.style == "antique":
        frame = th.wood
    sc.rect(x0 - 0.07, x1 + 0.07, y0 - 0.06, y1 + 0.07, z, dark(th.paint, 0.22), 0.02)
    _view(sc, x0, x1, y0, y1, sky)
    if th.window == "lattice":
        _lattice(sc, th, x0, x1, y0, y1, sky)
    else:
        _panes(sc, th, frame, x0, x1, y0, y1)
    if arched:
        _arch(sc, th, frame, x0, x1, y1)
    if th.window == "shutter":
        _shutters(sc, th, x0, x1, y0, y1)
    if y0 > 0.3:
        sc.box(
            x0 - 0.1,
            x1 + 0.1,
            y0 - 0.07,
            y0 - 0.01,
            z - 0.12,
            z,
            frame if th.window != "steel" else (90, 88, 86),
        )
    curtains(sc, th, x0, x1, y1)
    beam = {"day": 0.34, "morning": 0.36, "sunset": 0.26}.get(sky, 0.0)
    if beam:
        # The sun stands on the lit side, so its patch slides to the other one.
        shift = -0.55 if sc.light_from > 0 else 0.55
        mid, n = (x0 + x1) / 2, 2
        for i in range(n):
            a = x0 + (x1 - x0) * i / n + 0.05
            b = x0 + (x1 - x0) * (i + 1) / n - 0.05
            far, near = 2.5, 0.9
            quad = [
                (a + shift, 0.0, far),
                (b + shift, 0.0, far),
                (b + shift * 2.4 + (b - mid) * 0.2, 0.0, near),
                (a + shift * 2.4 + (a - mid) * 0.2, 0.0, near),
            ]
            sc.sunbeam(quad, (255, 240, 206), beam)


def _view(sc: Scene, x0: float, x1: float, y0: float, y1: float, sky: str) -> None:
    top, low, hill = SKIES[sky]
    ax, ay = (round(v) for v in sc.at(x0, y1, sc.depth))
    bx, by = (round(v) for v in sc.at(x1, y0, sc.depth))
    if bx - ax < 2 or by - ay < 2:
        return
    strip = Image.new("RGB", (1, 16))
    for i in range(16):
        strip.putpixel((0, i), mix(top, low, min(1.0, (i / 15) ** 1.2)))
    sc.img.paste(strip.resize((bx - ax, by - ay), Image.Resampling.BILINEAR), (ax, ay))
    kind = sc.rng.randrange(3)
    w, h, z, g = x1 - x0, y1 - y0, sc.depth, sc.grain
    if sky != "night":
        cx, cy = x0 + w * g.uniform(0.15, 0.7), y1 - h * 0.22
        for dx, r in ((0, 0.07), (0.09, 0.1), (0.2, 0.08), (0.28, 0.05)):
            if cx + dx + r < x1:
                sc.disc(cx + dx, cy, z, r, mix(low, (255, 255, 255), 0.7), r * 0.55)
    far = mix(hill, low, 0.55)
    _ridge(sc, x0, x1, y0, y0 + h * 0.34, far, 0.10 * h)
    if kind == 0:  # flats of a Korean town
        x = x0
        while x < x1 - 0.02:
            b = min(x + g.uniform(0.16, 0.3), x1)
            tall = y0 + h * g.uniform(0.2, 0.5)
            c = mix(hill, low, g.uniform(0.25, 0.5))
            sc.rect(x, b, y0, tall, z, c)
            dot: RGB = (250, 214, 140) if sky in {"night", "sunset"} else pale(c, 0.35)
            y = tall - 0.06
            while y > y0:
                u = x + 0.03
                while u < b - 0.04:
                    if g.random() < (0.45 if sky == "night" else 0.7):
                        sc.rect(u, u + 0.022, y - 0.026, y, z, dot)
                    u += 0.05
                y -= 0.065
            x = b + g.uniform(0.0, 0.08)
    elif kind == 1:
        _ridge(sc, x0, x1, y0, y0 + h * 0.2, mix(hill, low, 0.2), 0.07 * h)
    green = mix(hill, LEAF, 0.5 if sky != "night" else 0.1)
    x = x0 + 0.08
    while x < x1 - 0.06:
        r = min(g.uniform(0.08, 0.16), x - x0, x1 - x)
        sc.disc(x, y0 + r * 0.6, z, r, mix(green, low, g.uniform(0.0, 0.25)))
        x += r * 1.1


def _ridge(sc: Scene, x0: float, x1: float, y0: float, y: float, c: RGB, rise: float) -> None:
    phase = sc.grain.uniform(0, 6)
    n = 24
    crest = [
        (
            x0 + (x1 - x0) * i / n,
            y + rise * math.sin(phase + i * 0.42) + rise * 0.4 * math.sin(phase * 2 + i * 0.9),
            sc.depth,
        )
        for i in range(n + 1)
    ]
    sc.poly([(x0, y0, sc.depth), *crest, (x1, y0, sc.depth)], c)


def _panes(sc: Scene, th: Theme, c: RGB, x0: float, x1: float, y0: float, y1: float) -> None:
    z = sc.depth
    cols, rows = {
        "slim": (2, 1),
        "steel": (4, 4),
        "grid": (2, 3),
        "shutter": (2, 3),
        "arched": (2, 3),
        "tall": (2, 4),
    }.get(th.window, (2, 1))
    if x1 - x0 > 1.9:
        cols += 1 if th.window == "slim" else 2
    edge, bar = (0.055, 0.03) if th.window in {"slim", "steel"} else (0.07, 0.035)
    for i in range(cols + 1):
        t = edge if i in {0, cols} else bar
        x = x0 + (x1 - x0) * i / cols
        a = x if i == 0 else x - t if i == cols else x - t / 2
        sc.rect(a, a + t, y0, y1, z, c)
    for j in range(rows + 1):
        t = edge if j in {0, rows} else bar
        y = y0 + (y1 - y0) * j / rows
        a = y if j == 0 else y - t if j == rows else y - t / 2
        sc.rect(x0, x1, a, a + t, z, c)
    # A slant of reflection on the glass.
    w = x1 - x0
    sc.poly(
        [
            (x0 + w * 0.1, y0, z),
            (x0 + w * 0.22, y0, z),
            (x0 + w * 0.46, y1, z),
            (x0 + w * 0.34, y1, z),
        ],
        (255, 255, 255),
        34,
    )


def _arch(sc: Scene, th: Theme, c: RGB, x0: float, x1: float, y1: float) -> None:
    """Round the head of a window by a moulded lunette above it."""
    mid, r = (x0 + x1) / 2, (x1 - x0) / 2
    ry = min(0.36, max(0.1, sc.ceiling - y1 - 0.12))
    ring = [math.pi * i / 24 for i in range(25)]
    for grow, shade in ((0.06, c), (-0.02, (206, 226, 238))):
        sc.poly(
            [
                (mid + (r + grow) * math.cos(a), y1 + (ry + grow) * math.sin(a), sc.depth)
                for a in ring
            ],
            shade,
        )
    for a in (math.pi * 0.25, math.pi * 0.5, math.pi * 0.75):
        sc.line(
            [(mid, y1, sc.depth), (mid + r * math.cos(a), y1 + ry * math.sin(a), sc.depth)], c, 0.03
        )
    sc.rect(x0 - 0.02, x1 + 0.02, y1 - 0.03, y1 + 0.03, sc.depth, c)


def _lattice(sc: Scene, th: Theme, x0: float, x1: float, y0: float, y1: float, sky: str) -> None:
    """Paper doors of a hanok; the middle pair stands open on the garden."""
    z, wood = sc.depth, dark(th.wood, 0.1)
    paper: RGB = (248, 240, 222) if sky != "night" else (222, 200, 160)
    n = 4 if x1 - x0 > 1.5 else 3
    step = (x1 - x0) / n
    shown = 1 if n == 3 else 2
    for i in range(n):
        a, b = x0 + i * step, x0 + (i + 1) * step
        if i != shown:
            sc.rect(a, b, y0, y1, z, paper)
            low = y0 + 0.32 if y0 < 0.5 else y0
            if low > y0:
                sc.rect(a, b, y0, low, z, pale(wood, 0.12))
                sc.rect(a + 0.07, b - 0.07, y0 + 0.07, low - 0.06, z, dark(wood, 0.12))
            for k in range(1, 6):
                x = a + (b - a) * k / 6
                sc.rect(x - 0.007, x + 0.007, low, y1, z, wood)
            mid = (low + y1) / 2
            for base in (low + 0.1, mid - 0.08, y1 - 0.28):
                for k in range(3):
                    sc.rect(a, b, base + k * 0.065, base + k * 0.065 + 0.014, z, wood)
            if sky != "night":
                sc.veil(a, b, low, y1, z, (255, 246, 220), 40)
        for x in (a, b - 0.05):
            sc.rect(x, x + 0.05, y0, y1, z, wood)
        for y in (y0, y1 - 0.05):
            sc.rect(a, b, y, y + 0.05, z, wood)
    for i in (1, n - 1):
        x = x0 + i * step
        sc.disc(x - 0.1 if i == 1 else x + 0.1, (y0 + y1) / 2 - 0.05, z, 0.022, (60, 50, 46))


def _shutters(sc: Scene, th: Theme, x0: float, x1: float, y0: float, y1: float) -> None:
    """Louvred leaves, folded back on the wall, and lavender on the sill."""
    c, z, w = mix(th.accent, (206, 206, 220), 0.35), sc.depth, min(0.42, (x1 - x0) * 0.32)
    for a in (x0 - w - 0.04, x1 + 0.04):
        sc.rect(a, a + w, y0, y1, z, c, 0.01)
        for half in (0, 1):
            lo = y0 + 0.05 + half * (y1 - y0) / 2
            hi = lo + (y1 - y0) / 2 - 0.09
            sc.rect(a + 0.05, a + w - 0.05, lo, hi, z, dark(c, 0.2))
            y = lo + 0.01
            while y < hi - 0.02:
                sc.rect(a + 0.05, a + w - 0.05, y, y + 0.026, z, pale(c, 0.15))
                y += 0.045
    if y0 > 0.5:
        sc.box(x0 + 0.08, x1 - 0.08, y0, y0 + 0.13, z - 0.14, z - 0.02, (190, 124, 88), r=0.02)
        g, x = sc.grain, x0 + 0.12
        while x < x1 - 0.1:
            lavender_stem(sc, x, y0 + 0.13, z - 0.08, g.uniform(0.16, 0.28), g.uniform(-0.05, 0.05))
            x += 0.035


def lavender_stem(sc: Scene, x: float, y: float, z: float, tall: float, lean: float) -> None:
    """One stem with its small flowers."""
    tip = (x + lean, y + tall, z)
    sc.line([(x, y, z), tip], (126, 148, 112), 0.008)
    for i in range(5):
        t = 0.5 + i * 0.125
        c = (150, 124, 192) if i % 2 else (126, 100, 172)
        sc.disc(x + lean * t, y + tall * t, z, 0.018 - i * 0.0018, c)


def curtains(sc: Scene, th: Theme, x0: float, x1: float, y1: float) -> None:
    """What hangs at a window; nothing for paper doors and steel frames."""
    if th.curtain == "none":
        return
    z = sc.depth - 0.06
    rod = min(y1 + (0.45 if th.window == "arched" else 0.16), sc.ceiling - 0.1)
    w = min(0.42, (x1 - x0) * 0.28)
    cloth = {
        "sheer": (250, 248, 242),
        "linen": mix((244, 236, 222), th.accent, 0.16),
        "swag": pale(mix(th.textile, th.accent, 0.2), 0.3),
        "velvet": dark(th.textile, 0.1),
    }.get(th.curtain, mix(th.neutral, th.textile, 0.45))
    bar = th.metal if th.curtain not in {"sheer", "linen"} else (236, 232, 224)
    a, b = max(x0 - w * 0.75, sc.left + 0.02), min(x1 + w * 0.75, sc.right - 0.02)
    if th.curtain == "sheer":
        for left, right in ((a, x0 + w * 0.7), (x1 - w * 0.7, b)):
            _drop(sc, left, right, rod, z, cloth, alpha=215)
    elif th.curtain in {"swag", "velvet"}:
        for s, edge, inner in ((1, a, x0 + w), (-1, b, x1 - w)):
            _tied(sc, edge, inner, rod, z, cloth, s, th.metal)
        _pelmet(sc, a, b, rod, z, cloth)
    else:
        for left, right in ((a, x0 + w * 0.45), (x1 - w * 0.45, b)):
            _drop(sc, left, right, rod, z, cloth)
    sc.line([(a - 0.04, rod + 0.01, z), (b + 0.04, rod + 0.01, z)], bar, 0.028)
    for x in (a - 0.05, b + 0.05):
        sc.disc(x, rod + 0.01, z, 0.03, bar)


def _drop(sc: Scene, x0: float, x1: float, top: float, z: float, c: RGB, alpha: int = 255) -> None:
    n = max(4, round((x1 - x0) / 0.06))
    for i in range(n):
        a, b = x0 + (x1 - x0) * i / n, x0 + (x1 - x0) * (i + 1) / n
        shade = (dark(c, 0.13), c, pale(c, 0.25), dark(c, 0.05))[i % 4]
        sc.poly([(a, 0.03, z), (b, 0.03, z), (b, top, z), (a, top, z)], shade, alpha)


def _tied(
    sc: Scene, edge: float, inner: float, top: float, z: float, c: RGB, s: int, tie: RGB
) -> None:
    """A heavy curtain held back at hip height."""
    n = 6
    waist = edge + s * abs(inner - edge) * 0.42
    for i in range(n):
        t0, t1 = i / n, (i + 1) / n
        shade = (c, dark(c, 0.16), pale(c, 0.16))[i % 3]
        head = [edge + (inner - edge) * 1.25 * t for t in (t0, t1)]
        belt = [edge + (waist - edge) * t for t in (t0, t1)]
        foot = [edge + (inner - edge) * 0.72 * t for t in (t0, t1)]
        sc.poly(
            [(head[0], top, z), (head[1], top, z), (belt[1], 0.95, z), (belt[0], 0.95, z)], shade
        )
        sc.poly(
            [(belt[0], 0.95, z), (belt[1], 0.95, z), (foot[1], 0.03, z), (foot[0], 0.03, z)],
            dark(shade, 0.06),
        )
    sc.line([(edge, 0.97, z), (waist + s * 0.02, 0.94, z)], tie, 0.05)


def _pelmet(sc: Scene, x0: float, x1: float, top: float, z: float, c: RGB) -> None:
    """Three swags under the rod."""
    n = 3
    for i in range(n):
        a, b = x0 + (x1 - x0) * i / n, x0 + (x1 - x0) * (i + 1) / n
        for depth, shade in ((0.26, dark(c, 0.12)), (0.2, c), (0.13, pale(c, 0.16)), (0.07, c)):
            arc = [
                (a + (b - a) * t / 12, top - depth * math.sin(math.pi * t / 12), z)
                for t in range(13)
            ]
            sc.poly([(a, top, z), *arc, (b, top, z)], shade)


def side_window(sc: Scene, th: Theme, side: float, sky: str) -> None:
    """A window in a side wall, seen aslant, with its light over the floor."""
    top, low, _ = SKIES[sky]
    z0, z1, y0, y1 = 1.35, 2.75, 0.85, min(2.15, sc.ceiling - 0.3)
    frame = (
        th.wood
        if th.window in {"lattice"} or th.style == "antique"
        else (62, 62, 66)
        if th.window in {"slim", "steel"} and th.style != "minimal"
        else pale(th.trim, 0.2)
    )
    quad = [(side, y0, z0), (side, y0, z1), (side, y1, z1), (side, y1, z0)]
    sc.side(side, y0 - 0.07, y1 + 0.07, z0 - 0.07, z1 + 0.07, frame)
    sc.poly(quad, mix(top, low, 0.35))
    half = (y0 + y1) / 2
    sc.poly(
        [(side, y0, z0), (side, y0, z1), (side, half, z1), (side, half - 0.1, z0)],
        mix(low, top, 0.1),
    )
    for t in (1 / 3, 2 / 3) if th.window != "slim" else (0.5,):
        z = z0 + (z1 - z0) * t
        sc.line([(side, y0, z), (side, y1, z)], frame, 0.035)
    if th.window != "slim":
        sc.line([(side, half, z0), (side, half, z1)], frame, 0.035)
    if sky != "night":
        s = 1 if side < 0 else -1
        sc.sunbeam(
            [
                (side + s * 0.5, 0, z0 + 0.2),
                (side + s * 0.5, 0, z1),
                (side + s * 1.7, 0, z1 - 0.3),
                (side + s * 1.7, 0, z0 - 0.2),
            ],
            (255, 240, 206),
            0.32,
        )


def door(sc: Scene, th: Theme, x0: float, x1: float, height: float, c: RGB) -> None:
    """A closed door in the back wall."""
    z = sc.depth
    sc.rect(x0 - 0.09, x1 + 0.09, 0, height + 0.09, z, dark(th.trim, 0.06), 0.01)
    sc.rect(x0, x1, 0, height, z, c, 0.01)
    panels = {"modern": 0, "minimal": 0, "industrial": 0, "korean": 0}.get(th.style, 2)
    hi, lo = pale(c, 0.18), dark(c, 0.2)
    for i in range(panels):
        y0 = 0.15 + i * (height - 0.2) / 2
        y1 = y0 + (height - 0.2) / 2 - 0.14
        mid = (x0 + x1) / 2
        for a, b in ((x0 + 0.1, mid - 0.05), (mid + 0.05, x1 - 0.1)):
            sc.rect(a, b, y0, y1, z, lo, 0.01)
            sc.rect(a + 0.015, b - 0.008, y0 + 0.008, y1 - 0.015, z, hi, 0.01)
            sc.rect(a + 0.03, b - 0.03, y0 + 0.03, y1 - 0.03, z, c, 0.01)
    if panels == 0:
        for t in (0.33, 0.66):
            sc.rect(x0, x1, height * t, height * t + 0.012, z, lo)
        sc.rect(x0 + 0.12, x0 + 0.2, height * 0.42, height * 0.88, z, pale(th.ceiling, 0.2), 0.02)
    sc.box(x1 - 0.14, x1 - 0.06, 0.95, 1.2, z - 0.05, z, (58, 58, 62), r=0.02)
    sc.rect(x1 - 0.2, x1 - 0.08, 1.0, 1.03, z - 0.08, th.metal, 0.01)
