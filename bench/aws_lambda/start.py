"""Cold starts: a fresh process until its first answer, in CPU time, and what is imported in it."""

import os
import re
import statistics
from dataclasses import dataclass

from bench.aws_lambda.function import Function, Way, by_handler, by_wsgi
from bench.aws_lambda.packages import Packages
from bench.table import Row, at_most, print_table

ROUNDS = 9
ZAPPA_LIMIT = 0.45
DJANGO_LIMIT = 1.5
IMPORT_MS = 20
PATH = "/api/v1/taxonomies"
HANDLER = "igloo.lambda_handler.handler"
# self [us] | cumulative | imported package
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


@dataclass(frozen=True)
class Import:
    """`own` and `whole`: ms of the module without and with what it imports; `depth`: from 0."""

    name: str
    own: float
    whole: float
    depth: int


def ways(packages: Packages) -> list[tuple[Function, Way]]:
    """Who answers what: igloo its taxonomies, out of PostgreSQL; the others hello."""
    return [
        (packages.igloo, by_handler(HANDLER, PATH, api="v2")),
        (packages.zappa, by_handler("handler.lambda_handler", PATH, api="v1")),
        (packages.django, by_wsgi("hello.wsgi.application", "/healthz")),
    ]


def run(packages: Packages) -> None:
    """Measure in turn, and print the tables."""
    contestants = ways(packages)
    seconds: dict[str, list[float]] = {function.name: [] for function, _ in contestants}
    for turn in range(ROUNDS + 1):
        for function, way in contestants:
            told = function.run([way])
            if turn:  # the first one reads from the disk
                seconds[function.name].append(told.first)
    ms = {name: statistics.median(values) * 1000 for name, values in seconds.items()}
    igloo, zappa, django = ms.values()
    rows = [
        at_most("igloo / Django + DRF as Zappa packages it", igloo / zappa, ZAPPA_LIMIT),
        at_most("igloo / bare Django by WSGI", igloo / django, DJANGO_LIMIT),
        *(
            Row(name, f"{ms[name]:.0f} ms", f"{min(each) * 1000:.0f} to {max(each) * 1000:.0f}")
            for name, each in seconds.items()
        ),
    ]
    load = os.getloadavg()[0]
    print_table(
        f"Cold start: CPU time until the first answer, medians of {ROUNDS} rounds (load {load:.1f} "
        f"on {os.cpu_count()} processors)",
        rows,
    )
    print_table(
        f"Imports of igloo's start over {IMPORT_MS} ms (CPU and waiting; timing them slows them)",
        [
            Row("  " * found.depth + found.name, f"{found.whole:.0f} ms", f"own {found.own:.1f}")
            for found in imports(*contestants[0])
            if found.whole >= IMPORT_MS
        ],
    )


def imports(function: Function, way: Way) -> list[Import]:
    """What a start imports, a module before what it imports itself."""
    log = function.run([way], options=["-X", "importtime"]).log
    found = []
    # Python tells of a module after what that imports.
    for line in reversed(log.splitlines()):
        if match := _IMPORT.match(line):
            own, whole, indent, name = match.groups()
            found.append(Import(name, int(own) / 1000, int(whole) / 1000, len(indent) // 2))
    return found
