"""Every kind of photo comes out upright, in sRGB, in three sizes, with nothing else in it."""

from pathlib import Path

import pytest
import pyvips
from PIL import Image

from apps.media.imaging import ProcessedPhoto, process_photo
from tests.media import photos
from tests.media.photos import BLUE, CORNERS, GREEN, MARK, RED, YELLOW, corners, jpeg, png, webp

Rgb = tuple[int, int, int]


@pytest.fixture
def process(tmp_path: Path):
    def _process(data: bytes, kind: str) -> ProcessedPhoto:
        source = tmp_path / "photo"
        source.write_bytes(data)
        return process_photo(source, declared_type=f"image/{kind}")

    return _process


def at(photo: ProcessedPhoto, x: float, y: float, *, which: int = 0) -> Rgb:
    """The colour of a rendition at a share of its width and height."""
    image = pyvips.Image.webpload_buffer(photo.renditions[which].data)
    assert image.bands == 3
    red, green, blue = image(int(x * image.width), int(y * image.height))
    return int(red), int(green), int(blue)


def near(seen: Rgb, meant: Rgb, *, by: int = 8) -> bool:
    return all(abs(one - other) <= by for one, other in zip(seen, meant, strict=True))


def assert_corners(photo: ProcessedPhoto, *, by: int = 8) -> None:
    for which in range(3):
        for (x, y), meant in CORNERS.items():
            seen = at(photo, x, y, which=which)
            assert near(seen, meant, by=by), (which, x, y, seen, meant)


# --- sizes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((2000, 1500), [(1600, 1200), (800, 600), (320, 240)]),
        ((1200, 1801), [(1066, 1600), (533, 800), (213, 320)]),
        ((1600, 1600), [(1600, 1600), (800, 800), (320, 320)]),
        ((900, 300), [(900, 300), (800, 267), (320, 107)]),
        ((100, 60), [(100, 60)] * 3),
        ((16, 320), [(16, 320)] * 3),
    ],
)
def test_three_renditions_never_enlarged(process, size, sizes):
    photo = process(jpeg(corners(*size)), "jpeg")
    assert (photo.width, photo.height) == size
    assert [one.name for one in photo.renditions] == ["large", "medium", "small"]
    assert [(one.width, one.height) for one in photo.renditions] == sizes
    for one in photo.renditions:
        assert one.content_type == "image/webp"
        image = pyvips.Image.webpload_buffer(one.data)
        assert (image.width, image.height) == (one.width, one.height)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_photo_shrunk_by_its_decoder_keeps_size_and_corners(process, kind):
    make = {"jpeg": jpeg, "webp": webp}[kind]
    photo = process(make(corners(6500, 1001)), kind)
    assert (photo.width, photo.height) == (6500, 1001)
    assert [(one.width, one.height) for one in photo.renditions] == [
        (1600, 246),
        (800, 123),
        (320, 49),
    ]
    assert_corners(photo)


# --- JPEG -----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(9))
def test_jpeg_is_turned_upright(process, orientation):
    photo = process(jpeg(orientation=orientation), "jpeg")
    assert (photo.width, photo.height) == (400, 300)
    assert_corners(photo)


def test_jpeg_orientation_that_makes_no_sense_is_ignored(process):
    photo = process(jpeg(exif=photos.exif(77)), "jpeg")
    assert (photo.width, photo.height) == (400, 300)
    assert_corners(photo)


def test_jpeg_progressive(process):
    assert_corners(process(jpeg(progressive=True), "jpeg"))


def test_jpeg_grey(process):
    image = Image.new("L", (200, 100), 60)
    image.paste(200, (100, 0, 200, 100))
    photo = process(jpeg(image, subsampling=-1), "jpeg")
    assert near(at(photo, 0.2, 0.5), (60, 60, 60))
    assert near(at(photo, 0.8, 0.5), (200, 200, 200))


def cmyk() -> Image.Image:
    image = Image.new("CMYK", (400, 100), (0, 0, 0, 0))
    image.paste((0, 255, 255, 0), (100, 0, 200, 100))
    image.paste((255, 0, 0, 0), (200, 0, 300, 100))
    image.paste((255, 255, 255, 255), (300, 0, 400, 100))
    return image


@pytest.mark.parametrize("with_profile", [False, True])
@pytest.mark.parametrize("adobe", [True, False])
def test_jpeg_cmyk(process, adobe, with_profile):
    image = cmyk()
    profile = photos.profile("cmyk") if with_profile else None
    data = jpeg(image, subsampling=-1, icc_profile=profile)
    if not adobe:  # Pillow writes inverted inks; without the mark all viewers still take them so
        start = data.index(b"\xff\xee\x00\x0eAdobe")
        data = data[:start] + data[start + 16 :]
    photo = process(data, "jpeg")
    white, red, cyan, black = (at(photo, x, 0.5) for x in (0.12, 0.37, 0.62, 0.87))
    assert min(white) > 245
    assert red[0] > 200
    assert max(red[1:]) < 80
    assert cyan[0] < 80
    assert min(cyan[1:]) > 130
    assert max(black) < 60


