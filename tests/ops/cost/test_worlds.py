"""Bills, and where they cross."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.ops.cost.crossing import LIMIT, crossings, find, first_crossing, last_crossing, leaning
from apps.ops.cost.prices import Prices
from apps.ops.cost.profile import Profile, ProfileError
from apps.ops.cost.worlds import SERVERLESS, WORLDS, lambda_lines
from tests.ops.cost.builders import make_profile, prices

PRICES = {region: prices(region) for region in ("us-east-1", "ap-northeast-2")}


def numbers(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=2)


profiles: st.SearchStrategy[Profile] = st.builds(
    make_profile,
    requests_per_day=st.integers(1, 500_000_000).map(Decimal),
    duration_ms=numbers("1", "3000"),
    memory_mb=st.integers(128, 10_240).map(Decimal),
    peak_ratio=numbers("1", "20"),
    rps_per_vcpu=numbers("1", "500"),
    response_kb=numbers("0", "900"),
    log_kb=numbers("0", "5"),
    nat_kb=numbers("0", "5"),
    lambda_nat_gateways=st.integers(0, 2),
    ecs_nat_gateways=st.integers(0, 2),
    rds_proxy_vcpus=st.sampled_from([Decimal(0), Decimal(2)]),
    free_tier=st.booleans(),
)
regions = st.sampled_from(sorted(PRICES))


@pytest.mark.parametrize("world", WORLDS)
@settings(deadline=None)
@given(
    region=regions,
    profile=profiles,
    more=numbers("1", "50"),
    provisioned=st.sampled_from([0, 0, 7]),
)
def test_a_bill_never_falls_when_traffic_grows(
    world: str, region: str, profile: Profile, more: Decimal, provisioned: int
) -> None:
    if region == "us-east-1":
        profile = replace(profile, provisioned=provisioned)
    grown = replace(profile, requests_per_day=profile.requests_per_day * more)

    before, after = (WORLDS[world](PRICES[region], each).usd for each in (profile, grown))

    assert 0 <= before <= after


# Each dial up by this, and whether containers begin to pay earlier then (-1) or later (1).
DIALS: dict[str, tuple[Callable[[Decimal], Any], int]] = {
    "duration_ms": (lambda value: value * Decimal("1.4"), -1),
    "memory_mb": (lambda value: value * 2, -1),
    "lambda_nat_gateways": (lambda value: value + 1, -1),
    "rps_per_vcpu": (lambda value: value * Decimal("1.5"), -1),
    "utilisation": (lambda value: value * Decimal("1.3"), -1),
    "requests_per_connection": (lambda value: value * 2, -1),
    "peak_ratio": (lambda value: value * Decimal("1.5"), 1),
    "min_tasks": (lambda value: value + 2, 1),
    "task_memory_gb": (lambda value: value * 2, 1),
    "connection_seconds": (lambda value: value * 2, 1),
}


@pytest.mark.parametrize("dial", DIALS)
@settings(deadline=None, max_examples=12)
@given(
    region=regions,
    profile=profiles,
    serverless=st.sampled_from(SERVERLESS),
    container=st.sampled_from(["fargate-x86", "fargate-spot"]),
)
def test_the_crossing_moves_the_right_way_with_each_dial(
    dial: str, region: str, profile: Profile, serverless: str, container: str
) -> None:
    turn, way = DIALS[dial]
    turned = replace(profile, **{dial: turn(getattr(profile, dial))})

    before, after = (
        find(PRICES[region], each, serverless, container) or LIMIT + 1 for each in (profile, turned)
    )

    assert (after - before) * way >= 0


@pytest.mark.parametrize("dial", DIALS)
def test_each_dial_does_move_it(dial: str) -> None:
    """Of a traffic like igloo's; a connection's length matters where it is the ALB's largest."""
    profile = make_profile(
        duration_ms=Decimal(20), response_kb=Decimal(1), connection_seconds=Decimal(600)
    )
    turn, way = DIALS[dial]
    turned = replace(profile, **{dial: turn(getattr(profile, dial))})

    before, after = (
        find(PRICES["us-east-1"], each, "lambda-v2", "fargate-x86") or LIMIT + 1
        for each in (profile, turned)
    )

    assert (after - before) * way > 0


def test_at_the_crossing_the_bills_are_equal_to_the_cents_of_a_request() -> None:
    for region, book in PRICES.items():
        profile = make_profile()
        found = find(book, profile, "lambda-v2", "fargate-x86")
        assert found is not None, region
        there = replace(profile, requests_per_day=Decimal(found))
        before = replace(profile, requests_per_day=Decimal(found - 1))

        assert usd("fargate-x86", book, there) <= usd("lambda-v2", book, there)
        assert usd("fargate-x86", book, before) > usd("lambda-v2", book, before)
        assert usd("lambda-v2", book, there) - usd("fargate-x86", book, there) < Decimal("0.01")


def usd(world: str, book: Prices, profile: Profile) -> Decimal:
    return WORLDS[world](book, profile).usd


def test_there_may_be_no_crossing() -> None:
    """A vCPU that serves next to nothing; and the other way, functions that are kept ready."""
    slow = make_profile(rps_per_vcpu=Decimal("0.5"), duration_ms=Decimal(5))
    ready = make_profile(provisioned=500)

    assert find(PRICES["us-east-1"], slow, "lambda-v2", "fargate-x86") is None
    assert find(PRICES["us-east-1"], ready, "lambda-v2", "fargate-x86") == 1


