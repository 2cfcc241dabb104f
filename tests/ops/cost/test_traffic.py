"""The traffic, as an access log or CloudWatch tells it."""

import datetime as dt
import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import boto3
import pytest
from django.core.management import CommandError, call_command

from apps.ops.cost.profile import ProfileError
from apps.ops.cost.traffic import Watched, from_access_log, from_cloudwatch
from tests.deploying.conftest import account as account
from tests.media.s3 import REGION, S3Server

# The example of "Access logs for your Application Load Balancer", its time and times replaced.
ALB = (
    "http {time}.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80"
    ' 0.001 {seconds} 0.002 200 200 512 {sent} "GET http://www.example.com:80/ HTTP/1.1"'
    ' "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my/73e2'
    ' "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 {time}.364000Z "forward" "-" "-"'
    ' "10.0.0.1:80" "200" "-" "-"'
)
# As gunicorn writes it; the byte count is "-" where there is no body.
COMMON = '10.0.0.9 - - [27/Nov/2026:{time} +0900] "GET /api/v1/posts?q=\\"a\\" HTTP/1.1" {end}'


def test_an_albs_log() -> None:
    """121 requests in 2 hours: one a minute, and in one minute 2; a request that no one served."""
    lines = [
        ALB.format(time=f"2026-11-27T{10 + n // 60}:{n % 60:02}:00", seconds="0.080", sent=2048)
        for n in range(121)
    ]
    lines.append(ALB.format(time="2026-11-27T11:00:30", seconds="-1", sent=0))
    lines.append("")

    seen = from_access_log(lines)

    assert seen.requests_per_day == 122 * 12
    assert seen.peak_ratio == Decimal(2) * 120 / 122
    assert seen.duration_ms == 80
    assert seen.response_kb == Decimal(121 * 2) / 122
    assert seen.request_kb == Decimal("0.5")


def test_a_web_servers_log() -> None:
    """Out of order, as several processes write it; in two time zones' words of one time."""
    lines = [
        COMMON.format(time="11:00:00", end='200 3072 "-" "okhttp/4.12"'),
        COMMON.format(time="10:00:00", end="204 -"),
        COMMON.format(time="10:00:10", end="200 3072"),
        "[2026-11-27 10:00:00 +0900] [7] [INFO] Booting worker with pid: 7",
    ]

    seen = from_access_log(lines)

    assert seen.requests_per_day == 72
    assert seen.peak_ratio == 40
    assert seen.response_kb == 2
    assert seen.duration_ms is seen.request_kb is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "0 lines can be read"),
        (["one", "two", COMMON.format(time="10:00:00", end="200 1")], "1 lines .* and 2 can't"),
        ([COMMON.format(time=f"10:{n:02}:00", end="200 1") for n in range(60)], "of 59 minutes"),
        ([COMMON.format(time="25:00:00", end="200 1")], "is no time"),
    ],
)
def test_a_log_of_which_no_day_can_be_told_is_refused(lines: list[str], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        from_access_log(lines)


@pytest.fixture
def watched(account: S3Server) -> Watched:
    """Two days: 10 requests in each hour, 30 in one; 100 ms each; 2 KB of log each."""
    client = boto3.client("cloudwatch")
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    for hours in range(1, 48):
        count = 30 if hours == 5 else 10
        for namespace, metric, dimension, name, value in (
            ("AWS/ApiGateway", "Count", "ApiId", "a1b2c3", 1),
            ("AWS/Lambda", "Invocations", "FunctionName", "igloo-production", 1),
            ("AWS/Lambda", "Duration", "FunctionName", "igloo-production", 100),
            ("AWS/Logs", "IncomingBytes", "LogGroupName", "/aws/lambda/igloo-production", 2048),
        ):
            point = {
                "MetricName": metric,
                "Dimensions": [{"Name": dimension, "Value": name}],
                "Timestamp": now - dt.timedelta(hours=hours),
                "Value": value,
            }
            client.put_metric_data(Namespace=namespace, MetricData=[point] * count)
    return Watched("igloo-production", api_id="a1b2c3")


def test_what_cloudwatch_counted(watched: Watched) -> None:
    client = boto3.client("cloudwatch")

    seen = from_cloudwatch(client, watched, end=dt.datetime.now(dt.UTC), days=2)

    assert seen.requests_per_day == Decimal(46 * 10 + 30) / 2
    assert seen.peak_ratio == Decimal(30) * 2 * 288 / 490
    assert seen.duration_ms == 100
    assert seen.log_kb == 2
    alone = from_cloudwatch(
        client, Watched("igloo-production"), end=dt.datetime.now(dt.UTC), days=2
    )
    assert alone == seen


def test_no_traffic_is_said_with_what_to_look_at(watched: Watched) -> None:
    client = boto3.client("cloudwatch")
    end = dt.datetime.now(dt.UTC)

    for other in (Watched("igloo-dev"), Watched("igloo-production", api_name="a1b2c3")):
        with pytest.raises(ProfileError, match="There was no traffic at"):
            from_cloudwatch(client, other, end=end, days=2)
    with pytest.raises(ProfileError, match="in the 3 days before 2"):
        from_cloudwatch(client, watched, end=end - dt.timedelta(days=30), days=3)


@pytest.mark.usefixtures("prices_folder", "watched")
def test_the_command_takes_what_was_measured_where_nothing_was_given() -> None:
    arguments = ("--measured", "--api-id", "a1b2c3", "--days", "2", "--rps-per-vcpu", "60")
    plain, given = StringIO(), StringIO()

    call_command("cost", *arguments, "--json", stdout=plain)
    call_command("cost", *arguments, "--json", "--duration-ms", "70", stdout=given)

    data, other = json.loads(plain.getvalue()), json.loads(given.getvalue())
    assert data["measured"] is True
    assert data["region"] == REGION
    assert float(data["profile"]["requests_per_day"]) == 245
    assert float(data["profile"]["duration_ms"]) == 100
    # Of a duration that somebody gave it is not as sure.
    assert (other["measured"], other["profile"]["duration_ms"]) == (False, "70")


@pytest.mark.usefixtures("prices_folder")
def test_the_command_reads_a_log(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(
        "\n".join(
            COMMON.format(time=f"{10 + n // 60}:{n % 60:02}:00", end="200 4096") for n in range(121)
        )
    )
    arguments = ("--access-log", str(log), "--rps-per-vcpu", "60")
    out = StringIO()

    with pytest.raises(CommandError, match=r"Give --duration-ms\."):
        call_command("cost", *arguments)
    call_command("cost", *arguments, "--duration-ms", "60", stdout=out)

    assert out.getvalue().startswith("1,452 requests a day in ap-northeast-2")
    with pytest.raises(CommandError, match="The log cannot be read"):
        call_command("cost", "--access-log", str(tmp_path / "none.log"))


@pytest.mark.usefixtures("prices_folder", "account")
def test_a_cloudwatch_that_does_not_answer_is_said_with_what_to_grant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(CommandError, match=r"(?s)Could not connect.*cloudwatch:GetMetricData"):
        call_command("cost", "--measured", "--rps-per-vcpu", "60")