@pytest.mark.parametrize(
    ("profile", "stored"), [("p3", (234, 51, 35)), ("adobe", (219, 0, 0)), ("srgb", (255, 0, 0))]
)
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_wide_gamut_becomes_srgb(process, kind, profile, stored):
    make = {"jpeg": jpeg, "png": png, "webp": webp}[kind]
    image = Image.new("RGB", (64, 64), stored)
    # The same red, said in three colour spaces.
    data = make(image, icc_profile=photos.profile(profile))
    assert near(at(process(data, kind), 0.5, 0.5), (255, 0, 0), by=7)
    if kind == "png":  # the copy without its text keeps the profile
        with_text = data[:33] + photos.chunk(b"tEXt", b"Comment\0hello") + data[33:]
        assert near(at(process(with_text, kind), 0.5, 0.5), (255, 0, 0), by=7)


@pytest.mark.parametrize("broken", [b"nonsense", b"\0" * 200, photos.profile("cmyk")])
def test_a_profile_that_does_not_fit_is_ignored(process, broken):
    assert_corners(process(jpeg(icc_profile=broken), "jpeg"))


def test_harmless_faults_of_jpegs_are_forgiven(process):
    """What libjpeg warns about although the picture is whole and right."""
    closing = jpeg(progressive=True)
    assert_corners(process(closing[:-2] + b"\x55" * 40 + closing[-2:], "jpeg"))
    scan = bytearray(jpeg())
    parameters = scan.index(b"\xff\xda") + 11
    assert scan[parameters : parameters + 3] == b"\x00\x3f\x00"
    scan[parameters + 1] = 0  # the last coefficient, as some encoders write it
    assert_corners(process(bytes(scan), "jpeg"))


# --- PNG ------------------------------------------------------------------------------------


def test_png(process):
    assert_corners(process(png(), "png"))


def test_png_16_bits(process):
    assert_corners(process(photos.png16(corners()), "png"))


def test_png_grey_16_bits(process):
    photo = process(photos.png16(Image.new("L", (64, 64), 120)), "png")
    assert near(at(photo, 0.5, 0.5), (120, 120, 120), by=3)


def test_png_interlaced(process):
    data = photos.vips_image(corners()).pngsave_buffer(interlace=True)
    assert data[28] == 1
    assert_corners(process(bytes(data), "png"))


def test_png_palette(process):
    assert_corners(process(png(corners().quantize(16)), "png"))


def test_png_palette_with_a_transparent_colour(process):
    image = Image.new("P", (64, 64), 0)
    image.putpalette([0, 0, 0, *GREEN])
    image.paste(1, (32, 0, 64, 64))
    photo = process(png(image, transparency=0), "png")
    assert near(at(photo, 0.2, 0.5), (255, 255, 255))
    assert near(at(photo, 0.8, 0.5), GREEN)


@pytest.mark.parametrize(("mode", "grey"), [("L", 90), ("1", 255), ("I;16", 90)])
def test_png_grey(process, mode, grey):
    image = Image.new(mode, (64, 64), grey * 257 if mode == "I;16" else grey)
    assert near(at(process(png(image), "png"), 0.5, 0.5), (grey, grey, grey), by=3)


@pytest.mark.parametrize("sixteen", [False, True])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_png_alpha_is_flattened_over_white(process, mode, sixteen):
    image = Image.new(mode, (300, 100), (0, 0) if mode == "LA" else (0, 0, 0, 0))
    image.paste((0, 128) if mode == "LA" else (0, 0, 0, 128), (100, 0, 200, 100))
    image.paste((0, 255) if mode == "LA" else (0, 0, 0, 255), (200, 0, 300, 100))
    photo = process(photos.png16(image) if sixteen else png(image), "png")
    assert near(at(photo, 0.1, 0.5), (255, 255, 255))
    assert near(at(photo, 0.5, 0.5), (127, 127, 127))
    assert near(at(photo, 0.9, 0.5), (0, 0, 0))


def test_png_orientation_and_text(process):
    image = corners().transpose(Image.Transpose.ROTATE_90)
    data = png(image, exif=photos.exif(6))
    # With text, the decoder is given a copy without it: the picture and its turn must survive.
    text = photos.chunk(b"tEXt", b"Comment\0" + MARK.encode())
    for one in (data, data[:33] + text + data[33:]):
        photo = process(one, "png")
        assert (photo.width, photo.height) == (400, 300)
        assert_corners(photo)
        assert not any(MARK.encode() in rendition.data for rendition in photo.renditions)


