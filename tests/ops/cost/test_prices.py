"""The files of prices, and what is said of those that no bill can be made of."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from apps.ops.cost.prices import MAX_AGE, PricesError, read_prices, regions
from tests.ops.cost.builders import FOLDER, TODAY, prices

ENTRY = """
[alb.hour]
value = 0.0225
unit = "hour"
source = "https://aws.amazon.com/elasticloadbalancing/pricing/"
date = 2026-11-27
verified = true
"""


def test_each_region_has_its_own_prices_with_source_and_date() -> None:
    assert regions(FOLDER) == ["ap-northeast-2", "us-east-1"]
    for region in regions(FOLDER):
        for price in prices(region).prices.values():
            assert price.source.startswith("https://aws.amazon.com/")
            assert dt.date(2026, 9, 1) < price.date <= TODAY
    seoul, virginia = prices("ap-northeast-2"), prices("us-east-1")
    assert seoul["fargate.vcpu_hour_x86"].value == Decimal("0.04656")
    assert virginia["fargate.vcpu_hour_x86"].value == Decimal("0.04048")
    # Seoul's file lacks what nobody has read, and has nothing of its own.
    assert set(seoul.prices) < set(virginia.prices)


def test_tiers_are_charged_one_after_the_other() -> None:
    rest = prices()["api_gateway.rest"]

    assert rest.of(Decimal(333_000_000)) == Decimal("1165.5")
    assert rest.of(Decimal(1_000_000_000)) == Decimal("1165.5") + Decimal("1867.6")
    # AWS's example of 15 billion calls on https://aws.amazon.com/api-gateway/pricing/ has tiers.
    assert rest.of(Decimal(15_000_000_000)) == Decimal("1165.5") + Decimal(
        "1867.6"
    ) + 14_000 * Decimal("2.38")


def test_an_unknown_region_is_named_with_the_known_ones() -> None:
    with pytest.raises(PricesError, match=r"'eu-west-9'; there are for: ap-northeast-2, us-east-1"):
        read_prices(FOLDER, "eu-west-9", today=TODAY)
    with pytest.raises(PricesError, match="no prices for the region"):
        read_prices(FOLDER, "../prices/us-east-1", today=TODAY)


def test_a_missing_price_is_named_and_not_made_up() -> None:
    with pytest.raises(
        PricesError, match=r"lambda\.provisioned_duration_gb_second_x86.*Seoul|for ap-northeast-2"
    ):
        prices("ap-northeast-2")["lambda.provisioned_duration_gb_second_x86"]


def test_old_prices_are_refused_with_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "us-east-1.toml").write_text(ENTRY, encoding="utf-8")
    day = dt.date(2026, 11, 27)

    assert read_prices(tmp_path, "us-east-1", today=day + dt.timedelta(MAX_AGE))
    with pytest.raises(PricesError, match=r"181 days ago.*https://aws\.amazon\.com/elastic"):
        read_prices(tmp_path, "us-east-1", today=day + dt.timedelta(MAX_AGE + 1))
    with pytest.raises(PricesError, match="a date to come"):
        read_prices(tmp_path, "us-east-1", today=day - dt.timedelta(1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value = 0.0225", "value = -1"),
        ("value = 0.0225", 'value = "0.0225"'),
        ("value = 0.0225", "value = nan"),
        ("date = 2026-11-27\n", ""),
        ("date = 2026-11-27", 'date = "2026-11-27"'),
        ("https://aws", "aws"),
        ("verified = true", "verified = 1"),
        ('unit = "hour"', 'unit = "hour"\nprice = 3'),
        ('unit = "hour"', 'unit = "hour"\ntiers = [[20, 1], [10, 2]]'),
        ("[alb.hour]", "alb = 3\n[x"),
        ("[alb.hour]\nvalue", "[alb]\nhour"),
    ],
)
def test_a_file_that_is_none_of_prices_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in ENTRY
    (tmp_path / "us-east-1.toml").write_text(ENTRY.replace(old, new), encoding="utf-8")

    with pytest.raises(PricesError, match=r"us-east-1\.toml is no file of prices"):
        read_prices(tmp_path, "us-east-1", today=TODAY)
