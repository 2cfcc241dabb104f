"""Route 53 and CloudWatch on loopback: moto's server, behind a gate that can deny calls."""

import datetime as dt
import math
import uuid
from typing import Any

import boto3
import pytest
from moto.cloudwatch.models import Statistics
from werkzeug.wrappers import Request, Response

from tests.moto_server import MotoServer

REGION = "ap-northeast-2"
NAME = "api.igloo.example"


class Gate:
    """Answers as IAM does, before `app` sees a call of one of `denied`."""

    def __init__(self, app: Any, denied: set[str], asked: set[str]) -> None:
        self.app = app
        self.denied = denied
        self.asked = asked

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        with Request(environ) as request:
            action = _action(request)
        self.asked.add(action)
        if action not in self.denied:
            return self.app(environ, start_response)
        message = f"User: arn:aws:iam::123456789012:user/minji is not authorized: {action}"
        if action.startswith("route53:"):
            error = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
            xml = f"<ErrorResponse>{error}</ErrorResponse>"
            answer = Response(xml, 403, content_type="text/xml")
        else:
            body = f'{{"__type": "AccessDenied", "message": "{message}"}}'
            answer = Response(body, 403, content_type="application/x-amz-json-1.0")
        return answer(environ, start_response)


def _action(request: Request) -> str:
    if request.path.rstrip("/").endswith("/rrset"):
        verb = {"GET": "List", "POST": "Change"}[request.method]
        return f"route53:{verb}ResourceRecordSets"
    if request.path.startswith("/2013-04-01/"):
        return f"route53:{request.method} {request.path}"
    return f"cloudwatch:{request.headers.get('X-Amz-Target', '').rpartition('.')[2]}"


def percentile(stat: str, values: list[float]) -> float:
    """The nearest rank: `p95` of values."""
    return sorted(values)[max(math.ceil(float(stat[1:]) / 100 * len(values)), 1) - 1]


class Aws(MotoServer):
    """A zone with the two records, and the metrics of both sides.

    moto's servers of one process share what they hold, so each has names of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.denied: set[str] = set()
        self.asked: set[str] = set()
        own = uuid.uuid4().hex[:12]
        self.api = f"http:{own}"
        self.balancer = f"app/igloo/{own}"

    def gated(self, app: Any) -> Any:
        """Behind the gate."""
        return Gate(app, self.denied, self.asked)

    def start(self) -> None:
        """Start, and make the zone."""
        super().start()
        session = boto3.session.Session("igloo-tests", "igloo-tests-secret")
        options = {"region_name": REGION, "endpoint_url": self.url}
        self.route53 = session.client("route53", **options)
        self.cloudwatch = session.client("cloudwatch", **options)
        made = self.route53.create_hosted_zone(Name="igloo.example", CallerReference=self.api)
        self.zone = made["HostedZone"]["Id"].removeprefix("/hostedzone/")
        self.records({"lambda": 100, "ecs": 0})

    def stop(self) -> None:
        """Stop, and let the port go."""
        super().stop()
        self.route53.close()
        self.cloudwatch.close()

    @property
    def environment(self) -> dict[str, str]:
        """What an operator's shell has."""
        return {
            "AWS_ACCESS_KEY_ID": "igloo-tests",
            "AWS_SECRET_ACCESS_KEY": "igloo-tests-secret",
            "AWS_ENDPOINT_URL": self.url,
            "TRAFFIC_ZONE": self.zone,
            "TRAFFIC_RECORD": NAME,
            "TRAFFIC_API": self.api,
            "TRAFFIC_BALANCER": self.balancer,
        }

    def records(self, weights: dict[str, int], kind: str = "A", name: str = NAME) -> None:
        """Make or change records, aliases of something of AWS."""
        targets = {"lambda": "d-abc.execute-api", "ecs": "dualstack.igloo-1.elb"}
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {
                    "Name": name,
                    "Type": kind,
                    "SetIdentifier": side,
                    "Weight": weight,
                    "AliasTarget": {
                        "HostedZoneId": "Z20JF4UZKIW1U8",
                        "DNSName": f"{targets.get(side, side)}.{REGION}.amazonaws.com.",
                        "EvaluateTargetHealth": side == "ecs",
                    },
                },
            }
            for side, weight in weights.items()
        ]
        self.route53.change_resource_record_sets(
            HostedZoneId=self.zone, ChangeBatch={"Changes": changes}
        )

    def found(self) -> list[dict[str, Any]]:
        """The records of the name."""
        answer = self.route53.list_resource_record_sets(HostedZoneId=self.zone)
        return [r for r in answer["ResourceRecordSets"] if r["Name"] == f"{NAME}."]

    def weights(self) -> dict[str, int]:
        """By side, of the A records."""
        return {r["SetIdentifier"]: r["Weight"] for r in self.found() if r["Type"] == "A"}

    def saw(self, side: str, seconds: list[float], errors: int = 0) -> None:
        """Put what a side's gateway would: one value per request, and how many were 5xx."""
        if side == "lambda":
            space, dimension = "AWS/ApiGateway", ("ApiId", self.api.partition(":")[2])
            names, units = ("Count", "5xx", "Latency"), 1000
        else:
            space, dimension = "AWS/ApplicationELB", ("LoadBalancer", self.balancer)
            names, units = ("RequestCount", "HTTPCode_Target_5XX_Count", "TargetResponseTime"), 1
        values = [(names[0], float(len(seconds))), (names[1], float(errors))]
        values += [(names[2], duration * units) for duration in seconds]
        now = dt.datetime.now(dt.UTC)
        data = [
            {
                "MetricName": name,
                "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}],
                "Timestamp": now,
                "Value": value,
            }
            for name, value in values
        ]
        self.cloudwatch.put_metric_data(Namespace=space, MetricData=data)


def with_percentiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto 5.2 answers None to a percentile."""
    plain = Statistics.get_statistics_for_type

    def statistics(self: Statistics, stat: str) -> Any:
        if stat.startswith("p"):
            return percentile(stat, self.metric_single_values_list)
        return plain(self, stat)

    monkeypatch.setattr(Statistics, "get_statistics_for_type", statistics)
