"""What is refused, by which code; and that no bytes make anything else than a refusal."""

import io
import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from apps.media.imaging import PHOTO_TYPES, PhotoRefused, ProcessedPhoto, process_photo
from apps.media.imaging.sniff import sniff
from tests.media import photos
from tests.media.photos import corners, jpeg, noise, png, raw_png, webp


@pytest.fixture
def source(tmp_path: Path):
    def _source(data: bytes) -> Path:
        path = tmp_path / "photo"
        path.write_bytes(data)
        return path

    return _source


@pytest.fixture
def code(source):
    """The code by which bytes are refused; fails when they are not."""

    def _code(data: bytes, declared: str) -> str:
        with pytest.raises(PhotoRefused) as caught:
            process_photo(source(data), declared_type=declared)
        assert str(caught.value).startswith(caught.value.code)
        return caught.value.code

    return _code


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + kind + data


def made_heic(size: tuple[int, int], *, item: bytes = b"hvc1", after_item: bytes = b"\0") -> bytes:
    """A HEIC of one item with these claims and no pixels."""
    zero = bytes(4)
    infe = box(b"infe", b"\x02\0\0\0", struct.pack(">HH", 1, 0), item, after_item)
    ispe = box(b"ispe", zero, struct.pack(">II", *size))
    ipma = box(b"ipma", zero, struct.pack(">IHBB", 1, 1, 1, 1))
    meta = box(
        b"meta",
        zero,
        box(b"pitm", zero, struct.pack(">H", 1)),
        box(b"iinf", zero, struct.pack(">H", 1), infe),
        box(b"iprp", box(b"ipco", ispe), ipma),
    )
    return box(b"ftyp", b"heic", zero, b"mif1heic") + meta + box(b"mdat", bytes(64))


# --- what it is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\x89PNG",
        b"hello, this is no photo",
        "안녕하세요".encode() * 50,
        bytes(1000),
        b"%PDF-1.7\n" + jpeg(),
        b"PK\x03\x04" + jpeg(),
        b"<html><script>alert(1)</script></html>",
        b'<?xml version="1.0"?><note>no picture</note>',
        b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2",
        b"RIFF\x24\0\0\0WAVEfmt ",
    ],
)
@pytest.mark.parametrize("declared", ["image/jpeg", "image/heic"])
def test_not_an_image(code, data, declared):
    assert code(data, declared) == "not_an_image"


def avif() -> bytes:
    return b"\0\0\0\x1cftypavif\0\0\0\0mif1miafMA1B" + bytes(200)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(photos.save(corners(), "GIF"), id="gif"),
        pytest.param(photos.save(corners(), "TIFF"), id="tiff"),
        pytest.param(photos.save(corners(), "BMP"), id="bmp"),
        pytest.param(photos.save(corners(64, 64), "ICO"), id="ico"),
        pytest.param(avif(), id="avif"),
        pytest.param(avif().replace(b"ftypavif", b"ftypmif1").replace(b"mif1miaf", b"avifmiaf")),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', id="svg"),
        pytest.param(b'\xef\xbb\xbf <?xml version="1.0"?>\n<!-- a --><svg></svg>', id="svg-xml"),
        pytest.param(b"\0\0\0\x0cJXL \r\n\x87\n", id="jxl"),
        # The head decides, whatever hangs on its tail.
        pytest.param(photos.save(corners(), "GIF") + jpeg(), id="gif-then-jpeg"),
        pytest.param(made_heic((100, 100), item=b"av01"), id="avif-in-heic"),
        pytest.param(made_heic((100, 100), item=b"unci"), id="uncompressed-in-heic"),
    ],
)
def test_an_image_of_a_kind_we_do_not_take(code, data):
    assert code(data, "image/heic") == "unsupported_type"


