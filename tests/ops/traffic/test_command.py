"""`manage.py traffic` against Route 53 and CloudWatch."""

import datetime as dt
import io
import json
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.ops.traffic import Denied, TrafficError
from apps.ops.traffic.cloudwatch import CloudWatchMetrics
from apps.ops.traffic.moving import Seen
from apps.ops.traffic.route53 import Route53Weights
from tests.ops.traffic.aws import NAME, REGION, Aws
from tests.ops.traffic.side import Side


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Side]]:
    found = {"lambda": Side(), "ecs": Side()}
    for name, side in found.items():
        monkeypatch.setenv(f"TRAFFIC_{name.upper()}_URL", side.url)
    yield found
    for side in found.values():
        side.close()


def traffic(*arguments: str) -> str:
    out = io.StringIO()
    call_command("traffic", *arguments, stdout=out)
    return out.getvalue()


def move(to: str, *arguments: str) -> str:
    quick = ("--step=50", "--every=1s", "--min-requests=0")
    return traffic(f"--to={to}", *quick, *arguments)


def granted() -> set[str]:
    """The actions of the policy that docs/moving.md gives to operators."""
    text = (settings.BASE_DIR / "docs" / "moving.md").read_text(encoding="utf-8")
    policy = json.loads(text.partition("```json")[2].partition("```")[0])
    actions: set[str] = set()
    for statement in policy["Statement"]:
        actions |= set(statement["Action"])
    return actions


def test_it_shows_the_weights(aws: Aws) -> None:
    aws.records({"lambda": 191, "ecs": 64})
    aws.denied.add("cloudwatch:GetMetricData")
    assert "75 % to lambda, 25 % to ecs" in traffic()


def test_it_moves_and_leaves_the_rest_of_the_records(aws: Aws, sides: dict[str, Side]) -> None:
    aws.records({"lambda": 100, "ecs": 0}, kind="AAAA")
    before = aws.found()
    aws.saw("lambda", [0.05] * 30)
    aws.asked.clear()
    said = move("ecs")
    assert aws.asked == granted()
    assert "50 % to lambda, 50 % to ecs" in said
    assert "All requests go to ecs." in said
    after = aws.found()
    assert [r.pop("Weight") for r in after] == [
        {"lambda": 0, "ecs": 100}[r["SetIdentifier"]] for r in before
    ]
    for record in before:
        del record["Weight"]
    assert after == before
    assert len(after) == 4


@pytest.mark.parametrize(
    ("seconds", "errors", "said"),
    [([0.05] * 40, 1, "more than 1 % with 5xx"), ([0.05] * 30 + [2.5] * 3, 0, "p95 above 1000 ms")],
)
def test_a_side_that_is_ill_sends_requests_back(
    aws: Aws,
    sides: dict[str, Side],
    monkeypatch: pytest.MonkeyPatch,
    seconds: list[float],
    errors: int,
    said: str,
) -> None:
    plain = Route53Weights.write

    def write(self: Route53Weights, weights: dict[str, int]) -> None:
        plain(self, weights)
        aws.saw("ecs", seconds, errors)

    monkeypatch.setattr(Route53Weights, "write", write)
    with pytest.raises(CommandError, match=said) as raised:
        move("ecs", "--min-requests=20")
    assert "All requests go to lambda again" in str(raised.value)
    assert aws.weights() == {"lambda": 100, "ecs": 0}


@pytest.mark.parametrize(
    "action",
    [
        "cloudwatch:GetMetricData",
        "route53:ChangeResourceRecordSets",
        "route53:ListResourceRecordSets",
    ],
)
def test_what_is_denied_is_named_and_the_weights_stay(
    aws: Aws, sides: dict[str, Side], action: str
) -> None:
    aws.records({"lambda": 70, "ecs": 30})
    aws.denied.add(action)
    with pytest.raises(CommandError, match=f"Grant {action} on ") as raised:
        move("ecs")
    assert isinstance(raised.value.__cause__, Denied)
    aws.denied.clear()
    assert aws.weights() == {"lambda": 70, "ecs": 30}


