"""The demo's homes: what is written of them, who likes them, and what their photos show."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.ops.demo.home_texts import COMMENTS, HOMES, STYLE_COMMENTS, HomeText
from apps.ops.demo.people import MEMBERS
from apps.ops.demo.products import products_for
from apps.ops.demo.rooms import paint_room

LANDSCAPE, PORTRAIT, SQUARE, WIDE = (1600, 1200), (1200, 1600), (1200, 1200), (1600, 900)


@dataclass(frozen=True)
class DemoPhoto:
    """One photo: `size` in px, `products` as POST /posts takes them."""

    room: str
    caption: str
    seed: int
    size: tuple[int, int]
    products: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class DemoHome:
    """One home; `comments` are (username, text) and `likes` usernames, none of them the owner."""

    owner: str
    title: str
    content: str
    pyeong: str
    housing_type: str
    styles: tuple[str, ...]
    colors: tuple[str, ...]
    photos: tuple[DemoPhoto, ...]
    comments: tuple[tuple[str, str], ...]
    likes: tuple[str, ...]
    draft: bool

    def paint(self, photo: DemoPhoto) -> bytes:
        """The JPEG of one of this home's photos."""
        return paint_room(
            room=photo.room,
            style=self.styles[0],
            colors=self.colors,
            housing_type=self.housing_type,
            seed=photo.seed,
            size=photo.size,
        )


def demo_homes() -> list[DemoHome]:
    """All homes, the same each time; half a second, as it looks where furniture stands."""
    rng = random.Random(20240301)
    general = list(COMMENTS)
    by_style = {style: list(lines) for style, lines in STYLE_COMMENTS.items()}
    rng.shuffle(general)
    for lines in by_style.values():
        rng.shuffle(lines)
    return [_home(i, text, rng, general, by_style) for i, text in enumerate(HOMES)]


def _home(
    number: int,
    text: HomeText,
    rng: random.Random,
    general: list[str],
    by_style: dict[str, list[str]],
) -> DemoHome:
    styles, colors = tuple(text.styles.split()), tuple(text.colors.split())
    others = [m.username for m in MEMBERS if m.username != text.owner]
    photos = tuple(
        _photo(number, k, room, caption, text.housing_type, styles[0], colors)
        for k, (room, caption) in enumerate(text.photos)
    )
    comments: tuple[tuple[str, str], ...] = ()
    likes: tuple[str, ...] = ()
    if not text.draft:
        lines = list(text.comments)
        for pool, chance in ((by_style[styles[0]], 0.6), (general, 0.35)):
            if pool and rng.random() < chance:
                lines.append(pool.pop())
        # A sample, so that nobody answers twice under one home.
        comments = tuple(zip(rng.sample(others, len(lines)), lines, strict=True))
        # A few homes are loved by nearly all, most by some: what a popular list needs.
        fans = round(rng.betavariate(1.3, 1.6) * len(others))
        likes = tuple(rng.sample(others, fans))
    return DemoHome(
        owner=text.owner,
        title=text.title,
        content=text.content,
        pyeong=text.pyeong,
        housing_type=text.housing_type,
        styles=styles,
        colors=colors,
        photos=photos,
        comments=comments,
        likes=likes,
        draft=text.draft,
    )


def _photo(
    number: int,
    k: int,
    room: str,
    caption: str,
    housing_type: str,
    style: str,
    colors: Sequence[str],
) -> DemoPhoto:
    seed = 1000 + number * 10 + k
    size = LANDSCAPE
    if housing_type != "duplex" and room != "entrance":
        # Lofts and front doors need the width.
        shapes = (LANDSCAPE, PORTRAIT, SQUARE, WIDE)
        size = random.Random(seed).choices(shapes, (6, 2, 1, 1))[0]
    tagged = (number + k * 2) % 3 == 0
    products = (
        products_for(
            room=room, style=style, colors=colors, housing_type=housing_type, seed=seed, size=size
        )
        if tagged
        else ()
    )
    return DemoPhoto(room=room, caption=caption, seed=seed, size=size, products=products)