@pytest.mark.parametrize("declared", [*PHOTO_TYPES, "image/gif", "text/html", "", "IMAGE/JPEG"])
def test_type_mismatch(code, source, declared):
    same = {
        "image/jpeg": jpeg(),
        "image/png": png(),
        "image/webp": webp(),
        "image/heic": photos.heic("10bit"),
    }
    meant = {"image/heif": "image/heic", "IMAGE/JPEG": "image/jpeg"}.get(declared, declared)
    for kind, data in same.items():
        if kind == meant:
            assert process_photo(source(data), declared_type=declared).width
        else:
            assert code(data, declared) == "type_mismatch"


# --- sizes ------------------------------------------------------------------------------------


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_claiming(width: int, height: int) -> bytes:
    data = bytearray(webp())
    data[26:30] = struct.pack("<HH", width, height)
    return bytes(data)


def lossless_webp_claiming(width: int, height: int) -> bytes:
    data = bytearray(webp(lossless=True))
    data[21:25] = (width - 1 | (height - 1) << 14).to_bytes(4, "little")
    return bytes(data)


def canvas_claiming(width: int, height: int) -> bytes:
    data = bytearray(webp(corners().convert("RGBA"), exif=photos.exif()))
    assert data[12:16] == b"VP8X"
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


CLAIMS = {
    "jpeg": jpeg_claiming,
    "png": lambda width, height: raw_png(width, height, photos.flat_idat(64, 64)),
    "webp": webp_claiming,
    "webp-lossless": lossless_webp_claiming,
    "webp-canvas": canvas_claiming,
    "heic": lambda width, height: made_heic((width, height)),
}


@pytest.mark.parametrize("kind", CLAIMS)
def test_too_many_pixels_are_refused_by_the_header(code, kind, monkeypatch):
    import apps.media.imaging.process as process

    def decoder(*_: object, **__: object) -> None:
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr(process, "decode", decoder)
    declared = f"image/{kind.partition('-')[0]}"
    assert code(CLAIMS[kind](10_001, 4_000), declared) == "too_many_pixels"
    assert code(CLAIMS[kind](16_383, 16_383), declared) == "too_many_pixels"
    if kind in ("jpeg",):
        assert code(CLAIMS[kind](65_535, 65_535), declared) == "too_many_pixels"
    if kind in ("png", "heic"):
        assert code(CLAIMS[kind](2**31 - 1, 2**31 - 1), declared) == "too_many_pixels"
    assert code(CLAIMS[kind](15, 100), declared) == "too_small"
    assert code(CLAIMS[kind](4_000, 1), declared) == "too_small"
    assert code(CLAIMS[kind](16, 321), declared) == "too_narrow"
    assert code(CLAIMS[kind](9_000, 400), declared) == "too_narrow"
    with pytest.raises(AssertionError, match="a decoder was asked"):
        code(CLAIMS[kind](10_000, 4_000), declared)


@pytest.mark.parametrize("kind", CLAIMS)
@pytest.mark.parametrize("size", [(6400, 6000), (3000, 2000), (400, 290), (100, 100)])
def test_a_header_that_lies_about_a_size_we_would_take(source, kind, size):
    """More than there is, is refused. Less may come out garbled, but of the size that was read."""
    path, declared = source(CLAIMS[kind](*size)), f"image/{kind.partition('-')[0]}"
    if size[0] > 400:
        with pytest.raises(PhotoRefused) as caught:
            process_photo(path, declared_type=declared)
        assert caught.value.code in ("damaged", "truncated")
        return
    with suppress(PhotoRefused):
        photo = process_photo(path, declared_type=declared)
        assert (photo.width, photo.height) == size


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_real_photo_that_is_one_pixel_high(code, kind):
    assert code(photos.save(Image.new("RGB", (200, 1)), kind), f"image/{kind}") == "too_small"


