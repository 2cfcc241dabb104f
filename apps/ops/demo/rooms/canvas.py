"""A small one-point perspective: metres in, pixels out.

The room's axes: x from left to right with 0 in the middle of the back wall, y up from the floor,
z away from the viewer (0 at the picture's plane, `depth` at the back wall). Everything is drawn far
to near.
"""

import math
import random
from collections.abc import Sequence
from typing import TypeVar

from PIL import Image, ImageChops, ImageDraw, ImageFilter

RGB = tuple[int, int, int]
Point = tuple[float, float]
Point3 = tuple[float, float, float]
T = TypeVar("T")

SUPERSAMPLE = 2
INK: RGB = (38, 29, 40)
CREAM: RGB = (255, 251, 243)


def mix(a: RGB, b: RGB, t: float) -> RGB:
    """The colour `t` of the way from `a` to `b`."""
    return (
        round(a[0] + (b[0] - a[0]) * t),
        round(a[1] + (b[1] - a[1]) * t),
        round(a[2] + (b[2] - a[2]) * t),
    )


def dark(c: RGB, t: float) -> RGB:
    """`c` in shade: towards a warm ink rather than black, which looks dirty on pale walls."""
    return mix(c, INK, t)


def pale(c: RGB, t: float) -> RGB:
    """`c` in light: towards cream."""
    return mix(c, CREAM, t)


def luma(c: RGB) -> float:
    """Perceived brightness, 0 to 255 (Rec. 601)."""
    return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]


def _soft_square() -> Image.Image:
    mask = Image.new("L", (96, 96), 0)
    ImageDraw.Draw(mask).rounded_rectangle((18, 18, 78, 78), 10, fill=255)
    return mask.filter(ImageFilter.GaussianBlur(8))


SOFT_SQUARE = _soft_square()
SOFT_DISC = ImageChops.invert(Image.radial_gradient("L")).point(
    lambda v: round(255 * max(0.0, (v - 75) / 180) ** 1.7)
)


