"""The room itself: ceiling and walls in the finish of the style."""

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, luma, mix, pale
from apps.ops.demo.rooms.floors import NEAR, draw_floor
from apps.ops.demo.rooms.themes import Theme


def draw_shell(sc: Scene, th: Theme, *, wet: bool = False) -> None:
    """Ceiling, walls and floor; `wet` rooms (kitchen, bath, entrance) may be tiled."""
    left, right, top, depth = sc.left, sc.right, sc.ceiling, sc.depth
    # Bricks are for one wall; the others are raw concrete with a breath of its colour.
    side = mix(th.paint, (150, 148, 146), 0.62) if th.wall == "brick" else th.paint
    shaded, lit = dark(side, 0.12), dark(side, 0.035)
    sides = (lit, shaded) if sc.light_from > 0 else (shaded, lit)
    sc.flat(left, right, top, NEAR, depth, th.ceiling)
    for x, c in zip((left, right), sides, strict=True):
        sc.side(x, 0, top, NEAR, depth, c)
    sc.rect(left, right, 0, top, depth, th.paint)
    draw_floor(sc, th, wet=wet)
    _finish_walls(sc, th)
    _edges(sc, th)
    _soft_corners(sc)


def _finish_walls(sc: Scene, th: Theme) -> None:
    {
        "brick": _brick,
        "panels": _panels,
        "stripes": _stripes,
        "damask": _damask,
        "boards": _boards,
        "hanji": _hanji,
    }.get(th.wall, _plain)(sc, th)


def _plain(sc: Scene, th: Theme) -> None:
    """Nothing for paint, but a line of slats for the modern."""
    if th.style != "modern" or sc.rng.random() < 0.4:
        return
    c = mix(th.paint, th.wood, 0.55)
    x = sc.right - 0.9
    while x < sc.right - 0.02:
        sc.rect(x, x + 0.045, 0, sc.ceiling, sc.depth, c)
        sc.rect(x + 0.045, x + 0.06, 0, sc.ceiling, sc.depth, dark(c, 0.5))
        x += 0.075


def _brick(sc: Scene, th: Theme) -> None:
    """Painted or bare bricks at the back, concrete with shutter marks at the sides."""
    mortar = pale(th.paint, 0.16) if luma(th.paint) < 150 else dark(th.paint, 0.1)
    sc.rect(sc.left, sc.right, 0, sc.ceiling, sc.depth, mortar)
    row, y = 0, 0.0
    while y < sc.ceiling:
        x = sc.left - (0.13 if row % 2 else 0.0)
        while x < sc.right:
            t = sc.grain.random()
            c = dark(th.paint, t * 0.16) if t < 0.75 else pale(th.paint, (t - 0.75) * 0.5)
            x1 = min(x + 0.245, sc.right)
            sc.rect(max(x, sc.left), x1, y + 0.012, min(y + 0.095, sc.ceiling), sc.depth, c)
            x += 0.26
        y += 0.1
        row += 1
    for side in (sc.left, sc.right):
        for z in (0.2, 1.3, 2.4):
            sc.line([(side, 0, z), (side, sc.ceiling, z)], dark(th.paint, 0.35), 0.008, 150)
            for y in (0.5, 1.5):
                for dz in (0.3, 0.8):
                    px, py = sc.at(side, y, z + dz)
                    r = 0.022 * sc.k(z + dz)
                    sc.glass.ellipse(
                        (px - r * 0.5, py - r, px + r * 0.5, py + r), fill=(60, 58, 60, 120)
                    )


def _panels(sc: Scene, th: Theme) -> None:
    """Boiserie: a dado rail and moulded frames."""
    hi, lo = pale(th.paint, 0.35), dark(th.paint, 0.16)
    n = max(3, round(sc.width / 1.15))
    step = sc.width / n
    for i in range(n):
        a, b = sc.left + i * step + 0.12, sc.left + (i + 1) * step - 0.12
        for y0, y1 in ((0.24, 0.78), (1.02, sc.ceiling - 0.28)):
            _mould(
                sc,
                [(a, y0, sc.depth), (b, y0, sc.depth), (b, y1, sc.depth), (a, y1, sc.depth)],
                hi,
                lo,
            )
    for x in (sc.left, sc.right):
        for z0, z1 in ((0.1, 1.05), (1.25, 2.15), (2.35, 3.2)):
            for y0, y1 in ((0.24, 0.78), (1.02, sc.ceiling - 0.28)):
                _mould(sc, [(x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)], hi, lo)
        sc.line([(x, 0.9, sc.depth), (x, 0.9, NEAR)], hi, 0.02)
    sc.rect(sc.left, sc.right, 0.88, 0.93, sc.depth, hi)
    sc.rect(sc.left, sc.right, 0.868, 0.88, sc.depth, lo)


