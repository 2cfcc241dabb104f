"""The palette is what one sees, and the suggestions are what a member would tick."""

import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from apps.media.imaging import ProcessedPhoto, process_photo
from apps.media.imaging.colors import color_name, oklch, read_colors
from tests.media import photos
from tests.media.photos import corners, jpeg, png

SLUGS = [
    *("red", "orange", "yellow", "green", "blue", "navy"),
    *("purple", "black", "white", "gray", "beige", "brown"),
]

# Paint, fabric and wood as they are sold in Korea, and the plain colours.
CARDS = {
    "red": "ff0000 dc143c b22222 8b0000 c0392b e74c3c a52a2a 722f37",
    "orange": "ff8c00 ffa500 ff7f50 e67e22 f4a460 cc5500 c8643c",
    "yellow": "ffff00 ffd700 f1c40f d4a017 fff4a3 ffe135 e1ad01",
    "green": "008000 00ff00 2e8b57 556b2f 98ff98 8fbc8f 9caf88 6b8e23 004225",
    "blue": "0000ff 1e90ff 87ceeb 4169e1 add8e6 4682b4 b0c4de 1d4ed8",
    "navy": "000080 1f3a5f 1e3a8a 14213d 191970 2c3e50 1b2a49",
    "purple": "800080 8a2be2 9370db 4b0082 c8a2c8 b19cd9 673ab7",
    "black": "000000 111111 1c1c1c 222222 0a0a0c 1e1a18 2a2a2a",
    "white": "ffffff fafafa f5f5f5 f8f6f2 fffff0 f0ebe3 eeeeee f4f6f8",
    "gray": "808080 a9a9a9 c0c0c0 696969 d3d3d3 4a4a4a b8bcc0 708090 9e9a95",
    "beige": "f5f5dc e8dcc8 d8c3a5 fffdd0 e6ddd0 f5deb3 e3d5c0 d2b48c faebd7 c9b79c",
    "brown": "8b5a2b 8b4513 a0522d 4b3621 3b2a1e c8a165 6f4e37 5c4033 b5895b a67b5b",
}


def rgb(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.lstrip("#"))
    return red, green, blue


def process(tmp_path: Path, image: Image.Image, *, as_png: bool = False) -> ProcessedPhoto:
    source = tmp_path / "photo"
    source.write_bytes(png(image) if as_png else jpeg(image))
    return process_photo(source, declared_type="image/png" if as_png else "image/jpeg")


def picture(*parts: tuple[str, tuple[int, int, int, int]]) -> Image.Image:
    """1000 x 1000 px of rectangles in tenths."""
    image = Image.new("RGB", (1000, 1000))
    draw = ImageDraw.Draw(image)
    for colour, (left, top, right, bottom) in parts:
        draw.rectangle((left * 100, top * 100, right * 100, bottom * 100), fill=rgb(colour))
    return image


def test_the_twelve_colours_of_the_taxonomy_are_all_tried():
    assert list(CARDS) == SLUGS


@pytest.mark.parametrize("slug", SLUGS)
def test_cards(slug):
    named = {card: color_name(rgb(card)) for card in CARDS[slug].split()}
    assert named == dict.fromkeys(named, slug)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_photo_of_one_colour(tmp_path, slug):
    for card in CARDS[slug].split()[:2]:
        photo = process(tmp_path, Image.new("RGB", (120, 90), rgb(card)), as_png=True)
        assert photo.suggested_colors == [slug]
        assert len(photo.palette) == 1
        assert photo.palette[0]["share"] == 1
        seen = rgb(photo.palette[0]["hex"])
        assert all(abs(a - b) <= 2 for a, b in zip(seen, rgb(card), strict=True))


def test_every_colour_has_a_name():
    steps = range(0, 256, 15)
    names = {color_name((red, green, blue)) for red in steps for green in steps for blue in steps}
    assert names == set(SLUGS)


