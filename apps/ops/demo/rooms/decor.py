"""Pictures, mirrors, vases, books and the small things that make a room lived in."""

import math

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, luma, mix, pale, pick
from apps.ops.demo.rooms.openings import lavender_stem
from apps.ops.demo.rooms.plants import GREENS, leaf
from apps.ops.demo.rooms.themes import Theme


def vase(sc: Scene, th: Theme, x: float, y: float, z: float, size: float = 1.0) -> None:
    """A vase with what the style puts in it; the Korean one is a moon jar left empty."""
    if th.style == "korean":
        r = 0.14 * size
        sc.rect(x - r * 0.5, x + r * 0.5, y, y + r * 2.02, z, (232, 229, 220))
        sc.disc(x, y + r, z, r, (240, 238, 230), r * 0.95)
        sc.disc(x - r * 0.3, y + r * 1.3, z, r * 0.4, (250, 249, 244))
        return
    g = sc.grain
    c = pick(sc.rng, pale(th.accent, 0.3), th.neutral, mix(th.textile, th.neutral, 0.4))
    tall = 0.2 * size
    for i in range(7):
        lean = (i - 3) * 0.035 * size
        if th.plant == "lavender":
            lavender_stem(sc, x, y + tall * 0.8, z, 0.2 * size, lean)
        else:
            tip = (x + lean * 2, y + tall + 0.2 * size + g.uniform(-0.03, 0.04), z)
            sc.line([(x, y + tall * 0.8, z), tip], (120, 136, 96), 0.008)
            if th.plant in {"roses", "fern"} or th.style == "classic":
                sc.disc(
                    tip[0],
                    tip[1],
                    z,
                    0.042 * size,
                    (th.accent, pale(th.accent, 0.4), (246, 232, 220))[i % 3],
                )
            else:
                leaf(
                    sc, tip[0], tip[1] - 0.03, z, 0.13 * size, 1.57 - lean * 6, 0.42, GREENS[i % 4]
                )
    sc.tube(x, z, y, y + tall * 0.62, 0.05 * size, 0.075 * size, c)
    sc.tube(x, z, y + tall * 0.6, y + tall, 0.072 * size, 0.04 * size, c)


def books(
    sc: Scene, th: Theme, x0: float, x1: float, y: float, z: float, tall: float = 0.24
) -> None:
    """A row of upright books, the last one leaning."""
    g, x = sc.grain, x0
    shades = (
        th.accent,
        th.textile,
        th.neutral,
        dark(th.textile, 0.3),
        (224, 214, 196),
        (106, 120, 128),
        pale(th.wood, 0.3),
    )
    while x < x1 - 0.02:
        w = min(g.uniform(0.022, 0.052), x1 - x)
        h = tall * g.uniform(0.68, 1.0)
        c = pick(g, *shades)
        sc.rect(x, x + w - 0.003, y, y + h, z, c)
        sc.rect(x + 0.003, x + w - 0.006, y + h * 0.72, y + h * 0.78, z, pale(c, 0.45))
        x += w


