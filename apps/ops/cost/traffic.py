"""What the traffic was: from a load balancer's or a web server's access log, or from CloudWatch."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.ops.cost.profile import NoTraffic, ProfileError

# "Access logs for your Application Load Balancer", of the ELB user guide: type, time, elb, client,
# target, three processing times in seconds (-1: there was none), two statuses, bytes in and out.
_ALB = re.compile(
    r"(?:https?|h2|grpcs?|wss?) (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z \S+ \S+ \S+"
    r" \S+ (?P<seconds>-1|[\d.]+) \S+ \S+ \S+ (?P<received>\d+) (?P<sent>\d+) "
)
# The Common Log Format, with which gunicorn's, nginx' and Apache's begin. Its size is the body's.
_COMMON = re.compile(
    r'\S+ \S+ \S+ \[(?P<time>[^]]+)\] "(?:[^"\\]|\\.)*" \d{3} (?P<sent>\d+|-)(?: |$)'
)
# Seconds. CloudWatch keeps five-minute sums for 63 days, those of a minute for 15.
PERIOD = 300


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was seen: fields of a Profile. None: this source doesn't tell it."""

    requests_per_day: Decimal
    peak_ratio: Decimal
    duration_ms: Decimal | None = None
    response_kb: Decimal | None = None
    request_kb: Decimal | None = None
    log_kb: Decimal | None = None


def from_access_log(lines: Iterable[str]) -> Traffic:
    """The traffic of an access log of an ALB, or one in the Common Log Format.

    The peak is the busiest of its minutes. The duration is the target's, of requests that had one:
    of an ALB before containers it is theirs, not Lambda's.

    Raises ProfileError for a log in which no line can be read, or most can't, and for one of less
    than an hour: a day cannot be told from it.
    """
    minutes: Counter[dt.datetime] = Counter()
    seconds, sent, received = Decimal(0), 0, 0
    timed = unread = 0
    balancer = False
    first = last = None
    for line in lines:
        if not line.strip():
            continue
        match = _ALB.match(line)
        balancer = balancer or match is not None
        match = match or _COMMON.match(line)
        if match is None:
            unread += 1
            continue
        found = match.groupdict()
        time = _time(found["time"])
        first, last = min(first or time, time), max(last or time, time)
        minutes[time.replace(second=0)] += 1
        sent += 0 if found["sent"] == "-" else int(found["sent"])
        if "seconds" in found:
            received += int(found["received"])
            if found["seconds"] != "-1":
                timed += 1
                seconds += Decimal(found["seconds"])
    requests = minutes.total()
    if first is None or last is None or unread > requests:
        raise ProfileError(
            f"Of this log {requests} lines can be read as an ALB's or in the Common Log Format,"
            f" and {unread} can't."
        )
    span = Decimal((last - first).total_seconds())
    if span < 3600:
        raise ProfileError(f"This log is of {span / 60:.0f} minutes: an hour is the least.")
    return Traffic(
        requests_per_day=requests * 86400 / span,
        peak_ratio=max(Decimal(1), max(minutes.values()) * span / 60 / requests),
        duration_ms=seconds * 1000 / timed if timed else None,
        response_kb=Decimal(sent) / 1024 / requests,
        request_kb=Decimal(received) / 1024 / requests if balancer else None,
    )


def _time(text: str) -> dt.datetime:
    """Of either log. Raises ProfileError."""
    try:
        if text[4] == "-":
            return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
        return dt.datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")
    except (ValueError, IndexError) as error:
        raise ProfileError(f"{text!r} is no time of an access log.") from error


@dataclass(frozen=True, slots=True)
class Watched:
    """A function, and the API Gateway before it, as CloudWatch names them."""

    function: str
    # The id of an HTTP API (v2), or the name of a REST API (v1); None: count invocations.
    api_id: str | None = None
    api_name: str | None = None


def from_cloudwatch(client: Any, watched: Watched, *, end: dt.datetime, days: int) -> Traffic:
    """The traffic of the `days` before `end`, from the metrics of AWS/Lambda and AWS/ApiGateway.

    The peak is the busiest of its 5 minutes. Requests are what API Gateway counted; without one,
    what the function was invoked for, its background work too. The duration is what the function
    took without the start of an instance, which Lambda bills as well: a little is missing.

    Raises NoTraffic, and lets errors of AWS pass.
    """
    function = [{"Name": "FunctionName", "Value": watched.function}]
    gateway = [
        {"Name": "ApiId", "Value": watched.api_id}
        if watched.api_id
        else {"Name": "ApiName", "Value": watched.api_name}
    ]
    by_gateway = watched.api_id is not None or watched.api_name is not None
    group = [{"Name": "LogGroupName", "Value": f"/aws/lambda/{watched.function}"}]
    queries = [
        # "The SampleCount statistic represents this metric", says API Gateway's guide.
        _query("count", "AWS/ApiGateway", "Count", gateway, "SampleCount")
        if by_gateway
        else _query("count", "AWS/Lambda", "Invocations", function, "Sum"),
        _query("invocations", "AWS/Lambda", "Invocations", function, "Sum"),
        _query("duration", "AWS/Lambda", "Duration", function, "Sum"),
        _query("logs", "AWS/Logs", "IncomingBytes", group, "Sum"),
    ]
    start = end - dt.timedelta(days=days)
    values: dict[str, list[Decimal]] = {}
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            found = values.setdefault(result["Id"], [])
            found += [Decimal(str(value)) for value in result["Values"]]
    counts = values.get("count", [])
    requests, invocations = sum(counts, Decimal(0)), sum(values.get("invocations", []), Decimal(0))
    if not requests:
        what = f"API {watched.api_id or watched.api_name}" if by_gateway else watched.function
        raise NoTraffic(
            f"There was no traffic at {what} in the {days} days before {end:%Y-%m-%d %H:%M} UTC:"
            " look at the name and the region, or give --requests-per-day."
        )
    logs = sum(values.get("logs", []), Decimal(0))
    return Traffic(
        requests_per_day=requests / days,
        peak_ratio=max(Decimal(1), max(counts) * days * 86400 / PERIOD / requests),
        duration_ms=sum(values["duration"], Decimal(0)) / invocations if invocations else None,
        log_kb=logs / 1024 / requests if logs else None,
    )


def _query(
    name: str, namespace: str, metric: str, dimensions: Sequence[dict[str, Any]], statistic: str
) -> dict[str, Any]:
    """One of GetMetricData's questions."""
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": list(dimensions),
            },
            "Period": PERIOD,
            "Stat": statistic,
        },
    }
