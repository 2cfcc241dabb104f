"""`manage.py cost --refresh`."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.ops.cost.prices import read_prices
from apps.ops.cost.refresh import PRODUCTS
from tests.media.s3 import ACCESS_KEY, SECRET_KEY
from tests.ops.cost.price_list import PriceList, price_list, product

TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture(params=["ap-northeast-2", "us-east-1"])
def aws(
    request: pytest.FixtureRequest, prices_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PriceList]:
    """AWS's list; our prices are 400 days old."""
    for path in prices_folder.iterdir():
        old = re.sub(r"(?m)^date = .*$", f"date = {TODAY - dt.timedelta(400)}", path.read_text())
        path.write_text(old)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with price_list(request.param) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield served


def refresh(region: str) -> str:
    out = StringIO()
    call_command("cost", "--refresh", "--region", region, stdout=out)
    return out.getvalue()


def test_it_writes_what_the_list_says_and_tells_what_changed(
    aws: PriceList, prices_folder: Path
) -> None:
    file = prices_folder / f"{aws.region}.toml"
    before = file.read_text()

    said = refresh(aws.region)

    after = read_prices(prices_folder, aws.region, today=TODAY, max_age=None)
    for name in PRODUCTS:
        assert after[name].date == TODAY
        assert after[name].verified
    assert after["lambda.request"].of(Decimal(1_000_000)) == Decimal("0.3")
    assert "lambda.request: 0.2 → 0.3\n" in said
    # Tiers in their order; a free one is not a tier here.
    assert after["lambda.gb_second_x86"].tiers == (
        (Decimal(6_000_000_000), Decimal("0.0000166667")),
        (Decimal(15_000_000_000), Decimal("0.000015")),
    )
    assert after["data_out.gb"].tiers == ((Decimal(10_240), Decimal("0.126")),)
    assert after["data_out.gb"].value == Decimal("0.122")
    assert after["lambda.provisioned_duration_gb_second_x86"].value == Decimal("0.000012")
    # What is not in the list is as old as before, and named; comments are there.
    assert after["free.data_out_gb"].date == TODAY - dt.timedelta(400)
    assert re.search(r"so look them up: .*fargate\.spot_discount.*free\.data_out_gb", said)
    comments = [line for line in before.splitlines() if line.startswith("#")]
    assert [line for line in file.read_text().splitlines() if line.startswith("#")] == comments
    # A second time it changes nothing.
    text = file.read_text()
    assert "→" not in refresh(aws.region)
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "price list has no NatGateway-Hours of AmazonEC2"),
        ("two", "2 different prices of NatGateway-Hours"),
        ("shape", "answer on NatGateway-Hours is unknown"),
        ("end", "price of NatGateway-Hours has no last tier"),
        ("denied", r"(?s)not authorized.*pricing:GetProducts"),
    ],
)
def test_a_list_that_cannot_be_read_changes_nothing(
    aws: PriceList, prices_folder: Path, what: str, said: str
) -> None:
    file = prices_folder / f"{aws.region}.toml"
    before = file.read_text()
    name = "nat.hour"
    place = list(PRODUCTS).index(name)
    if what == "missing":
        del aws.products[place]
    elif what == "two":
        aws.products.append(product(name, aws.region, [("0", "Inf", "0.06")]))
    elif what == "shape":
        aws.products[place][2]["terms"] = {}
    elif what == "end":
        aws.products[place] = product(name, aws.region, [("0", "100", "0.06")])
    aws.denied = what == "denied"

    with pytest.raises(CommandError, match=said):
        refresh(aws.region)

    assert file.read_text() == before


@pytest.mark.usefixtures("prices_folder")
def test_a_region_without_a_file_is_refused() -> None:
    with pytest.raises(CommandError, match="no prices for the region"):
        refresh("eu-west-9")
