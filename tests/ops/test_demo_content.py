"""The demo's members, homes and painted rooms: pure Python, no database."""

import io
import re
from collections import Counter

import pytest
from PIL import Image

from apps.ops.demo.homes import DemoHome, demo_homes
from apps.ops.demo.people import MEMBERS
from apps.ops.demo.rooms import COLORS, HOUSING_TYPES, ROOMS, STYLES, find_spots, paint_room

PYEONG = {"1-7", "8-15", "16-25", "26-"}
SMALL = (400, 300)


@pytest.fixture(scope="module")
def homes() -> list[DemoHome]:
    return demo_homes()


def paint(**changed: object) -> bytes:
    arguments: dict = {
        "room": "living",
        "style": "scandinavian",
        "colors": ["green", "white"],
        "housing_type": "apartment",
        "seed": 5,
        "size": SMALL,
    }
    return paint_room(**(arguments | changed))


def shares(jpeg: bytes) -> list[tuple[float, tuple[int, ...]]]:
    """The colours of a picture, each with the share of the picture it covers."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB").resize((80, 60))
    reduced = picture.quantize(6, kmeans=2)
    palette = reduced.getpalette()
    return [
        (count / 4800, tuple(palette[index * 3 : index * 3 + 3]))
        for count, index in reduced.getcolors()
    ]


def distance(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    return sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5


# Rooms


@pytest.mark.parametrize("room", ROOMS)
def test_the_same_arguments_give_the_same_bytes(room):
    assert paint(room=room) == paint(room=room)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 6},
        {"style": "classic"},
        {"colors": ["blue"]},
        {"room": "bedroom"},
        {"housing_type": "duplex"},
    ],
)
def test_another_argument_gives_another_picture(changed):
    assert paint(**changed) != paint()


@pytest.mark.parametrize("size", [(1600, 1200), (600, 800), (500, 500), (640, 360)])
def test_the_picture_is_a_jpeg_of_the_asked_size(size):
    picture = Image.open(io.BytesIO(paint(size=size)))
    picture.load()
    assert picture.format == "JPEG"
    assert picture.size == size


@pytest.mark.parametrize("color", COLORS)
def test_the_first_colour_covers_much_of_the_room(color):
    shift = list(COLORS).index(color)
    # A third of the styles for each colour: the test would be slow with all of them.
    for n, style in enumerate(STYLES[shift % 3 :: 3]):
        room = ROOMS[(shift + n) % len(ROOMS)]
        jpeg = paint(room=room, style=style, colors=[color], size=(320, 240))
        near = min(distance(c, COLORS[color]) for share, c in shares(jpeg) if share > 0.08)
        assert near < 75, (room, style)


def test_another_colour_makes_the_room_nearer_to_it():
    def red_over_blue(color):
        mean = Image.open(io.BytesIO(paint(colors=[color]))).resize((1, 1)).getpixel((0, 0))
        return mean[0] - mean[2]

    assert red_over_blue("red") > red_over_blue("beige") > red_over_blue("blue")


def test_styles_and_housing_types_all_differ():
    assert len({paint(style=s, size=(160, 120)) for s in STYLES}) == len(STYLES)
    for room in ("living", "bedroom", "study"):
        duplex, flat = (paint(room=room, housing_type=h) for h in ("duplex", "apartment"))
        assert duplex != flat


def test_every_room_can_be_painted_in_every_kind_of_home():
    for room in ROOMS:
        for n, housing_type in enumerate(HOUSING_TYPES):
            assert paint(
                room=room,
                housing_type=housing_type,
                style=STYLES[n],
                size=((120, 160), (160, 90))[n % 2],
            )


def test_spots_lie_in_the_picture_and_agree_with_its_size():
    arguments: dict = {
        "room": "living",
        "style": "korean",
        "colors": ["beige"],
        "housing_type": "villa",
        "seed": 3,
    }
    large, small = (find_spots(**arguments, size=s) for s in ((1600, 1200), (800, 600)))
    assert large
    assert large.keys() == small.keys()
    for name, (x, y) in large.items():
        assert 0 < x < 1
        assert 0 < y < 1
        assert small[name] == pytest.approx((x, y), abs=0.01)


def test_unknown_words_are_refused():
    with pytest.raises(KeyError):
        paint(style="baroque")
    with pytest.raises(KeyError):
        paint(colors=["mauve"])
    with pytest.raises(ValueError, match="colour"):
        paint(colors=[])


# Members


def test_members_fit_the_rules_of_profiles():
    assert len(MEMBERS) == 12
    assert len({m.username for m in MEMBERS}) == 12
    assert len({m.display_name for m in MEMBERS}) == 12
    for m in MEMBERS:
        assert re.fullmatch(r"[a-z0-9_.]{3,30}", m.username)
        assert 0 < len(m.display_name) <= 30
        assert 0 < len(m.bio) <= 150
    assert Counter(m.kind for m in MEMBERS) == {"common": 10, "designer": 2}


# Homes


def test_the_homes_are_the_same_each_time(homes):
    assert demo_homes() == homes


def test_there_are_sixty_homes_of_which_six_are_drafts(homes):
    assert len(homes) == 60
    assert len({h.title for h in homes}) == 60
    assert len({h.content for h in homes}) == 60
    drafts = [h for h in homes if h.draft]
    assert len(drafts) == 6
    assert all(not h.likes and not h.comments for h in drafts)
    owners = Counter(h.owner for h in homes)
    assert owners.keys() == {m.username for m in MEMBERS}
    assert min(owners.values()) >= 3


def test_homes_fit_the_limits_of_posts(homes):
    for h in homes:
        assert 0 < len(h.title) <= 50
        assert 0 < len(h.content) <= 2000
        assert 2 <= len(re.findall(r"[가-힣)][.!?…]", h.content)) <= 6
        assert 1 <= len(h.styles) <= 2
        assert 1 <= len(h.colors) <= 3
        assert 1 <= len(h.photos) <= 5
        assert all(len(p.caption) <= 200 and p.room in ROOMS for p in h.photos)


def test_every_value_of_the_taxonomies_occurs(homes):
    assert {h.pyeong for h in homes} == PYEONG
    assert {h.housing_type for h in homes} == set(HOUSING_TYPES)
    assert {s for h in homes for s in h.styles} == set(STYLES)
    assert {c for h in homes for c in h.colors} == set(COLORS)


def test_likes_and_comments_are_of_other_members_and_never_repeat(homes):
    names = {m.username for m in MEMBERS}
    said = [text for h in homes for _, text in h.comments]
    assert len(said) == len(set(said))
    assert len(said) > 120
    for h in homes:
        assert len(set(h.likes)) == len(h.likes)
        assert set(h.likes) <= names - {h.owner}
        assert {who for who, _ in h.comments} <= names - {h.owner}
        assert all(0 < len(text) <= 500 for _, text in h.comments)


def test_products_are_whole_and_inside_their_photos(homes):
    products = [(p, x) for h in homes for p in h.photos for x in p.products]
    assert len(products) > 60
    for _, x in products:
        assert x.keys() <= {"x", "y", "name", "brand", "url", "price"}
        assert 0 <= x["x"] <= 1
        assert 0 <= x["y"] <= 1
        assert x["name"]
        assert x.get("url", "https://example.com/").startswith("https://example.com/")
        assert isinstance(x.get("price", 1), int)
        assert x.get("price", 1) > 0


def test_seeds_differ_so_that_no_photo_occurs_twice(homes):
    photos = [p for h in homes for p in h.photos]
    assert len({p.seed for p in photos}) == len(photos)


def test_a_home_paints_its_photos(homes):
    home = homes[0]
    picture = Image.open(io.BytesIO(home.paint(home.photos[0])))
    assert picture.size == home.photos[0].size