class Scene:
    """A picture in the making.

    `size` is in px, `ceiling` and what follows from it in metres. `rng` decides what is where and
    `grain` only textures, so that a small rehearsal of a picture puts things where the large one
    does.
    """

    def __init__(self, size: tuple[int, int], *, ceiling: float, eye: float, seed: int) -> None:
        self.size = size
        self.rng = random.Random(seed)
        self.grain = random.Random(seed + 7919)
        q = SUPERSAMPLE
        self.w, self.h = size[0] * q, size[1] * q
        aspect = size[0] / size[1]
        # How much of the picture the back wall fills: upright pictures show more floor.
        wall = 0.55 if aspect < 0.9 else 0.61 if aspect < 1.15 else 0.645
        across = 0.86 if aspect < 0.9 else 0.86 if aspect < 1.15 else 0.81
        if aspect > 1.6:
            wall += 0.07
        if ceiling > 3.2:
            wall += 0.05
            across += 0.03
        self.ceiling = ceiling
        self.eye = eye
        self.scale = wall * self.h / ceiling
        self.width = across * self.w / self.scale
        self.depth = 3.4
        top = (0.12 if aspect < 0.9 else 0.085) * self.h
        self.horizon = top + (ceiling - eye) * self.scale
        near = (self.h - self.horizon) / eye / self.scale
        self.lens = self.depth / (near - 1.0)
        self.cam = self.rng.uniform(-0.04, 0.04) * self.width
        self.left, self.right = -self.width / 2, self.width / 2
        self.img = Image.new("RGB", (self.w, self.h), CREAM)
        self.solid = ImageDraw.Draw(self.img)
        self.glass = ImageDraw.Draw(self.img, "RGBA")
        self.spots: dict[str, Point] = {}
        self.glows: list[tuple[float, float, float, RGB, float]] = []
        self.light_from = 0.0

    # Projection

    def k(self, z: float) -> float:
        """Pixels per metre at depth `z`."""
        return self.scale * (self.depth + self.lens) / (z + self.lens)

    def at(self, x: float, y: float, z: float) -> Point:
        """Where a point of the room is in the picture, in px."""
        k = self.k(z)
        return (self.w / 2 + (x - self.cam) * k, self.horizon - (y - self.eye) * k)

    def within(self, x: float, z: float, pad: float) -> float:
        """`x`, moved inwards until `pad` metres to each side of it are in the picture."""
        half = self.w / 2 / self.k(z) - pad
        return min(max(x, self.cam - half), self.cam + half)

    def spot(self, name: str, x: float, y: float, z: float) -> None:
        """Remember where a piece is, as fractions of the picture, if it is well inside."""
        px, py = self.at(x, y, z)
        fx, fy = px / self.w, py / self.h
        if 0.04 < fx < 0.96 and 0.04 < fy < 0.96:
            self.spots.setdefault(name, (round(fx, 3), round(fy, 3)))

    # Shapes

    def poly(self, points: Sequence[Point3], c: RGB, alpha: int = 255) -> None:
        """A polygon in the room."""
        flat = [self.at(*p) for p in points]
        if alpha == 255:
            self.solid.polygon(flat, fill=c)
        else:
            self.glass.polygon(flat, fill=(*c, alpha))

    def flat(
        self, x0: float, x1: float, y: float, z0: float, z1: float, c: RGB, alpha: int = 255
    ) -> None:
        """A rectangle that lies flat at height `y`."""
        self.poly([(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)], c, alpha)

    def side(
        self, x: float, y0: float, y1: float, z0: float, z1: float, c: RGB, alpha: int = 255
    ) -> None:
        """A rectangle that stands along the viewer's line of sight, as the side walls do."""
        self.poly([(x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)], c, alpha)

    def line(self, points: Sequence[Point3], c: RGB, width: float, alpha: int = 255) -> None:
        """A line in the room; `width` in metres at the depth of the first point."""
        px = max(1, round(width * self.k(points[0][2])))
        flat = [self.at(*p) for p in points]
        if alpha == 255:
            self.solid.line(flat, fill=c, width=px, joint="curve")
        else:
            self.glass.line(flat, fill=(*c, alpha), width=px, joint="curve")

    def rect(
        self, x0: float, x1: float, y0: float, y1: float, z: float, c: RGB, r: float = 0.0
    ) -> None:
        """An upright rectangle that faces the viewer, with corners of radius `r` metres."""
        ax, ay = self.at(x0, y1, z)
        bx, by = self.at(x1, y0, z)
        if bx <= ax or by <= ay:
            return
        radius = min(r * self.k(z), (bx - ax) / 2, (by - ay) / 2)
        if radius >= 1:
            self.solid.rounded_rectangle((ax, ay, bx, by), radius, fill=c)
        else:
            self.solid.rectangle((ax, ay, bx, by), fill=c)

    def veil(
        self, x0: float, x1: float, y0: float, y1: float, z: float, c: RGB, alpha: int
    ) -> None:
        """A see-through upright rectangle."""
        self.glass.rectangle((*self.at(x0, y1, z), *self.at(x1, y0, z)), fill=(*c, alpha))

    def disc(self, x: float, y: float, z: float, rx: float, c: RGB, ry: float = 0.0) -> None:
        """A disc or an ellipse that faces the viewer."""
        px, py = self.at(x, y, z)
        kx, ky = rx * self.k(z), (ry or rx) * self.k(z)
        self.solid.ellipse((px - kx, py - ky, px + kx, py + ky), fill=c)

    def plate(self, x: float, y: float, z: float, rx: float, rz: float, c: RGB) -> None:
        """A disc that lies flat, such as a table top or a round rug."""
        ring = [math.tau * i / 56 for i in range(56)]
        self.poly([(x + rx * math.cos(a), y, z + rz * math.sin(a)) for a in ring], c)

    def box(
        self,
        x0: float,
        x1: float,
        y0: float,
        y1: float,
        z0: float,
        z1: float,
        c: RGB,
        *,
        r: float = 0.0,
        top: RGB | None = None,
    ) -> None:
        """A block: the faces that the viewer can see, each in its own light."""
        lit = self.light_from
        if x0 > self.cam:
            side = pale(c, 0.06) if lit < 0 else dark(c, 0.26)
            self.side(x0, y0, y1, z0, z1, side)
        elif x1 < self.cam:
            side = pale(c, 0.06) if lit > 0 else dark(c, 0.26)
            self.side(x1, y0, y1, z0, z1, side)
        if y1 < self.eye:
            # The top reaches down behind a rounded front, or background would show at the corners.
            a, b = x0 + r * 0.3, x1 - r * 0.3
            face = [(x0, y1, z1), (x1, y1, z1), (b, y1 - r * 0.4, z0), (a, y1 - r * 0.4, z0)]
            self.poly(face, top or pale(c, 0.22))
        elif y0 > self.eye:
            self.flat(x0, x1, y0, z1, z0, dark(c, 0.35))
        self.rect(x0, x1, y0, y1, z0, c, r)

    def tube(self, x: float, z: float, y0: float, y1: float, r0: float, r1: float, c: RGB) -> None:
        """A round pot, lamp shade or basket: `r0` wide at the foot, `r1` at the rim."""
        front = [(x - r1, y1, z), (x + r1, y1, z), (x + r0, y0, z), (x - r0, y0, z)]
        foot = r0 * 0.32
        if y0 < self.eye:
            self.plate(x, y0, z, r0, foot, c)
        self.poly(front, c)
        self.poly(
            [
                (x + r1 * 0.25, y1, z),
                (x + r1, y1, z),
                (x + r0, y0, z),
                (x + r0 * 0.25, y0, z),
            ],
            dark(c, 0.5),
            38,
        )
        if y1 < self.eye:
            self.plate(x, y1, z, r1, r1 * 0.32, pale(c, 0.25))

    # Light

    def shadow(
        self, x0: float, x1: float, z0: float, z1: float, strength: float = 0.42, y: float = 0.0
    ) -> None:
        """What a piece throws on the floor (or on a top at height `y`) under and around itself."""
        pad = 0.06 + 0.12 * min(x1 - x0, z1 - z0)
        ax, ay = self.at(x0 - pad, y, z1 + pad)
        bx, by = self.at(x1 + pad, y, max(z0 - pad, -0.6 * self.lens))
        nx, _ = self.at(x0 - pad, y, z0)
        mx, _ = self.at(x1 + pad, y, z0)
        self.stain((min(ax, nx), ay, max(bx, mx), by), strength)

    def stain(self, box: tuple[float, float, float, float], strength: float) -> None:
        """Darken a soft-edged box of the picture, in px."""
        x0, y0, x1, y1 = (round(v) for v in box)
        grow_x, grow_y = (x1 - x0) // 6, (y1 - y0) // 6
        area = (x0 - grow_x, y0 - grow_y, x1 + grow_x, y1 + grow_y)
        self._brush(SOFT_SQUARE, area, (30, 22, 34), strength)

    def glow(self, x: float, y: float, z: float, r: float, c: RGB, strength: float = 0.6) -> None:
        """Light that spreads over whatever is drawn by the end, `r` metres around a lamp."""
        px, py = self.at(x, y, z)
        self.glows.append((px, py, r * self.k(z), c, strength))

    def _brush(
        self, mask: Image.Image, area: tuple[int, int, int, int], c: RGB, strength: float
    ) -> None:
        w, h = area[2] - area[0], area[3] - area[1]
        if w < 2 or h < 2:
            return
        soft = mask.point([round(v * strength) for v in range(256)]).resize(
            (w, h), Image.Resampling.BILINEAR
        )
        self.img.paste(c, area, soft)

    def sunbeam(self, points: Sequence[Point3], c: RGB, strength: float) -> None:
        """A soft patch of daylight over what is already drawn."""
        flat = [self.at(*p) for p in points]
        n = 8
        small = Image.new("L", (self.w // n, self.h // n), 0)
        ImageDraw.Draw(small).polygon([(x / n, y / n) for x, y in flat], fill=255)
        small = small.filter(ImageFilter.GaussianBlur(self.h / n / 90))
        box = small.getbbox()
        if box is not None:
            area = (box[0] * n, box[1] * n, box[2] * n, box[3] * n)
            self._brush(small.crop(box), area, c, strength)

    def finish(self, *, dusk: float, mirrored: bool) -> Image.Image:
        """Downscale, then lay the light of the whole room over it."""
        out = self.img.reduce(SUPERSAMPLE)
        w, h = max(24, self.size[0] // 10), max(24, self.size[1] // 10)
        n = self.w / w
        floor = (round(254 - 32 * dusk), round(252 - 42 * dusk), round(248 - 38 * dusk))
        shade = Image.new("RGB", (w, h), floor)
        pen = ImageDraw.Draw(shade)
        corner = mix(floor, (158, 144, 148), 0.36)
        pen.rectangle((0, 0, w, h * 0.10), fill=mix(floor, corner, 0.5))
        pen.rectangle((0, h * 0.93, w, h), fill=corner)
        far = w * 0.9 if self.light_from < 0 else w * 0.1
        pen.rectangle(
            (min(far, w if far > w / 2 else 0), 0, max(far, w if far > w / 2 else 0), h),
            fill=corner,
        )
        x = w / 2 + self.light_from * w * 0.25
        pen.ellipse((x - w * 0.3, h * 0.18, x + w * 0.3, h * 0.8), fill=(255, 254, 250))
        shade = shade.filter(ImageFilter.GaussianBlur(w / 8))
        out = ImageChops.multiply(out, shade.resize(self.size, Image.Resampling.BICUBIC))
        if self.glows:
            bloom = Image.new("RGB", (w, h), 0)
            for px, py, r, c, strength in self.glows:
                power = min(1.0, strength * (0.55 + 0.6 * dusk))
                area = (round((px - r) / n), round((py - r) / n))
                side = max(2, round(2 * r / n))
                mask = SOFT_DISC.point([round(v * power) for v in range(256)])
                spot = Image.new("RGB", (w, h), 0)
                spot.paste(c, (*area, area[0] + side, area[1] + side), mask.resize((side, side)))
                bloom = ImageChops.screen(bloom, spot)
            out = ImageChops.screen(out, bloom.resize(self.size, Image.Resampling.BICUBIC))
        return out.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else out


def pick(rng: random.Random, *options: T) -> T:
    """One of the options."""
    return options[rng.randrange(len(options))]
