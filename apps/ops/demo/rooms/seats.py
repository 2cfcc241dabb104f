"""What one sits on: sofas, chairs, stools, floor cushions."""

import math

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, mix, pale
from apps.ops.demo.rooms.themes import Theme


def legs(
    sc: Scene, x0: float, x1: float, z0: float, z1: float, tall: float, c: RGB, w: float = 0.04
) -> None:
    """Four legs under a block."""
    for z in (z1, z0):
        for a in (x0, x1 - w):
            sc.rect(a, a + w, 0, tall + 0.01, z, dark(c, 0.25) if z == z1 else c)


def pillow(
    sc: Scene, x: float, y: float, z: float, s: float, c: RGB, turn: float, pattern: int
) -> None:
    """A cushion, `s` metres wide, set at an angle of `turn` radians."""
    pts = []
    for i in range(32):
        a = math.tau * i / 32
        r = s * 0.5 * (abs(math.cos(a)) ** 5 + abs(math.sin(a)) ** 5) ** (-1 / 5)
        pts.append((x + r * math.cos(a + turn), y + r * math.sin(a + turn), z))
    sc.poly(pts, c)
    lower = [p for p in pts if p[1] < y + s * 0.06]
    if len(lower) > 3:
        lower.sort(key=lambda p: math.atan2(p[1] - y - s, p[0] - x))
        sc.poly(lower, dark(c, 0.4), 34)
    if pattern == 1:
        for t in (-0.22, 0.0, 0.22):
            dx, dy = math.cos(turn), math.sin(turn)
            ox, oy = x - dy * s * t, y + dx * s * t
            sc.line(
                [
                    (ox - dx * s * 0.42, oy - dy * s * 0.42, z),
                    (ox + dx * s * 0.42, oy + dy * s * 0.42, z),
                ],
                pale(c, 0.5),
                0.018,
            )
    elif pattern == 2:
        sc.disc(x, y, z, s * 0.2, pale(c, 0.4))


def sofa(sc: Scene, th: Theme, x: float, z: float, w: float) -> None:
    """The style's sofa, its back towards the back wall; (x, z) is the middle of its front edge."""
    kind, c, d = th.sofa, th.textile, 0.88
    x0, x1, z1 = x - w / 2, x + w / 2, z + d
    sc.spot("sofa", x - w * 0.2, 0.42, z)
    if kind == "floor":
        floor_sofa(sc, th, x, z, w)
        return
    arm = {
        "low": 0.0,
        "block": 0.2,
        "legs": 0.14,
        "leather": 0.17,
        "skirt": 0.19,
        "curvy": 0.22,
        "roll": 0.22,
    }.get(kind, 0.22)
    leg = {"low": 0.05, "block": 0.05, "legs": 0.17, "leather": 0.13, "skirt": 0.0}.get(kind, 0.12)
    seat, back, r = 0.43, {"low": 0.66, "curvy": 0.92, "tufted": 0.88}.get(kind, 0.82), 0.07
    arm_y = {"tufted": 0.8, "roll": 0.66, "curvy": 0.64, "leather": 0.62}.get(kind, 0.6)
    wood = dark(th.wood, 0.15) if kind != "leather" else (44, 44, 46)
    sc.shadow(x0, x1, z - 0.05, z1, 0.5)
    sc.stain((*sc.at(x0 - 0.03, back + 0.02, sc.depth), *sc.at(x1 + 0.1, 0.2, sc.depth)), 0.22)
    if leg:
        legs(sc, x0 + 0.06, x1 - 0.06, z + 0.05, z1 - 0.05, leg, wood)
    # Back
    if kind in {"curvy", "tufted"}:
        hump = [
            (
                x0 + w * t / 24,
                back - 0.2 + (0.2 if kind == "curvy" else 0.12) * math.sin(math.pi * t / 24) ** 0.6,
                z + d - 0.18,
            )
            for t in range(25)
        ]
        sc.poly([(x0, leg, z + d - 0.18), *hump, (x1, leg, z + d - 0.18)], dark(c, 0.08))
        if kind == "curvy":
            sc.line(hump, dark(th.metal, 0.05), 0.028)
        n = max(5, round(w / 0.24))
        for row in range(3):
            for i in range(n - 1 + row % 2):
                bx = x0 + arm + (i + (0.5 if row % 2 else 1.0)) * (w - 2 * arm) / n
                sc.disc(bx, seat + 0.08 + row * 0.11, z + d - 0.18, 0.014, dark(c, 0.35))
    else:
        sc.box(x0, x1, leg, back, z + d - 0.22, z1, dark(c, 0.1), r=r)
        n = 3 if w > 2.0 else 2
        for i in range(n):
            a = x0 + arm + (w - 2 * arm) * i / n
            b = x0 + arm + (w - 2 * arm) * (i + 1) / n
            sc.box(
                a + 0.01,
                b - 0.01,
                seat - 0.02,
                back + 0.02,
                z + d - 0.38,
                z + d - 0.2,
                pale(c, 0.05),
                r=0.09,
            )
            sc.rect(a + 0.05, b - 0.06, back - 0.06, back - 0.045, z + d - 0.38, pale(c, 0.2), 0.01)
    # Seat
    sc.box(
        x0 + arm * 0.6, x1 - arm * 0.6, leg, seat - 0.14, z + 0.03, z1 - 0.1, dark(c, 0.16), r=0.02
    )
    n = 1 if kind == "low" else 3 if w > 2.0 else 2
    for i in range(n):
        a = x0 + arm + (w - 2 * arm) * i / n
        b = x0 + arm + (w - 2 * arm) * (i + 1) / n
        sc.box(a + 0.006, b - 0.006, seat - 0.17, seat, z, z + d - 0.3, c, r=0.06)
    # Arms
    if arm:
        for a in (x0, x1 - arm):
            sc.box(
                a,
                a + arm,
                leg,
                arm_y,
                z - 0.01,
                z1 - 0.04,
                dark(c, 0.05),
                r=0.05 if kind != "block" else 0.03,
            )
            if kind in {"roll", "curvy", "tufted"}:
                mid = a + arm / 2
                sc.disc(mid, arm_y - 0.03, z - 0.02, arm * 0.62, dark(c, 0.03))
                sc.disc(mid, arm_y - 0.03, z - 0.02, arm * 0.46, dark(c, 0.16))
                sc.disc(mid, arm_y - 0.03, z - 0.02, arm * 0.40, dark(c, 0.06))
    if kind == "skirt":
        m = round(w / 0.09)
        for i in range(m):
            a = x0 + w * i / m
            sc.rect(a, a + w / m, 0.0, 0.22, z - 0.015, (dark(c, 0.05), pale(c, 0.25))[i % 2])
    elif kind in {"roll", "tufted", "curvy"}:
        sc.rect(x0 + arm, x1 - arm, leg, leg + 0.05, z - 0.01, dark(th.wood, 0.1), 0.01)
    _cushions(sc, th, x0 + arm, x1 - arm, seat, z + d - 0.44)


