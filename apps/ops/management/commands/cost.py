"""Say what a month of the API costs on AWS: on Lambda, on Fargate, on EC2, and where they cross."""

import datetime as dt
import json
from argparse import ArgumentParser
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.ops.cost.container import read_container
from apps.ops.cost.drawing import as_svg, in_terminal
from apps.ops.cost.prices import PricesError, read_prices
from apps.ops.cost.profile import Profile, ProfileError
from apps.ops.cost.refresh import refreshed, written
from apps.ops.cost.report import as_data, chart, compare, texts
from apps.ops.cost.traffic import Traffic, Watched, from_access_log, from_cloudwatch

# Options that are fields of the profile, with what they mean.
NUMBERS = {
    "requests_per_day": "requests on an average day",
    "duration_ms": "milliseconds that Lambda bills for one, on average",
    "peak_ratio": "requests in the busiest seconds, over those of an average second",
    "rps_per_vcpu": "requests a second that one vCPU of the container serves, measured",
    "memory_mb": "the function's memory",
    "response_kb": "KB of an answer",
    "request_kb": "KB of a request",
    "log_kb": "KB that one writes into the log",
    "nat_kb": "KB that one sends and gets through NAT",
    "utilisation": "how busy a vCPU may be in the peak, 0 to 1",
    "task_vcpu": "vCPUs of a task",
    "task_memory_gb": "GB of a task",
    "requests_per_connection": "requests that a connection carries",
    "connection_seconds": "how long one stays open",
    "rds_proxy_vcpus": "the database's vCPUs, where RDS Proxy stands before it",
}
COUNTS = {
    "provisioned": "functions that are kept ready (provisioned concurrency)",
    "lambda_nat_gateways": "NAT gateways that Lambda needs",
    "ecs_nat_gateways": "NAT gateways that containers need; 0: tasks have public addresses",
    "min_tasks": "tasks that run at least",
}
# The region whose file has a pattern of each price.
PATTERNS = "us-east-1"


def number(text: str) -> Decimal:
    """For argparse; raises ValueError for what is no number."""
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise ValueError(text) from error


class Command(BaseCommand):
    """`manage.py cost --requests-per-day 100000 --duration-ms 80 --peak-ratio 4`.

    Prices are read from deploy/prices; AWS is asked for the traffic alone, and with `--measured`
    only. docs/cost.md tells the rest.
    """

    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The traffic, the sizes, and what to write."""
        parser.add_argument("--region", default=settings.AWS_REGION)
        for name, text in NUMBERS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=number, help=text)
        for name, text in COUNTS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, help=text)
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--measured",
            action="store_true",
            help="ask CloudWatch for the traffic; options go first",
        )
        source.add_argument(
            "--access-log", type=Path, metavar="FILE", help="an ALB's, or in the Common Log Format"
        )
        parser.add_argument("--function", default="igloo-production", help="for --measured")
        gateway = parser.add_mutually_exclusive_group()
        gateway.add_argument("--api-id", help="for --measured: of an HTTP API (v2)")
        gateway.add_argument("--api-name", help="for --measured: of a REST API (v1)")
        parser.add_argument("--days", type=int, default=14, help="for --measured; default: 14")
        parser.add_argument("--no-free-tier", action="store_true", help="used up by something else")
        parser.add_argument(
            "--refresh", action="store_true", help="only read AWS's price list into deploy/prices"
        )
        parser.add_argument("--json", action="store_true", help="write JSON, and nothing else")
        parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the chart into a file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where no bill can be made, with what to do."""
        today = dt.datetime.now(dt.UTC).date()
        folder = Path(settings.BASE_DIR) / "deploy" / "prices"
        if options["refresh"]:
            self._refresh(folder, options["region"], today)
            return
        try:
            prices = read_prices(folder, options["region"], today=today)
            profile, measured = self._profile(folder, today, options)
            result = compare(prices, profile, measured=measured)
        except (PricesError, ProfileError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_data(result), indent=1))
        else:
            self.stdout.write("\n\n".join(texts(result)))
        if options["svg"] or not options["json"]:
            drawn = chart(result)
            if not options["json"]:
                self.stdout.write("\n" + in_terminal(drawn))
            if options["svg"]:
                options["svg"].write_text(as_svg(drawn), encoding="utf-8")

    def _profile(
        self, folder: Path, today: dt.date, options: dict[str, Any]
    ) -> tuple[Profile, bool]:
        """What was given, and of the rest what was measured; whether duration and peak were."""
        seen = {}
        traffic = self._traffic(options)
        if traffic is not None:
            seen = {name: value for name, value in asdict(traffic).items() if value is not None}
        known = {name: options[name] for name in NUMBERS | COUNTS if options[name] is not None}
        measured = {"duration_ms", "peak_ratio"} <= set(seen) - set(known)
        known = seen | known
        missing = [
            f"--{name.replace('_', '-')}"
            for name in ("requests_per_day", "duration_ms", "peak_ratio")
            if name not in known
        ]
        if missing:
            raise CommandError(f"What is the traffic? Give {', '.join(missing)}.")
        if "rps_per_vcpu" not in known:
            known["rps_per_vcpu"] = read_container(folder, today=today).rps_per_vcpu
        return Profile(**known, free_tier=not options["no_free_tier"]), measured

    def _refresh(self, folder: Path, region: str, today: dt.date) -> None:
        """Write what AWS's price list says today. Raises CommandError, and has written nothing."""
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            prices, patterns = (
                read_prices(folder, each, today=today, max_age=None) for each in (region, PATTERNS)
            )
            # The price list of all regions is in a few; this is the one that AWS names first.
            client = boto3.client("pricing", region_name="us-east-1")
            found = refreshed(client, prices, patterns, today=today)
        except PricesError as error:
            raise CommandError(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"The price list was not read: {error}\nWho runs this needs the right"
                " pricing:GetProducts."
            ) from error
        path = folder / f"{region}.toml"
        text, changes = written(path.read_text(encoding="utf-8"), prices, found)
        path.write_text(text, encoding="utf-8")
        left = sorted(set(prices.prices) - {price.name for price in found})
        self.stdout.write(
            "\n".join(
                [
                    f"{len(found)} prices of {region} are AWS's of today.",
                    *changes,
                    f"Not in the list, so look them up: {', '.join(left)}.",
                ]
            )
        )

    def _traffic(self, options: dict[str, Any]) -> Traffic | None:
        """Of a log, or of CloudWatch. Raises ProfileError, and CommandError where it can't ask."""
        if options["access_log"]:
            try:
                with options["access_log"].open(encoding="utf-8", errors="replace") as lines:
                    return from_access_log(lines)
            except OSError as error:
                raise CommandError(f"The log cannot be read: {error}.") from error
        if not options["measured"]:
            return None
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        watched = Watched(options["function"], options["api_id"], options["api_name"])
        if options["days"] < 1:
            raise CommandError("--days is 1 at least.")
        try:
            client = boto3.client("cloudwatch", region_name=options["region"])
            end = dt.datetime.now(dt.UTC)
            return from_cloudwatch(client, watched, end=end, days=options["days"])
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"CloudWatch was not asked: {error}\nWho runs this needs the right"
                " cloudwatch:GetMetricData."
            ) from error
