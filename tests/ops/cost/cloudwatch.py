"""CloudWatch on loopback, and prices of a date."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import boto3

from tests.moto_server import MotoServer
from tests.ops.traffic.aws import Gate

API, NAME, FUNCTION = "a1b2c3", "igloo-production", "igloo-production"


class CloudWatch(MotoServer):
    """Like AWS, it may be denied."""

    def __init__(self) -> None:
        super().__init__()
        self.denied: set[str] = set()
        self.asked: set[str] = set()

    def gated(self, app: Any) -> Any:
        """Behind the gate."""
        return Gate(app, self.denied, self.asked)

    def had(self, requests: int, *, monday: dt.datetime, ms: int = 60) -> None:
        """So many requests in the first 5 minutes of each hour of a week, at both kinds of API."""
        client = boto3.client("cloudwatch")
        for namespace, metric, dimension, name, value in (
            ("AWS/ApiGateway", "Count", "ApiId", API, 1),
            ("AWS/ApiGateway", "Count", "ApiName", NAME, 1),
            ("AWS/Lambda", "Invocations", "FunctionName", FUNCTION, 1),
            ("AWS/Lambda", "Duration", "FunctionName", FUNCTION, ms),
        ):
            points = [
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": name}],
                    "Timestamp": monday + dt.timedelta(hours=hour),
                    "StatisticValues": {
                        "SampleCount": requests,
                        "Sum": requests * value,
                        "Minimum": value,
                        "Maximum": value,
                    },
                }
                for hour in range(7 * 24)
            ]
            client.put_metric_data(Namespace=namespace, MetricData=points)
        client.close()


def dated(path: Path, date: str, count: int = 0) -> None:
    """Write the date of so many prices of a file; 0: of all."""
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^date = .*$", f"date = {date}", text, count=count), "utf-8")
