"""`manage.py cost`."""

import datetime as dt
import json
import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

GIVEN = ("--requests-per-day", "300,000", "--duration-ms", "60", "--peak-ratio", "4")
SVG = "{http://www.w3.org/2000/svg}"


def cost(*arguments: str) -> str:
    out = StringIO()
    call_command("cost", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("prices_folder")
def test_it_shows_each_bill_the_crossings_and_a_chart() -> None:
    said = cost(*GIVEN, "--rps-per-vcpu", "60")

    assert said.startswith(
        "300,000 requests a day in ap-northeast-2: 3.47 a second, 13.89 in the peak"
    )
    for line in (
        "-$6.67  duration, free                400,000 of 400,000 free",
        "$11.22  API Gateway, HTTP API         9,125,000 requests",
        "$22.67  Lambda, API Gateway v2        1.00 ×",
        "$74.15  Fargate x86, ALB              3.27 ×",
        "Fargate x86, Spot, ALB (2 tasks of 0.5 vCPU and 1 GB)",
    ):
        assert line in [each.strip() for each in said.splitlines()]
    assert re.search(r"v1 → Fargate arm64, ALB +from 438,820 on +between 378k and 5\.12M\n", said)
    assert "the duration and the peak are as given, a guess" in said
    assert "Not verified: api_gateway.rest, ebs.gb_month" in said
    assert said.rstrip().endswith("┊ now")


@pytest.mark.usefixtures("prices_folder")
def test_json_says_the_same_and_its_lines_add_up() -> None:
    data = json.loads(cost(*GIVEN, "--rps-per-vcpu", "60", "--region", "us-east-1", "--json"))

    assert data["region"] == "us-east-1"
    assert data["profile"]["requests_per_day"] == "300000"
    for bill in data["bills"].values():
        assert Decimal(bill["usd"]) == sum(Decimal(line["usd"]) for line in bill["lines"])
    assert len(data["crossings"]) == 6
    assert set(data["prices"]["alb.hour"]) == {"value", "date", "source", "verified"}
    assert data["prices"]["fargate.spot_discount"]["verified"] is False


@pytest.mark.usefixtures("prices_folder")
def test_the_svg_draws_each_place_and_the_crossing(tmp_path: Path) -> None:
    file = tmp_path / "cost.svg"

    said = cost(*GIVEN, "--rps-per-vcpu", "60", "--json", "--svg", str(file))

    found = {
        each["container"]: each
        for each in json.loads(said)["crossings"]
        if each["serverless"] == "lambda-v2"
    }
    root = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert len(list(root.iter(f"{SVG}polyline"))) == 6
    assert "EC2 or Beanstalk, ALB" in texts
    assert "now 300k" in texts
    assert found["fargate-x86"]["requests_per_day"] == 1_641_554
    assert "lambda-v2 = fargate-x86 at 1.64M" in texts
    for line in root.iter(f"{SVG}polyline"):
        points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        # Inside the axes, to the right, and never down: SVG counts from the top.
        assert all(70 <= x <= 660 and 56 <= y <= 420 for x, y in points)
        assert points == sorted(points, key=lambda point: (point[0], -point[1]))


def test_the_containers_figure_comes_from_what_was_measured(prices_folder: Path) -> None:
    with pytest.raises(
        CommandError, match=r"(?s)has not been measured.*deploy/prices/measured\.toml"
    ) as error:
        cost(*GIVEN)
    assert f"date = {dt.datetime.now(dt.UTC).date()}" in str(error.value)

    measured = prices_folder / "measured.toml"
    measured.write_text('[container]\nrps_per_vcpu = 60\ndate = 2026-11-27\nhow = "here"\n')
    assert cost(*GIVEN) == cost(*GIVEN, "--rps-per-vcpu", "60")

    for wrong in (
        "[container]\nrps_per_vcpu = 60\n",
        "rps = 3\n",
        measured.read_text().replace("60", "0"),
    ):
        measured.write_text(wrong)
        with pytest.raises(CommandError, match=r"measured\.toml"):
            cost(*GIVEN)


@pytest.mark.usefixtures("prices_folder")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--region", "eu-west-9"), "no prices for the region 'eu-west-9'"),
        (("--requests-per-day", "0"), "no traffic in this profile"),
        (("--duration-ms", "many"), "invalid number value: 'many'"),
        (("--provisioned", "3"), r"no price `lambda\.provisioned_duration_gb_second_x86`"),
        (("--peak-ratio", "NaN"), "peak_ratio cannot be NaN"),
    ],
)
def test_bad_input_is_said_and_no_number_is_made_up(arguments: tuple[str, ...], said: str) -> None:
    out = StringIO()

    with pytest.raises(CommandError, match=said):
        call_command("cost", *GIVEN, "--rps-per-vcpu", "60", *arguments, stdout=out)

    assert out.getvalue() == ""


@pytest.mark.usefixtures("prices_folder")
def test_without_a_traffic_it_asks_for_one() -> None:
    with pytest.raises(CommandError, match="Give --duration-ms, --peak-ratio"):
        cost("--requests-per-day", "5", "--rps-per-vcpu", "60")


def test_old_prices_are_refused(prices_folder: Path) -> None:
    file = prices_folder / "ap-northeast-2.toml"
    old = dt.datetime.now(dt.UTC).date() - dt.timedelta(181)
    file.write_text(re.sub(r"(?m)^date = .*$", f"date = {old}", file.read_text()))

    with pytest.raises(
        CommandError, match=r"`lambda\.request` of ap-northeast-2 was read 181 days ago"
    ):
        cost(*GIVEN, "--rps-per-vcpu", "60")


@pytest.mark.usefixtures("prices_folder")
def test_the_docs_example_is_what_it_says(tmp_path: Path) -> None:
    docs = Path(__file__).parents[3] / "docs"
    doc = (docs / "cost.md").read_text(encoding="utf-8")
    command = re.search(r"manage\.py cost (.+)", doc)
    example = re.search(r"```text\n(.+?)\n```", doc, re.DOTALL)
    assert command is not None
    assert example is not None

    drawing = tmp_path / "cost.svg"
    said = cost(*command[1].split(), "--svg", str(drawing))

    for paragraph in example[1].split("\n\n"):
        assert paragraph in said
    assert drawing.read_bytes() == (docs / "pictures" / "cost.svg").read_bytes()


@pytest.mark.usefixtures("prices_folder")
@pytest.mark.parametrize(
    ("requests", "said"),
    [
        # Of the 1,641,554 at which they cross.
        ("1313000", None),
        ("1314000", r"is 80% of that from which on Fargate x86, ALB costs no more than Lambda"),
        ("1641554", r"Fargate x86, ALB costs \$0\.\d\d a month less than Lambda, API Gateway v2"),
        ("9000000", r"costs \$\d{3}\.\d\d a month less"),
    ],
)
def test_near_the_crossing_it_says_how_to_move(requests: str, said: str | None) -> None:
    arguments = (*GIVEN, "--requests-per-day", requests, "--rps-per-vcpu", "60")

    advice = json.loads(cost(*arguments, "--json"))["advice"]

    if said is None:
        assert advice is None
        assert "To move" not in cost(*arguments)
    else:
        assert re.search(said, advice)
        assert advice.endswith(
            "To move: make deploy-ecs STAGE=… and then manage.py traffic --to ecs."
        )
        assert advice in cost(*arguments)