def _mould(sc: Scene, quad: list[tuple[float, float, float]], hi: RGB, lo: RGB) -> None:
    sc.line([*quad, quad[0]], lo, 0.034)
    sc.line([*quad, quad[0]], hi, 0.018)


def _stripes(sc: Scene, th: Theme) -> None:
    """Striped paper above a white dado, with small sprigs."""
    c = pale(th.paint, 0.22) if luma(th.paint) < 215 else dark(th.paint, 0.045)
    x = sc.left + 0.1
    sprig = mix(th.paint, th.accent, 0.4)
    while x < sc.right - 0.05:
        sc.rect(x, min(x + 0.1, sc.right), 0, sc.ceiling, sc.depth, c)
        for i in range(9):
            y = 0.95 + i * 0.24 + (0.12 if round(x * 10) % 4 else 0)
            if y < sc.ceiling - 0.1:
                sc.disc(x + 0.15, y, sc.depth, 0.014, sprig)
                sc.disc(x + 0.132, y - 0.018, sc.depth, 0.009, mix(sprig, (110, 140, 100), 0.5))
        x += 0.2
    for side in (sc.left, sc.right):
        z = sc.depth - 0.2
        while z > -0.8:
            quad = [
                (side, 0, z),
                (side, 0, z - 0.12),
                (side, sc.ceiling, z - 0.12),
                (side, sc.ceiling, z),
            ]
            sc.poly(quad, c, 120)
            z -= 0.26
    _dado(sc, pale(th.paint, 0.6), 0.82)


def _damask(sc: Scene, th: Theme) -> None:
    """Patterned paper above dark wainscot."""
    c = pale(th.paint, 0.13) if luma(th.paint) < 170 else dark(th.paint, 0.09)
    z, step = sc.depth, 0.34
    for row in range(9):
        y = 1.05 + row * 0.26
        if y > sc.ceiling - 0.12:
            break
        x = sc.left + (step / 2 if row % 2 else 0.0) + 0.1
        while x < sc.right - 0.08:
            sc.disc(x, y, z, 0.034, c, 0.075)
            for s in (-1, 1):
                sc.disc(x + s * 0.058, y - 0.02, z, 0.022, c, 0.042)
            sc.disc(x, y + 0.1, z, 0.014, c)
            sc.disc(x, y, z, 0.013, th.paint, 0.04)
            x += step
    _dado(sc, mix(th.wood, th.paint, 0.25), 0.88)


def _dado(sc: Scene, c: RGB, height: float) -> None:
    """A panelled lower wall, all round."""
    sc.rect(sc.left, sc.right, 0, height, sc.depth, c)
    shaded = dark(c, 0.14)
    for x in (sc.left, sc.right):
        sc.side(x, 0, height, NEAR, sc.depth, shaded)
        sc.line([(x, height, sc.depth), (x, height, NEAR)], pale(shaded, 0.2), 0.03)
    sc.rect(sc.left, sc.right, height - 0.02, height + 0.03, sc.depth, pale(c, 0.2))
    n = max(4, round(sc.width / 0.75))
    for i in range(n):
        a, b = sc.left + i * sc.width / n + 0.07, sc.left + (i + 1) * sc.width / n - 0.07
        quad = [
            (a, 0.2, sc.depth),
            (b, 0.2, sc.depth),
            (b, height - 0.1, sc.depth),
            (a, height - 0.1, sc.depth),
        ]
        _mould(sc, quad, pale(c, 0.16), dark(c, 0.2))


def _boards(sc: Scene, th: Theme) -> None:
    """White-washed boards to hip height, and beams over the ceiling."""
    c = pale(th.paint, 0.5)
    sc.rect(sc.left, sc.right, 0, 1.0, sc.depth, c)
    x = sc.left
    while x < sc.right:
        sc.rect(x, x + 0.008, 0, 1.0, sc.depth, dark(c, 0.15))
        x += 0.14
    for side in (sc.left, sc.right):
        shaded = dark(c, 0.1)
        sc.side(side, 0, 1.0, NEAR, sc.depth, shaded)
        z = 0.0
        while z < sc.depth:
            sc.line([(side, 0, z), (side, 1.0, z)], dark(shaded, 0.14), 0.006)
            z += 0.17
        sc.line([(side, 1.0, sc.depth), (side, 1.0, NEAR)], pale(c, 0.3), 0.04)
    sc.rect(sc.left, sc.right, 0.98, 1.03, sc.depth, pale(c, 0.4))
    _beams(sc, mix(th.wood, (150, 116, 86), 0.6), across=True)