def picture(sc: Scene, th: Theme, x: float, y: float, w: float, h: float, kind: str = "") -> None:
    """A framed picture on the back wall, centred at (x, y)."""
    z, g = sc.depth - 0.02, sc.grain
    frame = {
        "gilt": (198, 158, 88),
        "oval": (150, 110, 62),
        "ink": dark(th.wood, 0.1),
        "poster": (40, 40, 42),
        "abstract": (46, 44, 46),
    }.get(th.art, pale(th.wood, 0.12))
    x0, x1, y0, y1 = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    sc.stain((*sc.at(x0 - 0.01, y1 - 0.02, z), *sc.at(x1 + 0.05, y0 - 0.07, z)), 0.3)
    rim = 0.055 if th.art in {"gilt", "oval"} else 0.025
    sc.spot("picture", x, y, z)
    if th.art == "oval" and kind != "square":
        sc.disc(x, y, z, w / 2, frame, h / 2)
        sc.disc(x, y, z, w / 2 - 0.02, dark(frame, 0.3), h / 2 - 0.02)
        sc.disc(x, y, z, w / 2 - rim, (214, 198, 166), h / 2 - rim)
        sc.disc(x, y - h * 0.14, z, w * 0.2, (84, 68, 66), h * 0.17)
        sc.disc(x, y + h * 0.12, z, w * 0.1, (222, 184, 152), h * 0.1)
        sc.disc(x, y + h * 0.19, z, w * 0.11, (78, 52, 42), h * 0.06)
        return
    sc.rect(x0, x1, y0, y1, z, frame)
    if rim > 0.03:
        sc.rect(x0 + 0.018, x1 - 0.018, y0 + 0.018, y1 - 0.018, z, dark(frame, 0.25))
        sc.rect(x0 + 0.03, x1 - 0.03, y0 + 0.03, y1 - 0.03, z, pale(frame, 0.25))
    paper: RGB = (248, 244, 236)
    ax, bx, ay, by = x0 + rim, x1 - rim, y0 + rim, y1 - rim
    sc.rect(ax, bx, ay, by, z, paper)
    iw, ih = bx - ax, by - ay
    art = kind or th.art
    if art in {"gilt", "square", "oval", "ink"}:
        sky: RGB = (236, 228, 208) if art == "ink" else (206, 206, 190)
        sc.rect(ax, bx, ay, by, z, sky)
        if art == "ink":
            sc.disc(ax + iw * 0.74, ay + ih * 0.78, z, min(iw, ih) * 0.08, (196, 92, 74))
        hues = (
            ((150, 152, 148), (104, 108, 108), (66, 70, 74))
            if art == "ink"
            else ((132, 146, 142), (104, 118, 88), (84, 82, 56))
        )
        for i, c in enumerate(hues):
            top = ay + ih * (0.62 - 0.2 * i)
            crest = [
                (ax + iw * t / 12, top + ih * 0.13 * math.sin(t * 0.9 + i * 2 + g.random()), z)
                for t in range(13)
            ]
            sc.poly([(ax, ay, z), *crest, (bx, ay, z)], c)
    elif art == "line":
        pts = [
            (
                ax + iw * (0.3 + 0.4 * t / 16 + 0.1 * math.sin(t * 0.8)),
                ay + ih * (0.2 + 0.6 * t / 16),
                z,
            )
            for t in range(17)
        ]
        sc.line(pts, (92, 86, 82), 0.012)
        sc.disc(x + iw * 0.1, y + ih * 0.18, z, iw * 0.13, pale(th.accent, 0.3))
    elif art in {"botanical", "flowers"}:
        c = pick(g, *GREENS)
        sc.line([(x, ay + ih * 0.12, z), (x, by - ih * 0.14, z)], c, 0.008)
        for i in range(5):
            yy = ay + ih * (0.24 + 0.13 * i)
            for angle in (0.6, 2.54):
                leaf(sc, x, yy, z, iw * 0.34, angle, 0.42, c)
        if art == "flowers":
            for dx, dy in ((0, 0.82), (-0.2, 0.66), (0.22, 0.7)):
                sc.disc(x + iw * dx, ay + ih * dy, z, iw * 0.12, th.accent)
                sc.disc(x + iw * dx, ay + ih * dy, z, iw * 0.05, pale(th.accent, 0.5))
    elif art == "poster":
        sc.rect(ax, bx, ay, by, z, dark(th.accent, 0.1))
        sc.disc(x, y + ih * 0.12, z, min(iw, ih) * 0.28, paper)
        for i in range(4):
            sc.rect(
                ax + iw * 0.15,
                ax + iw * (0.85 - 0.12 * i),
                ay + ih * (0.08 + 0.055 * i),
                ay + ih * (0.1 + 0.055 * i),
                z,
                paper,
            )
    else:
        c1, c2 = th.accent, mix(th.textile, th.paint, 0.3)
        sc.disc(x - iw * 0.12, y + ih * 0.12, z, min(iw, ih) * 0.26, c1)
        sc.rect(ax + iw * 0.1, ax + iw * 0.9, ay + ih * 0.1, ay + ih * 0.36, z, dark(c2, 0.1), 0.05)
        sc.rect(x + iw * 0.08, x + iw * 0.3, ay + ih * 0.28, ay + ih * 0.8, z, dark(c1, 0.5), 0.06)


def pictures(sc: Scene, th: Theme, x: float, y: float, span: float) -> None:
    """One large picture or a small group, within `span` metres."""
    if th.style == "minimal":
        picture(sc, th, x, y, 0.5, 0.66)
        return
    kind = sc.rng.randrange(3)
    if th.style == "korean":
        picture(sc, th, x, y, min(1.3, span), 0.46)
    elif kind == 0 or span < 1.0:
        picture(sc, th, x, y, min(0.9, span), 0.64)
    elif kind == 1:
        for i in (-1, 0, 1):
            picture(
                sc,
                th,
                x + i * 0.5,
                y,
                0.4,
                0.54,
                "" if i else "square" if th.art in {"gilt", "oval"} else "",
            )
    else:
        picture(sc, th, x - 0.28, y, 0.56, 0.72, "square" if th.art == "oval" else "")
        picture(sc, th, x + 0.28, y + 0.17, 0.36, 0.36, "abstract" if th.art == "line" else "")
        picture(
            sc,
            th,
            x + 0.26,
            y - 0.21,
            0.32,
            0.28,
            "line" if th.art in {"abstract", "botanical"} else "square",
        )


