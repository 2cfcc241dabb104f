"""Rugs, each style its own."""

from apps.ops.demo.rooms.canvas import RGB, Scene, dark, luma, mix, pale
from apps.ops.demo.rooms.themes import Theme


def rug(sc: Scene, th: Theme, x: float, z: float, w: float, d: float) -> None:
    """The style's rug, centred at (x, z); the minimal and the Korean have none."""
    kind, g = th.rug, sc.grain
    base = mix(th.neutral, th.accent, 0.12)
    if kind == "none":
        return
    sc.spot("rug", x - w * 0.36, 0, z - d * 0.3)
    x0, x1, z0, z1 = x - w / 2, x + w / 2, z - d / 2, z + d / 2

    def patch(a: float, b: float, lo: float, hi: float, c: RGB) -> None:
        sc.flat(a, b, 0, lo, hi, c)

    if kind == "round":
        sc.shadow(x0, x1, z0, z1, 0.2)
        for f, c in (
            (1.0, pale(th.textile, 0.2)),
            (0.9, pale(th.textile, 0.5)),
            (0.5, pale(th.textile, 0.34)),
            (0.44, pale(th.textile, 0.55)),
        ):
            sc.plate(x, 0.01, z, w * 0.5 * f, d * 0.56 * f, c)
        return
    sc.shadow(x0, x1, z0, z1, 0.22)
    if kind == "persian":
        field, edge = (
            mix(th.textile, (128, 44, 44), 0.4),
            dark(mix(th.accent, (46, 56, 84), 0.5), 0.1),
        )
        gold = (206, 168, 108)
        patch(x0 - 0.03, x1 + 0.03, z0, z1, (226, 206, 170))
        for inset, c in (
            (0.0, edge),
            (0.07, gold),
            (0.085, dark(field, 0.1)),
            (0.2, gold),
            (0.215, edge),
            (0.27, field),
        ):
            patch(x0 + inset, x1 - inset, z0 + inset * 0.8, z1 - inset * 0.8, c)
        n = round(w / 0.2)
        for i in range(n):
            px = x0 + (i + 0.5) * w / n
            for pz in (z0 + 0.115, z1 - 0.115):
                _gem(sc, px, pz, 0.05, (gold, (222, 190, 150))[i % 2])
        for i in range(6):
            pz = z0 + (i + 0.5) * d / 6
            for px in (x0 + 0.143, x1 - 0.143):
                _gem(sc, px, pz, 0.05, (gold, (222, 190, 150))[i % 2])
        for f, c in (
            (1.0, edge),
            (0.86, gold),
            (0.8, mix(field, edge, 0.5)),
            (0.5, gold),
            (0.42, field),
            (0.18, gold),
        ):
            _gem(sc, x, z, min(w, d) * 0.36 * f, c, stretch=1.5)
        for sx in (-1, 1):
            for sz in (-1, 1):
                _gem(sc, x + sx * w * 0.32, z + sz * d * 0.28, 0.1, edge)
                _gem(sc, x + sx * w * 0.32, z + sz * d * 0.28, 0.05, gold)
        return
    if kind == "zigzag":
        patch(x0, x1, z0, z1, (238, 234, 226))
        line = mix(th.accent, (70, 70, 76), 0.6) if luma(th.accent) > 150 else th.accent
        rows = 6
        for r in range(rows):
            lo = z0 + (r + 0.3) * d / rows
            n = 14
            pts = [
                (x0 + w * i / n, 0.0, lo + (d / rows * 0.36 if i % 2 else 0.0))
                for i in range(n + 1)
            ]
            sc.line(pts, line if r % 2 else pale(th.textile, 0.1), 0.03)
        for px in (x0, x1):
            for i in range(16):
                pz = z0 + d * i / 16
                sc.line(
                    [(px, 0, pz), (px + (0.05 if px > x else -0.05), 0, pz)], (228, 222, 210), 0.012
                )
        return
    if kind == "stripe":
        n = 9
        for i in range(n):
            c = (base, pale(th.accent, 0.35), base, (242, 236, 224))[i % 4]
            patch(x0, x1, z0 + d * i / n, z0 + d * (i + 1) / n, c)
        return
    if kind == "flat":
        c = mix(th.textile, (90, 86, 84), 0.6)
        patch(x0, x1, z0, z1, c)
        for _ in range(60):
            px, pz = g.uniform(x0, x1 - 0.2), g.uniform(z0, z1 - 0.06)
            sc.flat(px, px + 0.18, 0, pz, pz + 0.05, pale(c, 0.3), 60)
        return
    rim = dark(th.accent, 0.1) if kind == "bordered" else dark(th.textile, 0.15)
    patch(x0, x1, z0, z1, rim)
    patch(x0 + 0.05, x1 - 0.05, z0 + 0.05, z1 - 0.05, mix(base, th.textile, 0.25))
    if kind == "border":
        for inset, c in (
            (0.16, (206, 176, 120)),
            (0.18, pale(th.textile, 0.5)),
            (0.3, (206, 176, 120)),
            (0.315, mix(th.neutral, th.textile, 0.3)),
        ):
            patch(x0 + inset, x1 - inset, z0 + inset * 0.8, z1 - inset * 0.8, c)
        _gem(sc, x, z, 0.34, (206, 176, 120), stretch=1.6)
        _gem(sc, x, z, 0.31, pale(th.textile, 0.3), stretch=1.6)
    else:
        patch(x0 + 0.05, x0 + w * 0.42, z0 + 0.05, z0 + d * 0.5, mix(base, th.accent, 0.3))
        sc.plate(x + w * 0.16, 0, z + d * 0.12, w * 0.18, d * 0.24, mix(base, th.textile, 0.6))


def _gem(sc: Scene, x: float, z: float, r: float, c: RGB, stretch: float = 1.0) -> None:
    sc.poly([(x - r * stretch, 0, z), (x, 0, z + r), (x + r * stretch, 0, z), (x, 0, z - r)], c)
