"""Requests per second of one processor, and how long answers take at half of that."""

import datetime as dt
import http.client
import json
import os
import platform
import statistics
from contextlib import ExitStack

from bench.data import CHECKOUT
from bench.table import Row, print_table
from bench.web import load, servers
from bench.web.servers import Server
from igloo.laptop.places import LaptopError

PATH = "/api/v1/posts?housing_type=apartment"
CARDS = 20
ROUNDS = 7
REQUESTS = 400
PACED_SECONDS = 6.0
LIMIT = 1.2
FILE = CHECKOUT / "deploy" / "prices" / "measured.toml"


def run(database_url: str) -> None:
    """Measure in turn, round after round, and print the tables."""
    kinds = {"igloo, gunicorn": servers.gunicorn, "FastAPI, uvicorn": servers.uvicorn}
    with ExitStack() as stack:
        found = [
            stack.enter_context(servers.running(name, *kind(database_url)))
            for name, kind in kinds.items()
        ]
        _compare(found)
        per_cpu: dict[str, list[float]] = {server.name: [] for server in found}
        for turn in range(ROUNDS + 1):
            for server in found:
                before = server.cpu_seconds()
                load.as_fast_as_possible(server.port, PATH, REQUESTS)
                if turn:  # the first one warms up
                    per_cpu[server.name].append(REQUESTS / (server.cpu_seconds() - before))
        ours, theirs = (statistics.median(values) for values in per_cpu.values())
        half = {server.name: statistics.median(per_cpu[server.name]) / 2 for server in found}
        paced = {
            server.name: load.at_a_pace(server.port, PATH, half[server.name], PACED_SECONDS)
            for server in found
        }
    ratio = ours / theirs
    rows = [
        Row(
            "igloo / FastAPI + SQLAlchemy",
            f"{ratio:.2f}",
            f"≥ {LIMIT:g}",
            "ok" if ratio >= LIMIT else "MISSED",
        )
    ]
    rows += [
        Row(name, f"{statistics.median(values):.0f}", f"{min(values):.0f} to {max(values):.0f}")
        for name, values in per_cpu.items()
    ]
    print_table(
        f"Requests per second of processor time, {CARDS} cards, medians of {ROUNDS} rounds (load "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
        rows,
    )
    print_table(
        "Answer times at half of that, p50, p95, p99",
        [
            Row(
                f"{name}, {half[name]:.0f} a second", f"{at.p50:.1f}, {at.p95:.1f}, {at.p99:.1f} ms"
            )
            for name, at in paced.items()
        ],
    )

    _write(ours)


def _write(rps: float) -> None:
    """For `manage.py cost`, which sizes Fargate by it, and leaves room above."""
    how = (
        f"python -m bench web: GET {PATH}, {CARDS} cards, by the processor time of gunicorn with "
        f"one process on {platform.machine()}; PostgreSQL is elsewhere"
    )
    lines = ["[container]", f"rps_per_vcpu = {rps:.0f}", f"date = {dt.date.today()}"]  # noqa: DTZ011
    FILE.write_text("\n".join([*lines, f'how = "{how}"', ""]), encoding="utf-8")
    print(f"\n{FILE.relative_to(CHECKOUT)} says so to `manage.py cost`.")


def _compare(found: list[Server]) -> None:
    """Both answer the same cards, or the comparison is of no worth."""
    pages = []
    for server in found:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        pages.append(json.loads(load.get(connection, PATH))["items"])
        connection.close()
    ours, theirs = pages
    if len(ours) != CARDS or [_plain(card) for card in ours] != [_plain(card) for card in theirs]:
        raise LaptopError("the two servers answer different cards")


def _plain(card: dict[str, object]) -> dict[str, object]:
    # Both are RFC 3339.
    return card | {"published_at": str(card["published_at"]).replace("+00:00", "Z")}