def basket(sc: Scene, th: Theme, x: float, z: float) -> None:
    """A woven basket with a blanket."""
    x = sc.within(x, z, 0.25)
    c: RGB = (206, 172, 124)
    sc.shadow(x - 0.22, x + 0.22, z - 0.15, z + 0.15, 0.4)
    sc.tube(x, z, 0.0, 0.3, 0.17, 0.21, c)
    for i in range(1, 6):
        r = 0.17 + 0.04 * i / 6
        sc.line([(x - r, 0.3 * i / 6, z), (x + r, 0.3 * i / 6, z)], dark(c, 0.2), 0.008)
    cloth = pale(th.accent, 0.3)
    for dx, y, r in ((-0.06, 0.33, 0.13), (0.07, 0.35, 0.12)):
        sc.disc(x + dx, y, z, r, cloth, 0.08)
        cloth = dark(cloth, 0.08)
    sc.rect(x + 0.02, x + 0.15, 0.14, 0.34, z - 0.01, pale(th.accent, 0.25), 0.03)
    sc.spot("basket", x, 0.25, z)


def cat(sc: Scene, x: float, z: float) -> None:
    """A cat asleep."""
    c = pick(sc.rng, (226, 160, 96), (110, 106, 112), (240, 232, 220), (66, 60, 66))
    shade = dark(c, 0.16)
    sc.shadow(x - 0.2, x + 0.22, z - 0.1, z + 0.1, 0.38)
    sc.line(
        [(x + 0.16 + 0.09 * math.sin(t * 0.45), 0.05 + 0.004 * t, z) for t in range(8)],
        shade,
        0.045,
    )
    sc.disc(x + 0.03, 0.1, z, 0.2, c, 0.1)
    sc.rect(x - 0.15, x + 0.2, 0.0, 0.09, z, c, 0.05)
    for i in range(3):
        u = x + 0.02 + i * 0.06
        sc.line([(u, 0.19, z), (u + 0.015, 0.12, z)], shade, 0.02)
    hx, hy = x - 0.16, 0.11
    for s in (-1, 1):
        sc.poly(
            [
                (hx + s * 0.075, hy + 0.03, z),
                (hx + s * 0.065, hy + 0.13, z),
                (hx + s * 0.01, hy + 0.075, z),
            ],
            shade,
        )
    sc.disc(hx, hy, z, 0.09, c, 0.078)
    ink = (60, 46, 50) if luma(c) > 90 else (226, 216, 206)
    for s in (-1, 1):
        eye = [
            (
                hx + s * 0.04 + 0.02 * math.cos(math.pi * t / 6),
                hy - 0.012 * math.sin(math.pi * t / 6),
                z,
            )
            for t in range(7)
        ]
        sc.line(eye, ink, 0.007)
    sc.disc(hx, hy - 0.026, z, 0.012, (216, 134, 130), 0.008)


def mirror(sc: Scene, th: Theme, x: float, y: float, r: float, *, arched: bool = False) -> None:
    """A round or arched mirror on the back wall."""
    z = sc.depth - 0.03
    c = th.metal if th.style not in {"korean", "antique"} else th.wood
    glass = mix(mix(th.paint, (214, 226, 232), 0.7), (255, 255, 255), 0.2)
    sc.spot("mirror", x, y, z)
    if arched:
        for inset, shade in ((0.0, c), (0.025, glass)):
            w = r - inset
            sc.rect(x - w, x + w, y - r * 1.7 + inset, y + r * 1.3 - inset, z, shade, w)
            sc.rect(x - w, x + w, y - r * 1.7 + inset, y, z, shade)
    else:
        sc.disc(x, y, z, r, c)
        sc.disc(x, y, z, r - 0.022, glass)
    sc.poly(
        [
            (x - r * 0.55, y - r * 0.3, z),
            (x - r * 0.3, y - r * 0.5, z),
            (x + r * 0.45, y + r * 0.5, z),
            (x + r * 0.2, y + r * 0.7, z),
        ],
        (255, 255, 255),
        70,
    )