def test_what_cannot_be_streamed_is_limited_by_its_memory(code, source):
    """An interlaced PNG is held whole: 36 MP of 8 bytes are too much, of 3 bytes are not."""
    deep = raw_png(6000, 6000, b"", depth=16, colour=6, interlaced=1)
    assert code(deep, "image/png") == "too_many_pixels"
    plain = raw_png(6000, 6000, b"", depth=16, colour=6)
    assert sniff(source(plain), declared_type="image/png").width == 6000
    # The same for the coefficients of a progressive JPEG, 4:4:4 against 4:2:0.
    full, half = (
        bytearray(jpeg(progressive=True, subsampling=subsampling)) for subsampling in (0, 2)
    )
    for data in (full, half):
        at = data.index(b"\xff\xc2") + 5
        data[at : at + 4] = struct.pack(">HH", 6000, 6000)
    assert code(bytes(full), "image/jpeg") == "too_many_pixels"
    assert sniff(source(bytes(half)), declared_type="image/jpeg").width == 6000


# --- cut short --------------------------------------------------------------------------------


def whole(kind: str) -> bytes:
    return {
        "jpeg": lambda: jpeg(noise()),
        "jpeg-progressive": lambda: bytes(
            photos.vips_image(noise()).jpegsave_buffer(interlace=True)
        ),
        "png": lambda: png(noise()),
        "png-interlaced": lambda: bytes(photos.vips_image(noise()).pngsave_buffer(interlace=True)),
        "webp": lambda: webp(noise()),
        "webp-lossless": lambda: webp(noise(), lossless=True),
        "webp-canvas": lambda: webp(noise().convert("RGBA"), exif=photos.exif()),
        "heic": lambda: photos.heic("phone"),
    }[kind]()


WHOLE = (
    "jpeg",
    "jpeg-progressive",
    "png",
    "png-interlaced",
    "webp",
    "webp-lossless",
    "webp-canvas",
    "heic",
)