@pytest.mark.parametrize(
    ("parts", "suggested"),
    [
        # A beige wall over an oak floor, with a white window.
        (
            [
                ("e8dcc8", (0, 0, 10, 7)),
                ("b5895b", (0, 7, 10, 10)),
                ("f8f8f8", (1, 1, 2, 3)),
            ],
            ["beige", "brown"],
        ),
        # A white room with a navy sofa and a grey rug.
        (
            [
                ("f5f5f3", (0, 0, 10, 10)),
                ("1f3a5f", (1, 5, 6, 8)),
                ("a9a9a9", (0, 8, 10, 10)),
            ],
            ["white", "navy", "gray"],
        ),
        # Sky blue is not navy; both may be there.
        ([("87ceeb", (0, 0, 10, 5)), ("14213d", (0, 5, 10, 10))], ["blue", "navy"]),
        # Charcoal, concrete and one mustard chair.
        (
            [
                ("1c1c1c", (0, 0, 10, 4)),
                ("9e9e9e", (0, 4, 10, 10)),
                ("d4a017", (4, 5, 7, 8)),
            ],
            ["gray", "black", "yellow"],
        ),
        # Plants before a white wall, in wooden pots.
        (
            [
                ("f5f5f5", (0, 0, 10, 10)),
                ("2e8b57", (2, 2, 6, 7)),
                ("8b5a2b", (2, 7, 6, 10)),
            ],
            ["white", "green", "brown"],
        ),
    ],
)
def test_rooms(tmp_path, parts, suggested):
    photo = process(tmp_path, picture(*parts))
    assert sorted(photo.suggested_colors) == sorted(suggested)


def test_the_best_comes_first(tmp_path):
    parts = [("e8dcc8", (0, 0, 10, 7)), ("b5895b", (0, 7, 10, 10))]
    assert process(tmp_path, picture(*parts)).suggested_colors == ["beige", "brown"]
    parts = [("f5f5f5", (0, 0, 10, 5)), ("c0392b", (0, 5, 10, 10))]
    assert process(tmp_path, picture(*parts)).suggested_colors == ["red", "white"]


def test_a_speck_is_no_suggestion_and_four_are_the_most(tmp_path):
    parts = [("f5f5f5", (0, 0, 10, 10)), ("c0392b", (0, 0, 1, 1))]
    assert process(tmp_path, picture(*parts)).suggested_colors == ["white"]
    cards = ("ff0000", "ff8c00", "ffd700", "008000", "0000ff", "800080")
    six = picture(*((card, (0, row, 10, 10)) for row, card in enumerate(cards)))
    photo = process(tmp_path, six)
    assert len(photo.suggested_colors) == 4
    assert set(photo.suggested_colors) <= {"red", "orange", "yellow", "green", "blue", "purple"}


def test_palette_shares_and_order(tmp_path):
    parts = [
        ("f5f5f5", (0, 0, 10, 5)),
        ("1f3a5f", (0, 5, 10, 8)),
        ("c0392b", (0, 8, 10, 10)),
    ]
    palette = process(tmp_path, picture(*parts)).palette
    assert [round(one["share"], 1) for one in palette[:3]] == [0.5, 0.3, 0.2]
    for one, card in zip(palette, ("f5f5f5", "1f3a5f", "c0392b"), strict=False):
        assert all(abs(a - b) <= 8 for a, b in zip(rgb(one["hex"]), rgb(card), strict=True))


def test_palette_of_a_busy_picture(tmp_path):
    palette = process(tmp_path, photos.noise(600, 400)).palette
    assert 1 <= len(palette) <= 6
    assert sum(one["share"] for one in palette) == pytest.approx(1, abs=0.1)
    shares = [one["share"] for one in palette]
    assert shares == sorted(shares, reverse=True)


def test_oklch_of_known_colours():
    """From the table in Ottosson's article: white, red and blue."""
    light, chroma, _ = oklch((255, 255, 255))
    assert light == pytest.approx(1, abs=1e-3)
    assert chroma == pytest.approx(0, abs=1e-3)
    assert oklch((255, 0, 0)) == pytest.approx((0.628, 0.2577, 29.23), abs=0.02)
    assert oklch((0, 0, 255)) == pytest.approx((0.452, 0.3132, 264.05), abs=0.02)


def test_reading_colours_is_quick():
    image = photos.vips_image(corners(320, 240)).gaussblur(30).copy_memory()
    # A picture with as many different colours as there can be.
    for one in (image, photos.vips_image(photos.noise(320, 240))):
        took = []
        for _ in range(5):
            began = time.process_time()
            read_colors(one)
            took.append(time.process_time() - began)
        assert min(took) < 0.02
