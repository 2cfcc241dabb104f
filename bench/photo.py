"""One 12 MP photo: our whole pipeline against plain Pillow making the same three WebP files.

`python -m bench.photo`. Both run in turn in the same process, so that a busy machine is busy for
both; the peak memory of each is that of a fresh process that does only this.
"""

import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import Row, at_most, print_table

ROUNDS = 7
RATIO_WANTED = 0.8
MEMORY_WANTED_MB = 300
SIZES = (1600, 800, 320)


def make_photo(target: Path) -> None:
    """4032 x 3024 px, several MB: a lit wall, furniture with edges, a weave, and sensor noise."""
    import pyvips

    width, height = 4032, 3024
    light = pyvips.Image.perlin(width, height, cell_size=800, seed=1) * 25
    weave = pyvips.Image.worley(width, height, cell_size=48, seed=2) * 0.5
    image = (light - weave).bandjoin([light * 0.95 - weave, light * 0.8 - weave])
    image = image.linear(1, [205, 190, 168]).cast("float").copy(interpretation="srgb")
    floor = [150, 110, 70]
    sofa = [40, 60, 95]
    image = image.draw_rect(floor, 0, 2300, width, height - 2300, fill=True)
    image = image.draw_rect(sofa, 500, 1500, 1700, 900, fill=True)
    for plank in range(0, width, 190):
        image = image.draw_line([95, 65, 40], plank, 2300, plank + 300, height - 1)
    for shelf in range(300, 1300, 90):
        image = image.draw_rect([70, 50, 35], 2600, shelf, 1100, 18, fill=True)
    grain = [pyvips.Image.gaussnoise(width, height, sigma=7, mean=0, seed=n) for n in (3, 4, 5)]
    image = (image + grain[0].bandjoin(grain[1:])).cast("uchar").copy(interpretation="srgb")
    image.jpegsave(str(target), Q=92)


def ours(source: Path) -> list[int]:
    """All of it: sniffing, three renditions, blurhash, palette and suggested colours."""
    from apps.media.imaging import process_photo

    photo = process_photo(source, declared_type="image/jpeg")
    return [len(rendition.data) for rendition in photo.renditions]


def pillow(source: Path) -> list[int]:
    """Three renditions and nothing else, as one would write it from Pillow's handbook."""
    from PIL import Image, ImageOps

    with Image.open(source) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    sizes = []
    for edge in SIZES:  # each from the one before, which is the quicker way
        image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.save(out, "WEBP", quality=80)
        sizes.append(out.tell())
    return sizes


WAYS: dict[str, Callable[[Path], list[int]]] = {"igloo": ours, "Pillow": pillow}


def measure_times(source: Path) -> dict[str, tuple[float, float, list[int]]]:
    """Median wall and CPU seconds of `ROUNDS` runs of each way, run in turn; and file sizes."""
    wall: dict[str, list[float]] = {name: [] for name in WAYS}
    cpu: dict[str, list[float]] = {name: [] for name in WAYS}
    sizes: dict[str, list[int]] = {}
    for name, way in WAYS.items():
        sizes[name] = way(source)  # loads the libraries; not counted
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            wall_began, cpu_began = time.perf_counter(), time.process_time()
            way(source)
            cpu[name].append(time.process_time() - cpu_began)
            wall[name].append(time.perf_counter() - wall_began)
    return {
        name: (statistics.median(wall[name]), statistics.median(cpu[name]), sizes[name])
        for name in WAYS
    }


def measure_memory(source: Path, name: str) -> float:
    """Peak resident memory in MB of a fresh process that runs one way once (Linux: VmHWM)."""
    code = (
        "import re, sys\nfrom pathlib import Path\nfrom bench.photo import WAYS\n"
        "WAYS[sys.argv[2]](Path(sys.argv[1]))\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), name],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1024


def run() -> None:
    """Make the photo, measure both ways, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photo.jpg"
        make_photo(source)
        megabytes = source.stat().st_size / 1e6
        times = measure_times(source)
        memory = {name: measure_memory(source, name) for name in WAYS}
    (wall, cpu, sizes), (pillow_wall, pillow_cpu, pillow_sizes) = (times[name] for name in WAYS)
    rows = [
        at_most("wall time, igloo / Pillow", wall / pillow_wall, RATIO_WANTED),
        at_most("CPU time, igloo / Pillow", cpu / pillow_cpu, RATIO_WANTED),
        at_most("peak memory, igloo", memory["igloo"], MEMORY_WANTED_MB, unit="MB", digits=0),
        Row("peak memory, Pillow", f"{memory['Pillow']:.0f} MB"),
        Row("wall, CPU: igloo", f"{wall * 1000:.0f}, {cpu * 1000:.0f} ms"),
        Row("wall, CPU: Pillow", f"{pillow_wall * 1000:.0f}, {pillow_cpu * 1000:.0f} ms"),
        Row("WebP kB: igloo", " + ".join(f"{size / 1000:.0f}" for size in sizes)),
        Row("WebP kB: Pillow", " + ".join(f"{size / 1000:.0f}" for size in pillow_sizes)),
    ]
    print_table(f"A 12 MP JPEG of {megabytes:.1f} MB, medians of {ROUNDS} rounds", rows)


if __name__ == "__main__":
    run()
