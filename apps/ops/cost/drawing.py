"""The bills over the traffic, drawn: for a terminal, and as SVG."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from apps.ops.cost.crossing import Crossing

# Letters for a terminal; colours that stay apart for the colour-blind (Okabe and Ito, 2008).
LOOKS = {
    "lambda-v1": ("1", "#D55E00"),
    "lambda-v2": ("2", "#E69F00"),
    "fargate-x86": ("x", "#0072B2"),
    "fargate-arm64": ("a", "#56B4E9"),
    "fargate-spot": ("s", "#009E73"),
    "ec2": ("e", "#999999"),
}


@dataclass(frozen=True, slots=True)
class Chart:
    """USD a month of each place at so many requests a day; `names` are for the reader."""

    requests: Sequence[int]
    usd: dict[str, list[Decimal]]
    names: dict[str, str]
    now: Decimal
    crossing: Crossing | None
    title: str

    @property
    def amounts(self) -> list[float]:
        """Round amounts from below the least drawn to above the most, at most three decades."""
        amounts = [float(usd) for values in self.usd.values() for usd in values]
        most = math.log10(max(amounts))
        least = max(math.log10(max(min(amounts), 0.01)), most - 3)
        steps = [
            step * 10.0**power
            for power in range(math.floor(least), math.ceil(most) + 1)
            for step in (1, 2, 5)
        ]
        first = max(n for n, step in enumerate(steps) if math.log10(step) <= least)
        last = min(n for n, step in enumerate(steps) if math.log10(step) >= most)
        return steps[first : last + 1]

    def up(self, usd: float) -> float:
        """Where an amount lies between the bottom (0) and the top (1)."""
        bottom, top = self.amounts[0], self.amounts[-1]
        return math.log(max(usd, bottom) / bottom) / math.log(top / bottom)

    def across(self, requests: float) -> float:
        """Where so many requests lie between the left (0) and the right (1)."""
        left, right = math.log(self.requests[0]), math.log(self.requests[-1])
        return (math.log(requests) - left) / (right - left)


def short(number: float) -> str:
    """12,000 as 12k."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{sign}"
    return f"{number:.3g}"


def in_terminal(chart: Chart, *, columns: int = 64, rows: int = 16) -> str:
    """The chart in letters; where two places cost the same, the earlier one of LOOKS is seen."""
    field = [[" "] * columns for _ in range(rows)]
    mark = round(chart.across(float(chart.now)) * (columns - 1))
    for row in field:
        row[mark] = "┊"
    for world, (letter, _) in reversed(LOOKS.items()):
        for column in range(columns):
            place = round(column / (columns - 1) * (len(chart.requests) - 1))
            height = chart.up(float(chart.usd[world][place]))
            field[round((1 - height) * (rows - 1))][column] = letter
    labels = {round((1 - chart.up(usd)) * (rows - 1)): f"${usd:,.0f}" for usd in chart.amounts}
    lines = [chart.title]
    for number, row in enumerate(field):
        lines.append(f"{labels.get(number, ''):>9} │{''.join(row).rstrip()}")
    lines.append(f"{'':>9} └{'─' * columns}")
    ends = f"{short(chart.requests[0])} requests a day", short(chart.requests[-1])
    lines.append(f"{'':>11}{ends[0]}{ends[1]:>{columns - len(ends[0])}}")
    keys = [f"{letter} {chart.names[world]}" for world, (letter, _) in LOOKS.items()]
    return "\n".join([*lines, "   ".join([*keys[:3]]), "   ".join([*keys[3:], "┊ now"])])


WIDTH, HEIGHT = 860, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 56, 60


def as_svg(chart: Chart) -> str:
    """The chart as an SVG document, for a light ground."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(requests: float) -> float:
        return round(LEFT + chart.across(requests) * wide, 1)

    def y(usd: float) -> float:
        return round(TOP + high * (1 - chart.up(usd)), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(chart.title)}</text>',
    ]
    for usd in chart.amounts:
        parts += [
            f'<path d="M{LEFT} {y(usd)}H{LEFT + wide}" stroke="#ddd"/>',
            f'<text x="{LEFT - 8}" y="{y(usd) + 4}" text-anchor="end">${usd:,.0f}</text>',
        ]
    for power in range(math.ceil(math.log10(chart.requests[0])), 10):
        if 10**power <= chart.requests[-1]:
            place = x(10**power)
            parts += [
                f'<path d="M{place} {TOP}V{TOP + high}" stroke="#eee"/>',
                f'<text x="{place}" y="{TOP + high + 18}" text-anchor="middle">'
                f"{short(10**power)}</text>",
            ]
    parts.append(
        f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 16}" text-anchor="middle">requests a day</text>'
    )
    parts += _crossing(chart, x, high)
    heights = _apart([y(float(chart.usd[world][-1])) for world in LOOKS])
    for (world, (_, colour)), height in zip(LOOKS.items(), heights, strict=True):
        line = " ".join(
            f"{x(requests)},{y(float(usd))}"
            for requests, usd in zip(chart.requests, chart.usd[world], strict=True)
        )
        parts += [
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{LEFT + wide + 8}" y="{height + 4}" fill="{colour}">'
            f"{escape(chart.names[world])}</text>",
        ]
    now = x(float(chart.now))
    parts += [
        f'<path d="M{now} {TOP}V{TOP + high}" stroke="#222" stroke-dasharray="3 3"/>',
        f'<text x="{now}" y="{TOP - 6}" text-anchor="middle">now {short(float(chart.now))}</text>',
    ]
    return "\n".join([*parts, "</svg>", ""])


def _crossing(chart: Chart, x: Callable[[float], float], high: float) -> list[str]:
    """The crossing with its bounds, where it lies inside the chart."""
    crossing = chart.crossing
    if crossing is None or crossing.requests_per_day is None:
        return []
    first, last = chart.requests[0], chart.requests[-1]
    if not first <= crossing.requests_per_day <= last:
        return []
    low = x(max(first, crossing.low or first))
    till = x(min(last, crossing.high or last))
    place = x(crossing.requests_per_day)
    pair = f"{crossing.serverless} = {crossing.container}"
    return [
        f'<rect x="{low}" y="{TOP}" width="{till - low:.1f}" height="{high}" fill="#009E73"'
        ' fill-opacity="0.1"/>',
        f'<path d="M{place} {TOP}V{TOP + high}" stroke="#009E73"/>',
        f'<text x="{place}" y="{TOP + high - 8}" text-anchor="middle" fill="#00664b">'
        f"{pair} at {short(crossing.requests_per_day)}</text>",
    ]


def _apart(heights: Sequence[float], gap: float = 15) -> list[float]:
    """The heights of labels, moved so that none lies on another and none below the axis."""
    order = sorted(range(len(heights)), key=lambda n: heights[n])
    placed = list(heights)
    lowest = float(HEIGHT - BOTTOM)
    for n in reversed(order):
        placed[n] = min(placed[n], lowest)
        lowest = placed[n] - gap
    return placed