def _cushions(sc: Scene, th: Theme, x0: float, x1: float, y: float, z: float) -> None:
    count = 1 if th.style == "minimal" else 3 + sc.rng.randrange(2)
    shades = (th.accent, th.neutral, mix(th.accent, th.textile, 0.5), pale(th.paint, 0.25))
    g = sc.grain
    spots = [x0 + 0.22, x1 - 0.24, x0 + 0.52, x1 - 0.52][:count]
    for i in (3, 2, 1, 0):
        if i < len(spots):
            s = 0.42 - 0.05 * (i // 2)
            pillow(
                sc,
                spots[i],
                y + s * 0.46,
                z - 0.03 * (3 - i),
                s,
                shades[i],
                g.uniform(-0.25, 0.25),
                (0, 1, 2, 0)[i],
            )
    sc.spot("cushion", spots[0], y + 0.2, z)
    if th.clutter > 0.55 and sc.rng.random() < 0.7:
        # A throw over the seat's edge.
        c = pale(th.accent, 0.35)
        a = x0 + (x1 - x0) * 0.62
        f = z - 0.48
        sc.poly(
            [
                (a, y + 0.012, z),
                (a + 0.42, y + 0.012, z),
                (a + 0.4, y + 0.012, f),
                (a + 0.02, y + 0.012, f),
            ],
            c,
        )
        sc.rect(a + 0.02, a + 0.4, y - 0.24, y + 0.01, f, dark(c, 0.07))
        for i in range(4):
            sc.rect(a + 0.02, a + 0.4, y - 0.05 - i * 0.05, y - 0.04 - i * 0.05, f, th.accent)
        for i in range(14):
            u = a + 0.03 + i * 0.027
            sc.line([(u, y - 0.24, f), (u, y - 0.29, f)], c, 0.008)


def floor_sofa(sc: Scene, th: Theme, x: float, z: float, w: float) -> None:
    """A boryo: a long floor mattress with its back cushions and arm bolsters."""
    c = th.textile
    x0, x1 = x - w / 2, x + w / 2
    sc.shadow(x0, x1, z, z + 0.8, 0.42)
    sc.box(x0, x1, 0.0, 0.12, z, z + 0.8, c, r=0.03)
    trim = th.accent
    sc.rect(x0, x1, 0.045, 0.075, z - 0.005, trim)
    n = 3 if w > 1.9 else 2
    for i in range(n):
        a, b = x0 + w * i / n + 0.03, x0 + w * (i + 1) / n - 0.03
        sc.box(a, b, 0.12, 0.56, z + 0.62, z + 0.78, mix(c, th.neutral, 0.3), r=0.04)
        for inset, shade in ((0.06, trim), (0.085, pale(c, 0.3))):
            sc.rect(a + inset, b - inset, 0.12 + inset, 0.56 - inset, z + 0.615, shade, 0.02)
    for a in (x0 + 0.02, x1 - 0.24):
        sc.box(a, a + 0.22, 0.12, 0.32, z + 0.08, z + 0.58, trim, r=0.09)
        sc.disc(a + 0.11, 0.22, z + 0.075, 0.07, pale(trim, 0.4))
        sc.disc(a + 0.11, 0.22, z + 0.075, 0.03, (204, 96, 80))


def floor_cushion(sc: Scene, x: float, z: float, c: RGB) -> None:
    """A bangseok."""
    sc.shadow(x - 0.3, x + 0.3, z - 0.24, z + 0.24, 0.3)
    sc.box(x - 0.29, x + 0.29, 0.0, 0.08, z - 0.24, z + 0.24, c, r=0.04)
    sc.poly(
        [
            (x - 0.2, 0.081, z - 0.15),
            (x + 0.2, 0.081, z - 0.15),
            (x + 0.19, 0.081, z + 0.16),
            (x - 0.19, 0.081, z + 0.16),
        ],
        pale(c, 0.45),
    )


def armchair(sc: Scene, th: Theme, x: float, z: float, c: RGB) -> None:
    """An easy chair that faces the viewer."""
    w, d = 0.74, 0.7
    x0, x1 = x - w / 2, x + w / 2
    sc.shadow(x0, x1, z, z + d, 0.45)
    sc.spot("armchair", x, 0.45, z)
    legs(sc, x0 + 0.05, x1 - 0.05, z + 0.05, z + d - 0.05, 0.18, dark(th.wood, 0.1), 0.045)
    tall = 0.98 if th.style in {"classic", "antique", "romantic", "provence"} else 0.82
    sc.box(x0 + 0.06, x1 - 0.06, 0.2, tall, z + d - 0.2, z + d, dark(c, 0.08), r=0.16)
    sc.box(x0 + 0.08, x1 - 0.08, 0.18, 0.44, z, z + d - 0.16, c, r=0.06)
    for a in (x0, x1 - 0.12):
        sc.box(a, a + 0.12, 0.18, 0.6, z - 0.01, z + d - 0.06, dark(c, 0.05), r=0.05)
    pillow(sc, x, 0.6, z + d - 0.3, 0.34, th.accent if c != th.accent else th.neutral, 0.1, 1)


def chair(sc: Scene, th: Theme, x: float, z: float, *, facing: bool, c: RGB | None = None) -> None:
    """A dining or desk chair; `facing` the viewer, or with its back to the viewer."""
    wood = th.wood if th.style != "industrial" else (50, 50, 54)
    seat = c or mix(th.textile, th.accent, 0.2)
    w, d, top = 0.42, 0.42, 0.84
    x0, x1 = x - w / 2, x + w / 2
    sc.shadow(x0, x1, z, z + d, 0.32)
    sc.spot("chair", x, 0.5, z)

    def back(zz: float) -> None:
        for a in (x0, x1 - 0.035):
            sc.rect(a, a + 0.035, 0.4, top, zz, wood)
        if th.style in {"modern", "minimal", "romantic", "classic"}:
            sc.rect(x0, x1, 0.55, top + 0.02, zz, seat, 0.1)
            sc.rect(x0 + 0.05, x1 - 0.05, 0.6, top - 0.03, zz, pale(seat, 0.14), 0.07)
        else:
            sc.rect(x0 - 0.01, x1 + 0.01, top - 0.1, top, zz, wood, 0.03)
            for i in range(1, 5):
                u = x0 + w * i / 5
                sc.rect(u - 0.01, u + 0.01, 0.44, top - 0.05, zz, dark(wood, 0.12))

    legs(sc, x0, x1, z, z + d, 0.44, wood, 0.035)
    if facing:
        back(z + d)
    sc.box(x0 - 0.01, x1 + 0.01, 0.42, 0.48, z, z + d, seat, r=0.02)
    if not facing:
        back(z)


def stool(sc: Scene, th: Theme, x: float, z: float, tall: float = 0.62) -> None:
    """A bar stool."""
    c = th.metal if th.style in {"industrial", "modern"} else th.wood
    sc.shadow(x - 0.18, x + 0.18, z - 0.14, z + 0.14, 0.32)
    for u, dz in ((-0.12, 0.1), (0.12, 0.1), (-0.14, -0.1), (0.14, -0.1)):
        sc.line([(x + u * 0.7, tall, z + dz * 0.7), (x + u, 0, z + dz)], c, 0.026)
    sc.line([(x - 0.12, 0.24, z - 0.1), (x + 0.12, 0.24, z - 0.1)], c, 0.02)
    sc.plate(x, tall, z, 0.18, 0.15, dark(th.wood, 0.2))
    sc.plate(x, tall + 0.04, z, 0.18, 0.15, pale(th.wood, 0.1))
    sc.spot("stool", x, tall, z)