def test_the_last_change_of_sign_counts_and_the_first_is_told() -> None:
    places = [1, 10, 100, 1000]

    assert last_crossing(lambda n: n < 42, places) == first_crossing(lambda n: n < 42, places) == 42
    assert last_crossing(lambda n: n < 5 or 50 < n < 500, places) == 500
    assert first_crossing(lambda n: n < 5 or 50 < n < 500, places) == 5
    assert last_crossing(lambda n: False, places) == first_crossing(lambda n: False, places) == 1
    assert last_crossing(lambda n: True, places) is first_crossing(lambda n: True, places) is None


def test_what_is_less_certain_has_a_wider_range() -> None:
    given, measured = (
        crossings(PRICES["ap-northeast-2"], make_profile(), measured=known)
        for known in (False, True)
    )

    assert [(item.serverless, item.container) for item in given] == [
        (item.serverless, item.container) for item in measured
    ]
    assert len(given) == 6
    for wide, narrow in zip(given, measured, strict=True):
        assert wide.low < narrow.low < wide.requests_per_day < narrow.high < wide.high  # type: ignore[operator]
    assert leaning(make_profile(), measured=False, to_containers=True).duration_ms == 120


def test_tasks_are_for_the_peak_and_never_fewer_than_two() -> None:
    """100,000 a day are 1.157 a second; 30 times that is 34.7, at 40 × 0.6 a second for a vCPU."""
    slow = make_profile(rps_per_vcpu=Decimal(40))
    assert WORLDS["fargate-x86"](PRICES["us-east-1"], slow).size.startswith("2 tasks")
    peak = WORLDS["fargate-x86"](PRICES["us-east-1"], replace(slow, peak_ratio=Decimal(30)))
    assert peak.size == "3 tasks of 0.5 vCPU and 1 GB"


def test_each_thing_that_costs_has_its_line() -> None:
    profile = make_profile(
        provisioned=2,
        lambda_nat_gateways=1,
        ecs_nat_gateways=2,
        nat_kb=Decimal(3),
        rds_proxy_vcpus=Decimal(2),
    )
    names = {
        world: [line.name for line in WORLDS[world](PRICES["us-east-1"], profile).lines]
        for world in WORLDS
    }

    shared = [
        "NAT gateways",
        "NAT data",
        "logs",
        "data out",
        "logs, free",
        "data out, free",
        "RDS Proxy",
    ]
    assert names["lambda-v1"] == [
        "Lambda requests", "provisioned concurrency", "duration on it", "duration beyond it",
        "API Gateway, REST API", *shared,
    ]  # fmt: skip
    assert names["fargate-spot"] == [
        "Fargate vCPUs", "Fargate memory", "Spot", "ALB", "ALB LCUs", "public IPv4 addresses",
        *shared,
    ]  # fmt: skip
    assert names["ec2"][:2] == ["EC2 instances", "EBS"]
    plain = WORLDS["lambda-v2"](PRICES["us-east-1"], make_profile(duration_ms=Decimal("80.2")))
    assert [line.name for line in plain.lines[:5]] == [
        "Lambda requests", "duration", "duration, rounded up to 1 ms", "Lambda requests, free",
        "duration, free",
    ]  # fmt: skip
    assert plain.lines[2].usd > 0 > plain.lines[3].usd


def test_http_apis_count_large_answers_twice() -> None:
    small, large = (
        WORLDS["lambda-v2"](PRICES["us-east-1"], make_profile(response_kb=Decimal(kb))).lines[5]
        for kb in (512, 513)
    )

    assert small.name == "API Gateway, HTTP API"
    assert large.usd == 2 * small.usd


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"requests_per_day": Decimal(0)}, "no traffic in this profile"),
        ({"requests_per_day": Decimal(-5)}, "requests_per_day cannot be -5"),
        ({"requests_per_day": Decimal("NaN")}, "requests_per_day cannot be NaN"),
        ({"duration_ms": Decimal(0)}, "duration_ms has to be more than 0"),
        ({"peak_ratio": Decimal("0.9")}, "peak_ratio is 0.9"),
        ({"rps_per_vcpu": Decimal(0)}, "rps_per_vcpu has to be more than 0"),
        ({"utilisation": Decimal("1.1")}, "utilisation lies between 0 and 1"),
        ({"min_tasks": 0}, "min_tasks has to be more than 0"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        make_profile(**changes)


def test_without_a_measured_container_there_is_no_figure_for_one() -> None:
    profile = make_profile(rps_per_vcpu=None)

    assert WORLDS["lambda-v2"](PRICES["us-east-1"], profile).usd > 0
    with pytest.raises(ProfileError, match="has not been measured"):
        WORLDS["fargate-x86"](PRICES["us-east-1"], profile)


def test_what_the_ready_instances_cannot_take_is_billed_as_ever() -> None:
    """One of 1 GB takes 2,628,000 GB-s in a month, of 10 million."""
    lines = lambda_lines(
        PRICES["us-east-1"],
        requests=Decimal(10_000_000),
        duration_ms=Decimal(1000),
        memory_mb=Decimal(1024),
        provisioned=1,
    )

    assert [line.usd for line in lines[2:]] == [
        2_628_000 * Decimal("0.0000097222"),
        7_372_000 * Decimal("0.0000166667"),
    ]


@pytest.mark.parametrize(("world", "machines"), [("fargate-x86", 2), ("ec2", 2)])
@pytest.mark.parametrize("gateways", [0, 2])
def test_without_nat_each_machine_has_an_address(world: str, machines: int, gateways: int) -> None:
    bill = WORLDS[world](PRICES["us-east-1"], make_profile(ecs_nat_gateways=gateways))
    (addresses,) = (line for line in bill.lines if line.name == "public IPv4 addresses")

    # $0.005 an hour each; two are the load balancer's.
    assert addresses.usd == (2 if gateways else 2 + machines) * Decimal("3.65")
