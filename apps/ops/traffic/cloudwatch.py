"""What each side was seen to do: CloudWatch's metrics of API Gateway and of the load balancer.

Sources: "HTTP API metrics" and "Amazon API Gateway dimensions and metrics" (API Gateway Developer
Guide); "CloudWatch metrics for your Application Load Balancer" (User Guide for ALBs).
"""

import datetime as dt
from dataclasses import dataclass

import boto3

from apps.ops.traffic import TrafficError
from apps.ops.traffic.aws import CONFIG, asking
from apps.ops.traffic.moving import Seen

_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class _Source:
    """Where a side's figures are."""

    namespace: str
    dimension: tuple[str, str]
    requests: str
    errors: tuple[str, ...]
    duration: str
    # Of `duration` in a second.
    units: int


def _gateway(api: str) -> _Source:
    """Of `http:<id>` or `rest:<name>`."""
    kind, _, name = api.partition(":")
    known = {"http": ("ApiId", "5xx"), "rest": ("ApiName", "5XXError")}
    if kind not in known or not name:
        raise TrafficError(
            f"{api!r} names no API: http:<id> of an HTTP API, or rest:<name> of a REST API."
        )
    dimension, errors = known[kind]
    return _Source("AWS/ApiGateway", (dimension, name), "Count", (errors,), "Latency", 1000)


def _balancer(name: str) -> _Source:
    """Of `app/<name>/<id>`, the end of its ARN."""
    if not name.startswith("app/"):
        raise TrafficError(f"{name!r} names no load balancer: app/<name>/<id>, its ARN's end.")
    return _Source(
        "AWS/ApplicationELB",
        ("LoadBalancer", name),
        "RequestCount",
        # What targets answer, and what it answers itself while it reaches none.
        ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"),
        "TargetResponseTime",
        1,
    )


class CloudWatchMetrics:
    """The metrics of both sides. CloudWatch has them a minute or two late.

    Args:
        api: `http:<id>` or `rest:<name>`.
        balancer: `app/<name>/<id>`.

    Raises:
        TrafficError: one of them is none.
    """

    def __init__(self, region: str, api: str, balancer: str) -> None:
        self._sources = {"lambda": _gateway(api), "ecs": _balancer(balancer)}
        self._client = boto3.client("cloudwatch", region_name=region, config=CONFIG)

    def seen(self, side: str, since: dt.datetime, until: dt.datetime) -> Seen:
        """Between two moments, in whole minutes around them; p95 is that of the worst minute.

        Raises:
            Denied: without cloudwatch:GetMetricData.
        """
        source = self._sources[side]
        wanted = {"requests": (source.requests, "Sum"), "p95": (source.duration, "p95")}
        wanted |= {f"errors{n}": (name, "Sum") for n, name in enumerate(source.errors)}
        name, value = source.dimension
        queries = [
            {
                "Id": key,
                "MetricStat": {
                    "Metric": {
                        "Namespace": source.namespace,
                        "MetricName": metric,
                        "Dimensions": [{"Name": name, "Value": value}],
                    },
                    "Period": 60,
                    "Stat": statistic,
                },
            }
            for key, (metric, statistic) in wanted.items()
        ]
        found: dict[str, list[float]] = {key: [] for key in wanted}
        with asking("cloudwatch", "*"):
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries,
                StartTime=_minute(since),
                EndTime=_minute(until) + _MINUTE,
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    found[result["Id"]] += result["Values"]
        errors = round(sum(sum(found[key]) for key in found if key.startswith("errors")))
        return Seen(
            # RequestCount leaves out what the load balancer had no target for.
            requests=max(round(sum(found["requests"])), errors),
            errors=errors,
            p95=max(found["p95"]) / source.units if found["p95"] else None,
        )


def _minute(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0)