def _hanji(sc: Scene, th: Theme) -> None:
    """Paper between posts and beams, with rafters overhead."""
    z, post = sc.depth, mix(th.wood, th.paint, 0.12)
    seam = dark(th.paint, 0.07)
    x = sc.left + 0.5
    while x < sc.right:
        sc.rect(x, x + 0.006, 0, sc.ceiling, z, seam)
        x += 0.62
    for y in (0.72, 1.44, 2.16):
        sc.rect(sc.left, sc.right, y, y + 0.006, z, seam)
    for x in (sc.left, sc.right - 0.13):
        sc.rect(x, x + 0.13, 0, sc.ceiling, z, post)
        sc.rect(x, x + 0.02, 0, sc.ceiling, z, pale(post, 0.18))
    sc.rect(sc.left, sc.right, sc.ceiling - 0.2, sc.ceiling, z, post)
    sc.rect(sc.left, sc.right, sc.ceiling - 0.2, sc.ceiling - 0.18, z, dark(post, 0.4))
    for side in (sc.left, sc.right):
        c = dark(post, 0.14)
        for z0 in (1.0, 2.5):
            sc.side(side, 0, sc.ceiling, z0, z0 + 0.16, c)
        y0, y1 = sc.ceiling - 0.2, sc.ceiling
        sc.side(side, y0, y1, NEAR, z, c)
    _beams(sc, post, across=False)


def _beams(sc: Scene, c: RGB, *, across: bool) -> None:
    y, drop = sc.ceiling, 0.14
    if across:
        for z in (2.9, 1.8, 0.7):
            sc.flat(sc.left, sc.right, y - drop, z, z + 0.2, dark(c, 0.3))
            sc.rect(sc.left, sc.right, y - drop, y, z, c)
        return
    n = max(5, round(sc.width / 0.55))
    for i in range(n):
        x = sc.left + (i + 0.5) * sc.width / n
        near, far = NEAR, sc.depth
        sc.flat(x - 0.07, x + 0.07, y, near, far, dark(c, 0.12))
        sc.flat(x - 0.07, x - 0.03, y, near, far, pale(c, 0.12))


def _edges(sc: Scene, th: Theme) -> None:
    """Skirting at the floor and a cornice at the ceiling."""
    height = {"classic": 0.16, "antique": 0.16, "romantic": 0.14, "minimal": 0.04}.get(
        th.style, 0.08
    )
    c = th.trim
    sc.rect(sc.left, sc.right, 0, height, sc.depth, c)
    sc.rect(sc.left, sc.right, 0, 0.014, sc.depth, dark(c, 0.3))
    for x in (sc.left, sc.right):
        sc.side(x, 0, height, NEAR, sc.depth, dark(c, 0.12))
    if th.style in {"classic", "romantic", "antique"}:
        top = pale(th.ceiling, 0.3)
        for drop, shade in ((0.13, 0.10), (0.09, 0.0), (0.045, 0.06)):
            y0, y1 = sc.ceiling - drop, sc.ceiling
            sc.rect(sc.left, sc.right, y0, y1, sc.depth, dark(top, shade))
            for x in (sc.left, sc.right):
                sc.side(x, y0, y1, NEAR, sc.depth, dark(top, shade + 0.06))
    elif th.style == "industrial":
        for x, r in ((sc.left + 0.5, 0.09), (sc.left + 0.75, 0.05), (sc.right - 0.6, 0.13)):
            pipe = (128, 130, 134)
            y = sc.ceiling - r - 0.06
            for f, shade in ((1.0, 0.35), (0.6, 0.12), (0.2, 0.0)):
                sc.flat(x - r * f, x + r * f, y, NEAR, sc.depth, dark(pipe, shade))
            sc.disc(x, y, sc.depth - 0.01, r, dark(pipe, 0.45))
    elif th.style in {"modern", "minimal"}:
        # A coved strip of indirect light, as new flats have.
        y = sc.ceiling
        sc.flat(sc.left + 0.3, sc.right - 0.3, y, 0.2, 3.0, pale(th.ceiling, 0.7))
        sc.flat(sc.left + 0.36, sc.right - 0.36, y, 0.1, 2.9, th.ceiling)


def _soft_corners(sc: Scene) -> None:
    """Where planes meet, light does not quite reach: a few faint layers, each a little wider."""
    ink, d, top = (40, 30, 44), sc.depth, sc.ceiling
    for i in range(1, 13):
        r = 0.035 * i
        sc.veil(sc.left, sc.left + r, 0, top, d, ink, 3)
        sc.veil(sc.right - r, sc.right, 0, top, d, ink, 3)
        sc.veil(sc.left, sc.right, top - r, top, d, ink, 2)
    for i in range(1, 7):
        r = 0.06 * i
        sc.flat(sc.left, sc.right, 0, d - r, d, ink, 9)
        for x, s in ((sc.left, 1), (sc.right, -1)):
            sc.poly([(x, 0, NEAR), (x, 0, d), (x + s * r, 0, d), (x + s * r, 0, NEAR)], ink, 8)
            sc.side(x, 0, top, d - r, d, ink, 8)
            sc.side(x, top - r, top, NEAR, d, ink, 6)
