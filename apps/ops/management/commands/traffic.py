"""`manage.py traffic`: where requests go, and moving them between Lambda and ECS."""

import datetime as dt
import os
import re
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.ops.traffic import TrafficError
from apps.ops.traffic.cloudwatch import CloudWatchMetrics
from apps.ops.traffic.moving import SIDES, Limits, Mover, told
from apps.ops.traffic.route53 import Route53Weights
from apps.ops.traffic.sides import refuse_unequal

_UNITS = {"s": 1, "m": 60, "h": 3600}
# As a shell tells of a program that Ctrl-C ended.
_INTERRUPTED = 130
# What says where things are: option, variable, what it is.
_WHERE = (
    ("--zone", "TRAFFIC_ZONE", "the hosted zone's id"),
    ("--record", "TRAFFIC_RECORD", "the name whose weights move"),
    ("--api", "TRAFFIC_API", "http:<id> of an HTTP API, rest:<name> of a REST API"),
    ("--balancer", "TRAFFIC_BALANCER", "app/<name>/<id>, the end of the load balancer's ARN"),
    ("--lambda-url", "TRAFFIC_LAMBDA_URL", "Lambda's own address"),
    ("--ecs-url", "TRAFFIC_ECS_URL", "ECS' own address"),
)


class Command(BaseCommand):
    """Without `--to` it only shows the weights."""

    help = (
        "Show the Route 53 weights of Lambda and ECS, or move them step by step (--to), and back "
        "when a side answers too many 5xx or too slowly."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, how fast, and the limits."""
        parser.add_argument("--to", choices=SIDES, help="move all requests there")
        parser.add_argument(
            "--step", type=_percent, default=10, metavar="PERCENT", help="at a time (10)"
        )
        parser.add_argument(
            "--every", type=_seconds, default=300, metavar="TIME", help="90s, 5m or 1h (5m)"
        )
        parser.add_argument(
            "--max-5xx", type=float, default=1, metavar="PERCENT", help="of a side's requests (1)"
        )
        parser.add_argument(
            "--max-p95", type=float, default=1000, metavar="MS", help="of either side (1000)"
        )
        parser.add_argument(
            "--min-requests",
            type=int,
            default=20,
            metavar="COUNT",
            help="fewer at a step say nothing, and more are waited for (20)",
        )
        for option, variable, what in _WHERE:
            parser.add_argument(
                option, default=os.environ.get(variable, ""), help=f"{what} ({variable})"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where it stopped, with what to do about it."""
        where = _WHERE if options["to"] else _WHERE[:2]
        if missing := [
            f"{option} or {variable} ({what})"
            for option, variable, what in where
            if not options[option[2:].replace("-", "_")]
        ]:
            raise CommandError(f"Say {'; '.join(missing)}.")
        try:
            weights = Route53Weights(options["zone"], options["record"])
            self._say(told(weights.read()))
            if options["to"]:
                self._move(weights, **options)
        except TrafficError as error:
            raise CommandError(str(error)) from error

    def _move(self, weights: Route53Weights, **options: Any) -> None:
        addresses = {"lambda": options["lambda_url"], "ecs": options["ecs_url"]}
        mover = Mover(
            weights,
            CloudWatchMetrics(settings.AWS_REGION, options["api"], options["balancer"]),
            _Clock(),
            Limits(options["max_5xx"], options["max_p95"] / 1000, options["min_requests"]),
            step=options["step"],
            every=options["every"],
            check=lambda: refuse_unequal(addresses),
            say=self._say,
        )
        try:
            mover.move(options["to"])
        except KeyboardInterrupt:
            # Route 53 says it: the change may have been on its way.
            self._say(f"Stopped. It stays {told(weights.read())}; the same command goes on.")
            sys.exit(_INTERRUPTED)

    def _say(self, line: str) -> None:
        now = dt.datetime.now(dt.UTC)
        self.stdout.write(f"{now:%H:%M:%S} {line}")
        self.stdout.flush()


class _Clock:
    """The real one."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d*)([smh])", text)
    if not found:
        raise ArgumentTypeError("such as 90s, 5m or 1h")
    return int(found[1]) * _UNITS[found[2]]


def _percent(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise ArgumentTypeError("a whole number from 1 to 100")
    return int(text)