def test_sides_that_must_not_share_requests_are_refused(
    aws: Aws, sides: dict[str, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides["ecs"].commit = "decaf"
    with pytest.raises(CommandError, match="different commits: lambda c0ffee, ecs decaf"):
        move("ecs")
    sides["ecs"].commit = ""
    with pytest.raises(CommandError, match="ecs does not tell which commit it runs"):
        move("ecs")
    sides["ecs"].commit, sides["ecs"].ready = "c0ffee", 503
    with pytest.raises(CommandError, match=r"ecs answers http://.*/readyz with 503"):
        move("ecs")
    sides["ecs"].other = b"<html>It works!</html>"
    with pytest.raises(CommandError, match="/healthz is not igloo"):
        move("ecs")
    monkeypatch.setenv("TRAFFIC_ECS_URL", "http://127.0.0.1:1")
    with pytest.raises(CommandError, match="ecs does not answer"):
        move("ecs")
    monkeypatch.setenv("TRAFFIC_ECS_URL", "file:///etc")
    with pytest.raises(CommandError, match="no address of ecs"):
        move("ecs")
    assert aws.weights() == {"lambda": 100, "ecs": 0}


def test_ctrl_c_leaves_the_weights_and_the_same_command_goes_on(
    aws: Aws, sides: dict[str, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    out = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr("apps.ops.management.commands.traffic.time.sleep", interrupt)
        with pytest.raises(SystemExit) as raised:
            call_command("traffic", "--to=ecs", "--step=30", "--every=1s", stdout=out)
    assert raised.value.code == 130
    assert "It stays 70 % to lambda, 30 % to ecs" in out.getvalue()
    assert aws.weights() == {"lambda": 70, "ecs": 30}
    said = move("ecs")
    assert "20 % to lambda, 80 % to ecs" in said
    assert aws.weights() == {"lambda": 0, "ecs": 100}


def test_what_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"--zone or TRAFFIC_ZONE .* --record"):
        traffic()
    for wrong in ("--every=5", "--every=0m", "--step=0", "--step=101"):
        with pytest.raises(CommandError, match=r"such as 90s|from 1 to 100"):
            traffic(wrong)


# --- Its parts ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("weights", "share"), [({"lambda": 0, "ecs": 0}, 50), ({"lambda": 2, "ecs": 1}, 33)]
)
def test_weights_are_shares(aws: Aws, weights: dict[str, int], share: int) -> None:
    aws.records(weights)
    assert Route53Weights(f"/hostedzone/{aws.zone}", NAME).read() == {
        "lambda": 100 - share,
        "ecs": share,
    }


def test_records_that_are_not_the_two_are_refused(aws: Aws) -> None:
    with pytest.raises(TrafficError, match=r"has no record other\."):
        Route53Weights(aws.zone, "other.igloo.example").read()
    aws.records({"lambda": 1, "ecs": 0}, name="half.igloo.example")
    aws.records({"third": 1}, name="half.igloo.example")
    with pytest.raises(TrafficError, match="found: ecs, lambda, third"):
        Route53Weights(aws.zone, "half.igloo.example").read()
    aws.records({"lambda": 1, "ecs": 1}, kind="AAAA")
    with pytest.raises(TrafficError, match="different weights"):
        Route53Weights(aws.zone, NAME).read()


def test_metrics_of_both_sides(aws: Aws) -> None:
    aws.saw("lambda", [0.1] * 19 + [0.9], errors=2)
    aws.saw("ecs", [0.2] * 10, errors=1)
    metrics = CloudWatchMetrics(REGION, aws.api, aws.balancer)
    now = dt.datetime.now(dt.UTC)
    before = now - dt.timedelta(minutes=5)
    assert metrics.seen("lambda", before, now) == Seen(20, 2, 0.1)
    assert metrics.seen("ecs", before, now) == Seen(10, 1, 0.2)
    assert metrics.seen("ecs", before, now - dt.timedelta(minutes=3)) == Seen(0, 0, None)


@pytest.mark.parametrize(
    ("api", "balancer"), [("abc", "app/x/1"), ("http:", "app/x/1"), ("rest:x", "x")]
)
def test_what_names_no_source_of_metrics_is_refused(api: str, balancer: str) -> None:
    with pytest.raises(TrafficError, match="names no"):
        CloudWatchMetrics(REGION, api, balancer)
