"""From how many requests a day on containers cost less than Lambda, and how sure that is."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.ops.cost.prices import Prices
from apps.ops.cost.profile import Profile
from apps.ops.cost.worlds import CONTAINERS, SERVERLESS, WORLDS

# Requests a day, 1,157 a second. Beyond this, AWS negotiates prices.
LIMIT = 100_000_000
# Each point looked at is so much further than the one before: 5 %.
STEP = 1.05

# How far the least certain figures may be off, as factors.
#
# A duration and a peak that were given are a guess; those that were measured are of a past week.
# Requests a second for a vCPU were measured on another machine than AWS's.
GIVEN = {"duration_ms": Decimal("1.5"), "peak_ratio": Decimal(2), "rps_per_vcpu": Decimal("1.3")}
MEASURED = {
    "duration_ms": Decimal("1.1"), "peak_ratio": Decimal("1.25"), "rps_per_vcpu": Decimal("1.3"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crossing:
    """From `requests_per_day` on, up to LIMIT, `container` costs no more than `serverless`.

    None: there is no such number. `first` is where it does so for the first time: tasks come whole,
    and gateways get cheaper, so that it may become dearer again. `low` and `high` are where
    `requests_per_day` would be, were the least certain figures all off in one direction, and all
    in the other.
    """

    serverless: str
    container: str
    requests_per_day: int | None
    first: int | None
    low: int | None
    high: int | None


def points() -> list[int]:
    """Requests a day to look at: from 1 to LIMIT, STEP by STEP."""
    steps = itertools.count()
    found = itertools.takewhile(lambda point: point < LIMIT, (round(STEP**n) for n in steps))
    return [*dict.fromkeys(found), LIMIT]


def last_crossing(dearer: Callable[[int], bool], places: Sequence[int]) -> int | None:
    """The number of requests from which on, at all `places`, containers are not dearer."""
    last = next((n for n in reversed(range(len(places))) if dearer(places[n])), None)
    if last is None:
        return places[0]
    if last == len(places) - 1:
        return None
    return bisected(dearer, places[last], places[last + 1])


def first_crossing(dearer: Callable[[int], bool], places: Sequence[int]) -> int | None:
    """The first number of requests at which containers are not dearer; as fine as `places`."""
    first = next((n for n in range(len(places)) if not dearer(places[n])), None)
    if not first:
        return None if first is None else places[0]
    return bisected(dearer, places[first - 1], places[first])


def bisected(dearer: Callable[[int], bool], low: int, high: int) -> int:
    """Between `low`, where containers are dearer, and `high`, where they are not: the change.

    Where a dial makes containers dearer everywhere, or nowhere cheaper, this cannot go down: the
    first middle at which the two searches part sends one of them above it, the other below.
    """
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if dearer(middle) else (low, middle)
    return high


def comparison(
    prices: Prices, profile: Profile, serverless: str, container: str
) -> Callable[[int], bool]:
    """Whether, at so many requests a day, the container costs more."""

    def dearer(requests: int) -> bool:
        there = replace(profile, requests_per_day=Decimal(requests))
        return WORLDS[container](prices, there).usd > WORLDS[serverless](prices, there).usd

    return dearer


def find(prices: Prices, profile: Profile, serverless: str, container: str) -> int | None:
    """The last crossing below LIMIT, in requests a day."""
    return last_crossing(comparison(prices, profile, serverless, container), points())


def leaning(profile: Profile, *, measured: bool, to_containers: bool) -> Profile:
    """The profile with its least certain figures off in favour of one side."""
    off = MEASURED if measured else GIVEN
    rps = profile.rps_per_vcpu or Decimal(0)
    if to_containers:
        return replace(
            profile,
            duration_ms=profile.duration_ms * off["duration_ms"],
            peak_ratio=max(Decimal(1), profile.peak_ratio / off["peak_ratio"]),
            rps_per_vcpu=rps * off["rps_per_vcpu"],
        )
    return replace(
        profile,
        duration_ms=profile.duration_ms / off["duration_ms"],
        peak_ratio=profile.peak_ratio * off["peak_ratio"],
        rps_per_vcpu=rps / off["rps_per_vcpu"],
    )


def crossings(prices: Prices, profile: Profile, *, measured: bool) -> list[Crossing]:
    """Where each kind of API Gateway crosses each kind of Fargate."""
    early = leaning(profile, measured=measured, to_containers=True)
    late = leaning(profile, measured=measured, to_containers=False)
    return [
        Crossing(
            serverless,
            container,
            find(prices, profile, serverless, container),
            first_crossing(comparison(prices, profile, serverless, container), points()),
            find(prices, early, serverless, container),
            find(prices, late, serverless, container),
        )
        for serverless in SERVERLESS
        for container in CONTAINERS
    ]
