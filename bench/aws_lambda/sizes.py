"""The zip, by package."""

from pathlib import Path

from bench.table import Row, at_most, print_table
from igloo.packaging import archive, rules

_MIB = 1024 * 1024
# What is smaller than this, in MiB, is told together.
_SMALL = 0.1


def run(package: Path) -> None:
    """Print the table."""
    sizes = {name: size / _MIB for name, size in archive.sizes(package).items()}
    large = {name: size for name, size in sizes.items() if size >= _SMALL}
    rest = sum(sizes.values()) - sum(large.values())
    total = package.stat().st_size / _MIB
    rows = [at_most("the zip", total, rules.MAX_ZIP / _MIB, unit="MiB")]
    rows += [Row(name, f"{size:.2f} MiB") for name, size in large.items()]
    rows.append(Row(f"{len(sizes) - len(large)} others", f"{rest:.2f} MiB"))
    rows.append(Row("the zip's own list of files", f"{total - sum(sizes.values()):.2f} MiB"))
    print_table("The package, compressed", rows)
