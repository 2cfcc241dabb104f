"""One way to print what was measured against what was wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "MISSED", ""]


@dataclass(frozen=True)
class Row:
    """`name`: what; `measured` and `wanted`: with their units; `verdict`: empty when only told."""

    name: str
    measured: str
    wanted: str = ""
    verdict: Verdict = ""


def at_most(name: str, value: float, limit: float, *, unit: str = "", digits: int = 2) -> Row:
    """A row whose verdict is that `value` is not over `limit`."""
    tail = f" {unit}" if unit else ""
    verdict: Verdict = "ok" if value <= limit else "MISSED"
    return Row(name, f"{value:.{digits}f}{tail}", f"≤ {limit:g}{tail}", verdict)


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print the rows under `title` as aligned columns (a Markdown table)."""
    cells = [("", "measured", "wanted", "")]
    cells += [(row.name, row.measured, row.wanted, row.verdict) for row in rows]
    widths = [max(3, *(len(line[i]) for line in cells)) for i in range(4)]
    print(f"\n{title}\n")
    for number, line in enumerate(cells):
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        print("| " + " | ".join(padded) + " |")
        if number == 0:
            print("| " + " | ".join("-" * width for width in widths) + " |")
