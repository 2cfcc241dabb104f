"""The parts of a bill give what AWS's own worked examples give, to the cent.

All are of us-east-1. An example that names a price that has changed since is reckoned with the
price that it names; all others with the committed ones.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest

from apps.ops.cost.bill import Line
from apps.ops.cost.prices import Prices
from apps.ops.cost.worlds import (
    balancer_lines,
    gateway_lines,
    lambda_lines,
    shared_lines,
    task_lines,
)
from tests.ops.cost.builders import make_profile, prices


def cents(usd: Decimal) -> Decimal:
    return usd.quantize(Decimal("0.01"), ROUND_HALF_UP)


def total(lines: Iterable[Line]) -> Decimal:
    """The examples round each charge, then add."""
    return sum((cents(line.usd) for line in lines), Decimal(0))


def charge(lines: Iterable[Line], beginning: str) -> Decimal:
    """What the lines of one kind come to, what is free of it taken off."""
    return cents(sum((line.usd for line in lines if line.name.startswith(beginning)), Decimal(0)))


def with_price(name: str, value: str) -> Prices:
    book = prices()
    return Prices(
        book.region, {**book.prices, name: replace(book.prices[name], value=Decimal(value))}
    )


@pytest.mark.parametrize(
    ("requests", "duration_ms", "memory_mb", "price", "duration", "calls"),
    [
        # https://aws.amazon.com/lambda/pricing/, Example 1 until 2021: 512 MB, 3 million times,
        # 1 s each, at $0.00001667 per GB-second: $18.34 + $0.40 = $18.74.
        (3_000_000, 1000, 512, "0.00001667", "18.34", "0.40"),
        # The same page, Example 2 until 2021: 128 MB, 30 million times, 200 ms: $5.83 + $5.80.
        (30_000_000, 200, 128, "0.00001667", "5.83", "5.80"),
        # The same page since, "Example 1: Mobile application backend": 1536 MB, 3 million times,
        # 120 ms: $2.33 + $0.40 = $2.73.
        (3_000_000, 120, 1536, "0.0000166667", "2.33", "0.40"),
    ],
)
def test_lambda(
    requests: int, duration_ms: int, memory_mb: int, price: str, duration: str, calls: str
) -> None:
    lines = lambda_lines(
        with_price("lambda.gb_second_x86", price),
        requests=Decimal(requests),
        duration_ms=Decimal(duration_ms),
        memory_mb=Decimal(memory_mb),
    )

    assert charge(lines, "duration") == Decimal(duration)
    assert charge(lines, "Lambda requests") == Decimal(calls)


def test_lambda_with_provisioned_concurrency() -> None:
    """https://aws.amazon.com/lambda/pricing/, Provisioned Concurrency, Example 1.

    1,024 MB, 1,000 kept ready for two hours, 1.2 million executions of 1 s:
    $30.00 + $0.24 + $11.67 = $41.91.
    """
    lines = lambda_lines(
        prices(),
        requests=Decimal(1_200_000),
        duration_ms=Decimal(1000),
        memory_mb=Decimal(1024),
        provisioned=1000,
        provisioned_seconds=Decimal(7200),
    )

    assert charge(lines, "provisioned concurrency") == Decimal("30.00")
    assert charge(lines, "Lambda requests") == Decimal("0.24")
    assert charge(lines, "duration") == Decimal("11.67")
    assert total(lines) == Decimal("41.91")


def test_rest_api() -> None:
    """https://aws.amazon.com/api-gateway/pricing/, REST APIs: 5 million calls, 3 KB responses.

    $17.50 and 14.3 GB of data out, $1.29: $18.79. It counts no free tier.
    """
    month = Decimal(5_000_000)
    lines = gateway_lines(
        prices(), kind="rest", requests=month, request_kb=Decimal(1), response_kb=Decimal(3)
    )
    profile = make_profile(
        requests_per_day=month * 12 / 365,
        response_kb=Decimal(3),
        log_kb=Decimal(0),
        free_tier=False,
    )
    lines += shared_lines(prices(), profile, nat_gateways=0)

    assert charge(lines, "API Gateway") == Decimal("17.50")
    assert charge(lines, "data out") == Decimal("1.29")
    assert total(lines) == Decimal("18.79")


@pytest.mark.parametrize(
    ("tasks", "vcpu", "memory", "storage", "seconds", "architecture", "charges"),
    [
        # https://aws.amazon.com/fargate/pricing/, Example 1: 5 tasks, 10 minutes on 30 days, of
        # 1 vCPU, 2 GB and 30 GB of storage: $1.01 + $0.22 + $0.03 = $1.26.
        (5, "1", "2", "30", 600, "x86", ["1.01", "0.22", "0.03"]),
        # The same page, Example 2, on Arm: $0.81 + $0.18 + $0.03 = $1.02.
        (5, "1", "2", "30", 600, "arm64", ["0.81", "0.18", "0.03"]),
        # The same page, Example 3: 10 of 0.25 vCPU and 1 GB, an hour on 30 days: $3.04 + $1.33.
        (10, "0.25", "1", "20", 3600, "x86", ["3.04", "1.33"]),
    ],
)
def test_fargate(
    tasks: int,
    vcpu: str,
    memory: str,
    storage: str,
    seconds: int,
    architecture: str,
    charges: list[str],
) -> None:
    lines = task_lines(
        prices(),
        tasks=Decimal(tasks),
        vcpu=Decimal(vcpu),
        memory_gb=Decimal(memory),
        storage_gb=Decimal(storage),
        seconds=Decimal(seconds * 30),
        architecture=architecture,
    )

    assert [cents(line.usd) for line in lines] == [Decimal(charge) for charge in charges]


def test_load_balancer() -> None:
    """https://aws.amazon.com/elasticloadbalancing/pricing/, Application Load Balancer, Example 1.

    A new connection a second, open for 2 minutes; 5 requests a second, 300 KB in all; 60 rules.
    Its LCUs are 0.04, 0.04, 1.08 and 0.25: $0.0225 and $0.00864 an hour, $22.42 in 30 days.
    """
    lines = balancer_lines(
        prices(),
        rps=Decimal(5),
        new_connections=Decimal(1),
        connection_seconds=Decimal(120),
        kb=Decimal(300) / 5,
        rules=60,
        hours=Decimal(24 * 30),
    )

    assert [line.usd / 720 for line in lines] == [Decimal("0.0225"), Decimal("0.00864")]
    assert lines[1].how == "1.08, by its bytes"
    assert cents(sum(line.usd for line in lines)) == Decimal("22.42")
