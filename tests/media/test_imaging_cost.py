"""What a photo costs: memory of a fresh process, and what importing the package loads."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import pyvips

from tests.media import photos

ROOT = Path(__file__).parents[2]

# One photo in a process that has done nothing else; its peak in MB, as Linux counts it (kB).
# ru_maxrss is kept over exec, so a fat parent would be measured: VmHWM belongs to the new image.
CHILD = """
import json, re, sys
from pathlib import Path
from apps.media.imaging import PhotoRefused, process_photo
try:
    photo = process_photo(Path(sys.argv[1]), declared_type=sys.argv[2])
    answer = {"size": [photo.width, photo.height]}
except PhotoRefused as refused:
    answer = {"code": refused.code}
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps({**answer, "mb": peak / 1024}))
"""


def measure(source: Path, declared: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(source), declared],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def photo_12mp() -> pyvips.Image:
    rough = pyvips.Image.gaussnoise(1008, 756, mean=128, sigma=40, seed=1)
    return rough.bandjoin([rough, rough]).cast("uchar").copy(interpretation="srgb").zoom(4, 4)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["jpeg", "jpeg-progressive", "png", "png-interlaced", "webp"])
def test_12_megapixels_in_300_mb(tmp_path, photo_12mp, kind):
    source = tmp_path / "photo"
    if kind.startswith("jpeg"):
        photo_12mp.jpegsave(str(source), interlace=kind != "jpeg")
    elif kind.startswith("png"):
        photo_12mp.pngsave(str(source), interlace=kind != "png", compression=1)
    else:
        photo_12mp.webpsave(str(source), effort=0)
    measured = measure(source, f"image/{kind.partition('-')[0]}")
    assert measured["size"] == [4032, 3024]
    assert measured["mb"] < 300


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_12_megapixel_heic_in_300_mb():
    measured = measure(photos.SAMPLES / "12mp.heic", "image/heic")
    assert measured["size"] == [4032, 3024]
    assert measured["mb"] < 300


def huge_png() -> bytes:
    return photos.raw_png(50_000, 50_000, photos.inflates_to(1 << 24))


def deep_png() -> bytes:
    """Within the limit of pixels: 16 bits, alpha, all zero."""
    side = 6_300
    return photos.raw_png(side, side, photos.inflates_to(side * (side * 8 + 1)), depth=16, colour=6)


def deep_interlaced_png() -> bytes:
    return photos.raw_png(6_300, 6_300, b"", depth=16, colour=6, interlaced=1)


def profile_bomb() -> bytes:
    profile = photos.chunk(b"iCCP", b"k\0\0" + photos.inflates_to(1 << 28))
    return photos.raw_png(64, 64, photos.flat_idat(64, 64), before=profile)


def text_bomb() -> bytes:
    text = photos.inflates_to(7_900_000)
    chunks = b"".join(photos.chunk(b"zTXt", b"k%d\0\0" % i + text) for i in range(200))
    return photos.raw_png(64, 64, photos.flat_idat(64, 64), before=chunks)


def pixel_bomb() -> bytes:
    return photos.raw_png(64, 64, photos.inflates_to(1 << 28))


def flat_webp() -> bytes:
    image = pyvips.Image.black(6_300, 6_300, bands=3).copy(interpretation="srgb")
    return bytes(image.webpsave_buffer(lossless=True, effort=0))


def flat_progressive_jpeg() -> bytes:
    image = pyvips.Image.black(6_300, 6_300, bands=3).copy(interpretation="srgb")
    return bytes(image.jpegsave_buffer(interlace=True, subsample_mode="on"))


def huge_heic() -> bytes:
    size = struct.pack(">II", 4032, 3024)
    return photos.heic("12mp").replace(size, struct.pack(">II", 60_000, 60_000))


BOMBS = {
    "huge_png": (huge_png, "png", "too_many_pixels"),
    "deep_png": (deep_png, "png", None),
    "deep_interlaced_png": (deep_interlaced_png, "png", "too_many_pixels"),
    "profile_bomb": (profile_bomb, "png", None),
    "text_bomb": (text_bomb, "png", None),
    "pixel_bomb": (pixel_bomb, "png", None),
    "flat_webp": (flat_webp, "webp", None),
    "flat_progressive_jpeg": (flat_progressive_jpeg, "jpeg", None),
    "huge_heic": (huge_heic, "heic", "too_many_pixels"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_stay_under_300_mb(tmp_path, bomb):
    make, kind, code = BOMBS[bomb]
    source = tmp_path / "bomb"
    source.write_bytes(make())
    measured = measure(source, f"image/{kind}")
    assert measured.get("code") == code
    assert measured["mb"] < 300


def test_importing_the_package_loads_no_image_library():
    code = (
        "import sys, apps.media.imaging\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pyvips", "pi_heif", "PIL", "blurhash", "cffi", "django"} & set(loaded)


def test_a_jpeg_loads_neither_pillow_nor_libheif(tmp_path):
    source = tmp_path / "photo"
    source.write_bytes(photos.jpeg())
    code = (
        "import sys\nfrom pathlib import Path\nfrom apps.media.imaging import process_photo\n"
        "process_photo(Path(sys.argv[1]), declared_type='image/jpeg')\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code, str(source)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "pyvips" in loaded
    assert not {"pi_heif", "PIL", "django"} & set(loaded)
