"""Say what a month of the API costs on AWS: on Lambda, on Fargate, on EC2, and where they cross."""

import datetime as dt
import json
from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.ops.cost.container import read_container
from apps.ops.cost.drawing import as_svg, in_terminal
from apps.ops.cost.prices import PricesError, read_prices
from apps.ops.cost.profile import Profile, ProfileError
from apps.ops.cost.report import as_data, chart, compare, texts

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
# The pair that the chart shows: what igloo runs on, and where it would move.
SHOWN = ("lambda-v2", "fargate-x86")


def number(text: str) -> Decimal:
    """For argparse; raises ValueError for what is no number."""
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise ValueError(text) from error


class Command(BaseCommand):
    """`manage.py cost --requests-per-day 100000 --duration-ms 80 --peak-ratio 4`.

    Prices are read from deploy/prices; nothing is asked of AWS. docs/cost.md tells the rest.
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
        parser.add_argument("--no-free-tier", action="store_true", help="used up by something else")
        parser.add_argument("--json", action="store_true", help="write JSON, and nothing else")
        parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the chart into a file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where no bill can be made, with what to do."""
        today = dt.datetime.now(dt.UTC).date()
        folder = Path(settings.BASE_DIR) / "deploy" / "prices"
        try:
            prices = read_prices(folder, options["region"], today=today)
            result = compare(prices, self._profile(folder, today, options), measured=False)
        except (PricesError, ProfileError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_data(result), indent=1))
        else:
            self.stdout.write("\n\n".join(texts(result)))
        if options["svg"] or not options["json"]:
            (shown,) = (
                item for item in result.crossings if (item.serverless, item.container) == SHOWN
            )
            drawn = chart(result, shown)
            if not options["json"]:
                self.stdout.write("\n" + in_terminal(drawn))
            if options["svg"]:
                options["svg"].write_text(as_svg(drawn), encoding="utf-8")

    def _profile(self, folder: Path, today: dt.date, options: dict[str, Any]) -> Profile:
        """What was given, with what was measured of the container."""
        known = {name: options[name] for name in NUMBERS | COUNTS if options[name] is not None}
        missing = [
            f"--{name.replace('_', '-')}"
            for name in ("requests_per_day", "duration_ms", "peak_ratio")
            if name not in known
        ]
        if missing:
            raise CommandError(f"What is the traffic? Give {', '.join(missing)}.")
        if "rps_per_vcpu" not in known:
            known["rps_per_vcpu"] = read_container(folder, today=today).rps_per_vcpu
        return Profile(**known, free_tier=not options["no_free_tier"])