@pytest.mark.parametrize("kind", WHOLE)
def test_truncated_at_any_point(code, source, kind):
    data = whole(kind)
    declared = f"image/{kind.partition('-')[0]}"
    assert isinstance(process_photo(source(data), declared_type=declared), ProcessedPhoto)
    cuts = {*range(32, 700, 61), len(data) - 1, len(data) - 2, len(data) - 13}
    cuts |= {len(data) * part // 15 for part in range(1, 15)}
    for cut in sorted(cuts):
        assert code(data[:cut], declared) == "truncated", cut


@pytest.mark.parametrize("kind", ["jpeg", "jpeg-progressive"])
def test_a_jpeg_cut_and_closed_again_is_not_half_grey(code, kind):
    data = whole(kind)
    assert code(data[: len(data) // 2] + b"\xff\xd9", "image/jpeg") == "truncated"


@pytest.mark.parametrize("kind", WHOLE)
def test_any_bytes_give_a_photo_or_a_refusal(source, kind):
    """Seeded noise over a good file: nothing may come out but a photo or `PhotoRefused`."""
    data = whole(kind)
    declared = f"image/{kind.partition('-')[0]}"
    dice = random.Random(f"igloo {kind}")
    refused = 0
    for turn in range(24):
        bad = bytearray(data)
        # Half of them in the headers, where the decoders' decisions are.
        reach = len(bad) if turn % 2 else min(len(bad), 700)
        for _ in range(dice.choice((1, 3, 20))):
            bad[dice.randrange(12, reach)] = dice.randrange(256)
        try:
            process_photo(source(bytes(bad)), declared_type=declared)
        except PhotoRefused:
            refused += 1
    assert refused


# --- damaged ----------------------------------------------------------------------------------


def test_damaged_jpegs(code):
    data = jpeg(noise())
    # Bits that are no code of the file's tables: libjpeg warns and goes on. (In a baseline file
    # it does not even warn: JPEG has no checksum, and the picture is wrong but whole.)
    scans = whole("jpeg-progressive")
    spot = len(scans) * 2 // 3
    no_code = b"\xff\x00" * 200
    assert code(scans[:spot] + no_code + scans[spot + 400 :], "image/jpeg") == "damaged"
    frame = data.index(b"\xff\xc0")
    two_frames = data[:frame] + data[frame : frame + 19] + data[frame:]
    assert code(two_frames, "image/jpeg") == "damaged"
    assert code(b"\xff\xd8\xff\xd9" + bytes(100), "image/jpeg") == "damaged"
    assert code(b"\xff\xd8\xff\xe0\x00\x04ab" + b"garbage" * 20, "image/jpeg") == "damaged"
    assert code(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 5_000, "image/jpeg") == "damaged"
    assert code(b"\xff\xd8" + b"\xff" * 100_000, "image/jpeg") == "truncated"
    # Height 0 means "told later" (DNL), which nobody writes.
    assert code(jpeg_claiming(400, 0), "image/jpeg") == "damaged"
    twelve_bits = bytearray(data)
    twelve_bits[frame + 4] = 12
    assert code(bytes(twelve_bits), "image/jpeg") == "damaged"


def test_damaged_pngs(code):
    good = photos.flat_idat(64, 64)
    assert code(raw_png(64, 64, b"not zlib at all"), "image/png") == "damaged"
    assert code(raw_png(64, 64, good, colour=5), "image/png") == "damaged"
    assert code(raw_png(64, 64, good, depth=3), "image/png") == "damaged"
    head = b"\x89PNG\r\n\x1a\n"
    assert code(head + photos.chunk(b"IEND", b"") + bytes(30), "image/png") == "damaged"
    ihdr = raw_png(64, 64, good)[8:33]
    assert code(head + ihdr + photos.chunk(b"IEND", b""), "image/png") == "damaged"
    flood = photos.chunk(b"tEXt", b"") * 100_001
    assert code(raw_png(64, 64, good, before=flood), "image/png") == "damaged"
    wrong_crc = bytearray(raw_png(64, 64, good))
    wrong_crc[-14] ^= 0xFF
    assert code(bytes(wrong_crc), "image/png") == "damaged"
    # The rows end early, the file does not.
    assert code(raw_png(64, 64, photos.flat_idat(64, 32)), "image/png") == "damaged"


def test_damaged_webps(code):
    data = bytearray(webp())
    data[12:16] = b"JUNK"
    assert code(bytes(data), "image/webp") == "damaged"
    data = bytearray(webp())
    data[23:26] = b"abc"
    assert code(bytes(data), "image/webp") == "damaged"
    data = bytearray(webp(lossless=True))
    data[20] = 0
    assert code(bytes(data), "image/webp") == "damaged"


def test_damaged_heics(code):
    assert code(made_heic((100, 100)), "image/heic") == "damaged"
    packed = made_heic((100, 100), item=b"mime", after_item=b"\0text/xml\0deflate\0")
    assert code(packed, "image/heic") == "damaged"
    phone = photos.heic("phone")
    ftyp = phone[: int.from_bytes(phone[:4], "big")]
    assert code(ftyp + box(b"mdat", bytes(100)), "image/heic") == "damaged"
    assert code(ftyp + box(b"free") * 1_001, "image/heic") == "damaged"
    assert code(ftyp + box(b"meta", bytes(1_000_001)), "image/heic") == "damaged"
    assert code(ftyp + struct.pack(">I4s", 7, b"meta"), "image/heic") == "damaged"
    assert code(ftyp + struct.pack(">I4s", 2**32 - 1, b"mdat"), "image/heic") == "truncated"
    # The tiles say 512 px, the coded pictures are what they were.
    tiles = struct.pack(">II", 512, 512)
    assert code(phone.replace(tiles, struct.pack(">II", 16, 16)), "image/heic") == "damaged"
    # A grid that claims more than its tiles cover.
    size = struct.pack(">II", 960, 720)
    assert code(phone.replace(size, struct.pack(">II", 6000, 6000)), "image/heic") == "damaged"


def test_a_heic_grid_of_endless_tiles(code):
    """Each named tile is decoded; 1,000 names of one large tile would take minutes."""
    zero = bytes(4)
    infe = [
        box(b"infe", b"\x02\0\0\0", struct.pack(">HH", number, 0), kind, b"\0")
        for number, kind in ((1, b"hvc1"), (2, b"grid"))
    ]
    ispe = box(b"ispe", zero, struct.pack(">II", 4096, 4096))
    meta = box(
        b"meta",
        zero,
        box(b"pitm", zero, struct.pack(">H", 2)),
        box(b"iinf", zero, struct.pack(">H", 2), *infe),
        box(b"iref", zero, box(b"dimg", struct.pack(">HH", 2, 1000), b"\0\x01" * 1000)),
        box(b"iprp", box(b"ipco", ispe), box(b"ipma", zero, b"\0\0\0\2\0\1\1\1\0\2\1\1")),
    )
    data = box(b"ftyp", b"heic", zero, b"mif1heic") + meta + box(b"mdat", bytes(64))
    assert code(data, "image/heic") == "too_many_pixels"


# --- polyglots and bombs ----------------------------------------------------------------------


def test_a_polyglot_comes_out_as_pixels_only(source):
    evil = b"<svg onload=alert(1)>PK\x03\x04 EVIL"
    image = corners(64, 48)
    for kind, data in {
        "jpeg": jpeg(image, comment=evil) + evil,
        "png": png(image) + evil,
        "webp": webp(image) + evil,
    }.items():
        photo = process_photo(source(data), declared_type=f"image/{kind}")
        assert all(b"EVIL" not in one.data for one in photo.renditions)


def test_a_png_that_inflates_to_a_gigabyte_stops_at_its_rows(source):
    data = raw_png(64, 64, photos.inflates_to(1 << 28))
    photo = process_photo(source(data), declared_type="image/png")
    assert (photo.width, photo.height) == (64, 64)


def test_the_text_of_a_png_is_never_inflated(source):
    """Three hundred texts of 8 MB each: 2.3 GB and 8 s, were they given to the decoder."""
    text = zlib.compress(b"A" * 7_900_000, 9)
    chunks = b"".join(
        photos.chunk(b"zTXt", b"k%d\0\0" % i + text)
        + photos.chunk(b"iTXt", b"k%d\0\1\0\0\0" % i + text)
        for i in range(150)
    )
    data = raw_png(64, 64, photos.flat_idat(64, 64), before=chunks)
    assert process_photo(source(data), declared_type="image/png").width == 64


def test_a_progressive_jpeg_of_endless_scans_is_not_decoded(source):
    """Every scan goes over the whole picture: thousands of them, in 100 kB, take half a minute."""
    data = jpeg(Image.new("L", (500, 500), 128), progressive=True, subsampling=-1)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(PhotoRefused, match="too many JPEG scans") as refused:
        process_photo(
            source(data[:-2] + data[last:-2] * 100 + b"\xff\xd9"), declared_type="image/jpeg"
        )
    assert refused.value.code == "damaged"


def test_a_progressive_jpeg_as_programs_write_it_has_few_scans(source):
    data = jpeg(Image.new("RGB", (500, 500), "navy"), progressive=True)
    assert 5 < data.count(b"\xff\xda") < 20
    assert process_photo(source(data), declared_type="image/jpeg").width == 500


def test_a_message_that_cannot_be_read_is_a_refusal_and_spoils_nothing(code, source, monkeypatch):
    """pyvips raises UnicodeDecodeError when libvips' message quotes bytes of the file."""
    import apps.media.imaging.decode as decode

    with monkeypatch.context() as patch:

        def unreadable(*_: object, **__: object) -> None:
            b"\x80".decode()

        patch.setattr(decode, "_open", unreadable)
        assert code(jpeg(), "image/jpeg") == "damaged"
    assert process_photo(source(jpeg()), declared_type="image/jpeg").width == 400


def test_only_our_files_errors_are_the_callers(tmp_path):
    with pytest.raises(FileNotFoundError):
        process_photo(tmp_path / "gone", declared_type="image/jpeg")


def test_samples_are_small():
    total = sum(path.stat().st_size for path in photos.SAMPLES.iterdir())
    assert total < 1_500_000
    assert io.BytesIO(photos.heic("12mp")).read(12)[4:] == b"ftypheic"
