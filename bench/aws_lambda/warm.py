"""What a handler adds to a request: CPU time against calling the WSGI application directly."""

import os
import statistics

from bench.aws_lambda.function import by_handler, by_wsgi
from bench.aws_lambda.packages import Packages
from bench.aws_lambda.start import HANDLER
from bench.table import Row, at_most, print_table

ROUNDS = 15
CALLS = 300
LIMIT = 1.3
PATH = "/healthz"


def run(packages: Packages) -> None:
    """Measure in turn, and print the table."""
    igloo = packages.igloo.run(
        [
            by_wsgi("igloo.wsgi.application", PATH),
            by_handler(HANDLER, PATH, api="v2"),
            by_handler(HANDLER, PATH, api="v1"),
        ],
        rounds=ROUNDS,
        calls=CALLS,
    )
    zappa = packages.zappa.run(
        [
            by_handler("handler.lambda_handler", PATH, api="v1"),
            by_wsgi("hello.wsgi.application", PATH),
        ],
        rounds=ROUNDS,
        calls=CALLS,
    )
    direct, v2, v1 = medians(igloo.rounds)
    zappa_handler, zappa_direct = medians(zappa.rounds)
    rows = [
        at_most("igloo: HTTP API (v2) / WSGI", v2 / direct, LIMIT),
        at_most("igloo: REST API (v1) / WSGI", v1 / direct, LIMIT),
        Row("Zappa's hello world: REST API (v1) / WSGI", f"{zappa_handler / zappa_direct:.2f}"),
        Row("igloo: WSGI, v2, v1", f"{direct:.3f}, {v2:.3f}, {v1:.3f} ms"),
        Row("Zappa's hello world: WSGI, v1", f"{zappa_direct:.3f}, {zappa_handler:.3f} ms"),
    ]
    load = os.getloadavg()[0]
    print_table(
        f"Warm: CPU time of GET {PATH}, medians of {ROUNDS} rounds of {CALLS} calls "
        f"(load {load:.1f} on {os.cpu_count()} processors)",
        rows,
    )


def medians(rounds: list[list[float]]) -> list[float]:
    """Of each way, in ms."""
    return [statistics.median(way) * 1000 for way in zip(*rounds, strict=True)]