def test_apng_gives_its_first_frame(process):
    second = Image.new("RGB", (400, 300), (0, 0, 0))
    data = png(corners(), save_all=True, append_images=[second], duration=100)
    assert b"acTL" in data
    assert_corners(process(data, "png"))


# --- WebP -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lossless", [False, True])
def test_webp(process, lossless):
    assert_corners(process(webp(lossless=lossless), "webp"))


def test_webp_alpha_is_flattened_over_white(process):
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 200, 300))
    photo = process(webp(image), "webp")
    assert near(at(photo, 0.2, 0.5), (255, 255, 255))
    assert near(at(photo, 0.8, 0.8), YELLOW)


def test_webp_orientation(process):
    image = corners().transpose(Image.Transpose.ROTATE_270)
    photo = process(webp(image, exif=photos.exif(8)), "webp")
    assert (photo.width, photo.height) == (400, 300)
    assert_corners(photo)


def test_animated_webp_gives_its_first_frame(process):
    second = Image.new("RGB", (400, 300), (0, 0, 0))
    data = webp(corners(), save_all=True, append_images=[second], duration=100)
    assert b"ANIM" in data
    photo = process(data, "webp")
    assert (photo.width, photo.height) == (400, 300)
    assert_corners(photo)


# --- HEIC -----------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", ["heic", "heif"])
def test_heic_as_a_phone_writes_it(process, declared):
    """A grid of tiles turned by `irot`; EXIF says the same turn again; Display P3."""
    photo = process(photos.heic("phone"), declared)
    assert (photo.width, photo.height) == (720, 960)
    assert [(one.width, one.height) for one in photo.renditions] == [
        (720, 960),
        (600, 800),
        (240, 320),
    ]
    assert_corners(photo)
    for one in photo.renditions:
        assert photos.riff_chunks(one.data) == [b"VP8 "]


def test_heic_10_bits_and_display_p3_by_number(process):
    photo = process(photos.heic("10bit"), "heic")
    assert (photo.width, photo.height) == (256, 192)
    assert_corners(photo)


def test_heic_alpha_is_flattened_over_white(process):
    photo = process(photos.heic("alpha"), "heic")
    assert near(at(photo, 0.2, 0.5), (255, 255, 255))
    assert near(at(photo, 0.8, 0.2), GREEN)


# --- what does not come out -------------------------------------------------------------------


def test_no_metadata_comes_out(process):
    data = photos.jpeg_with_everything()
    for kind in ("MAKER", "GPS", "XMP", "COMMENT", "IPTC", "TAIL"):
        assert f"{MARK}-{kind}".encode() in data
    photo = process(data, "jpeg")
    for one in photo.renditions:
        # One chunk of pixels: no VP8X, so no EXIF, XMP or ICCP can follow.
        assert photos.riff_chunks(one.data) == [b"VP8 "]
        assert MARK.encode() not in one.data


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_no_metadata_comes_out_of(process, kind):
    make = {"png": png, "webp": webp}[kind]
    extra = {"exif": photos.exif(place=True), "icc_profile": photos.profile("adobe")}
    data = make(corners(), **extra)
    assert MARK.encode() in data
    for one in process(data, kind).renditions:
        assert photos.riff_chunks(one.data) == [b"VP8 "]


# --- blurhash -----------------------------------------------------------------------------------


def test_blurhash_looks_like_the_photo(process):
    import blurhash

    photo = process(jpeg(corners(2000, 1500)), "jpeg")
    assert blurhash.components(photo.blurhash) == (4, 3)
    pixels = blurhash.decode(photo.blurhash, 20, 15)
    for (x, y), meant in {(1, 1): RED, (18, 1): GREEN, (1, 13): BLUE, (18, 13): YELLOW}.items():
        seen = pixels[y][x]
        strongest = max(range(3), key=lambda i: meant[i])
        assert seen[strongest] == max(seen)
        assert near(tuple(seen), meant, by=90)


def test_blurhash_of_a_portrait_and_of_one_colour(process):
    import blurhash

    photo = process(png(Image.new("RGB", (60, 90), (200, 120, 40))), "png")
    assert blurhash.components(photo.blurhash) == (3, 4)
    middle = blurhash.decode(photo.blurhash, 9, 9)[4][4]
    assert near(tuple(middle), (200, 120, 40), by=10)


def test_the_same_photo_gives_the_same_answer(process):
    data = jpeg(photos.noise(700, 500))
    assert process(data, "jpeg") == process(data, "jpeg")
