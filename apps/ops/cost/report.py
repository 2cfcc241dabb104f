"""What the command says: the bills, the crossings, and the same as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from apps.ops.cost.bill import Bill, amount
from apps.ops.cost.crossing import LIMIT, Crossing, crossings
from apps.ops.cost.drawing import Chart, short
from apps.ops.cost.prices import Prices
from apps.ops.cost.profile import Profile
from apps.ops.cost.worlds import WORLDS

# The pair that the chart and the advice are about, where no other is said: what igloo runs on, and
# where it would move.
SHOWN = ("lambda-v2", "fargate-x86")
# Of the crossing's traffic: from here on, moving is worth a thought.
NEAR = Decimal("0.8")
MOVE = "make deploy-ecs STAGE=… and then manage.py traffic --to ecs"
# Points of the chart.
POINTS = 121


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was computed of one profile."""

    prices: Prices
    profile: Profile
    measured: bool
    bills: Mapping[str, Bill]
    crossings: Sequence[Crossing]
    pair: tuple[str, str] = SHOWN


def compare(
    prices: Prices, profile: Profile, *, measured: bool, pair: tuple[str, str] = SHOWN
) -> Comparison:
    """The bills and the crossings; raises PricesError or ProfileError where there can be none."""
    bills = {name: world(prices, profile) for name, world in WORLDS.items()}
    return Comparison(
        prices, profile, measured, bills, crossings(prices, profile, measured=measured), pair
    )


def shown(result: Comparison) -> Crossing:
    """The crossing of the result's pair."""
    (found,) = (
        each for each in result.crossings if (each.serverless, each.container) == result.pair
    )
    return found


def advice(result: Comparison) -> str | None:
    """What to do when the crossing is near, or behind; None: nothing."""
    said = finding(result)
    return said and f"{said} To move: {MOVE}."


def finding(result: Comparison) -> str | None:
    """That the crossing is near, or behind; None: it is neither."""
    crossing = shown(result)
    now, there = result.profile.requests_per_day, crossing.requests_per_day
    if there is None or now < there * NEAR:
        return None
    serverless, container = (result.bills[name] for name in result.pair)
    saved = serverless.usd - container.usd
    # Tasks come whole: just behind the crossing one more may cost more than it saves.
    if now < there or saved <= 0:
        return (
            f"The traffic is {now / there:.0%} of that from which on {container.name} costs no"
            f" more than {serverless.name}."
        )
    return f"{container.name} costs {money(saved)} a month less than {serverless.name}."


def money(usd: Decimal) -> str:
    """As on an invoice."""
    return f"{'-' if round(usd, 2) < 0 else ''}${abs(usd):,.2f}"


def between(crossing: Crossing) -> str:
    """How sure a crossing is, in words."""
    if crossing.low is None:
        return "at no traffic, however the least certain figures are off"
    if crossing.high is None:
        return f"at {short(crossing.low)} at the earliest, or never"
    return f"between {short(crossing.low)} and {short(crossing.high)}"


def texts(result: Comparison) -> list[str]:
    """Paragraphs: each bill, the bills in short, where they cross, what is not certain."""
    said = advice(result)
    first, *rest = in_short(result)
    # What is not verified comes last.
    rest[2:2] = [said] if said else []
    return [first, *(_bill(bill) for bill in result.bills.values()), *rest]


def in_short(result: Comparison) -> list[str]:
    """The same without the lines of each bill, and without advice."""
    paragraphs = [_traffic(result), _totals(result), _crossings(result)]
    unverified = result.prices.unverified()
    if unverified:
        names = ", ".join(price.name for price in unverified)
        paragraphs.append(
            f"Not verified: {names}. Where to look is in deploy/prices/{result.prices.region}.toml."
        )
    return paragraphs


def _traffic(result: Comparison) -> str:
    profile = result.profile
    peak = profile.mean_rps * profile.peak_ratio
    return (
        f"{amount(profile.requests_per_day)} requests a day in {result.prices.region}:"
        f" {amount(profile.mean_rps)} a second, {amount(peak)} in the peak,"
        f" {amount(profile.duration_ms)} ms each. USD a month, without tax."
    )


def _bill(bill: Bill) -> str:
    size = f" ({bill.size})" if bill.size else ""
    lines = [f"{bill.name}{size}"]
    lines += [f"{money(line.usd):>14}  {line.name:<30}{line.how}" for line in bill.lines]
    lines.append(f"{money(bill.usd):>14}  in all")
    return "\n".join(lines)


def _totals(result: Comparison) -> str:
    cheapest = min(bill.usd for bill in result.bills.values())
    return "\n".join(
        f"{money(bill.usd):>14}  {bill.name:<30}"
        + (f"{bill.usd / cheapest:.2f} ×" if cheapest else "")
        for bill in result.bills.values()
    )


def _crossings(result: Comparison) -> str:
    lines = ["Containers cost less than Lambda, in requests a day:"]
    for crossing in result.crossings:
        pair = f"{result.bills[crossing.serverless].name} → {result.bills[crossing.container].name}"
        where = "never"
        if crossing.requests_per_day is not None:
            where = f"from {crossing.requests_per_day:,} on"
        elif crossing.first is not None:
            where = f"from {crossing.first:,} on for a while"
        lines.append(f"  {pair:<52}{where:<30}{between(crossing)}")
    lines.append(
        f"  Looked at up to {short(LIMIT)} a day. How sure: the duration and the peak"
        f" {'are measured' if result.measured else 'are as given, a guess'}, and a vCPU of AWS is"
        " not the one that was measured."
    )
    return "\n".join(lines)


def as_data(result: Comparison) -> dict[str, Any]:
    """The same as JSON's types. Amounts are strings, unrounded."""
    profile = {
        item.name: f"{value:f}" if isinstance(value, Decimal) else value
        for item in fields(result.profile)
        for value in [getattr(result.profile, item.name)]
    }
    return {
        "region": result.prices.region,
        "measured": result.measured,
        "profile": profile,
        "bills": {
            name: {
                "name": bill.name,
                "size": bill.size,
                "usd": f"{bill.usd:f}",
                "lines": [
                    {"name": line.name, "usd": f"{line.usd:f}", "how": line.how}
                    for line in bill.lines
                ],
            }
            for name, bill in result.bills.items()
        },
        "crossings": [
            {item.name: getattr(crossing, item.name) for item in fields(crossing)}
            for crossing in result.crossings
        ],
        "shown": list(result.pair),
        "advice": advice(result),
        "prices": {
            name: {
                "value": f"{price.value:f}",
                "date": price.date.isoformat(),
                "source": price.source,
                "verified": price.verified,
            }
            for name in sorted(result.prices.used)
            for price in [result.prices.prices[name]]
        },
    }


def chart(result: Comparison) -> Chart:
    """The bills from a tenth of the traffic, or of the crossing, to three times the other."""
    crossing = shown(result)
    now = float(result.profile.requests_per_day)
    other = float(crossing.requests_per_day or now)
    left, right = max(1.0, min(now, other) / 10), max(now, other) * 3
    requests = [round(left * (right / left) ** (n / (POINTS - 1))) for n in range(POINTS)]
    usd = {
        name: [
            world(result.prices, replace(result.profile, requests_per_day=Decimal(each))).usd
            for each in requests
        ]
        for name, world in WORLDS.items()
    }
    names = {name: bill.name for name, bill in result.bills.items()}
    title = f"USD a month in {result.prices.region}"
    return Chart(requests, usd, names, result.profile.requests_per_day, crossing, title)
