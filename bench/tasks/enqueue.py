"""What it costs to enqueue: seconds of this process's CPU a row, one by one and by one call."""

import statistics

from bench.table import Row, at_most, print_table
from bench.tasks import stores, systems

ROUNDS = 3
SINGLE = 2_000
BULK = 10_000
SINGLE_LIMIT_MS = 1.0
BULK_LIMIT_MS = 0.1


def run() -> None:
    """Measure with no worker about, and print the table."""
    cpu: dict[bool, list[float]] = {False: [], True: []}
    wall: dict[bool, list[float]] = {False: [], True: []}
    with stores.running(durable_redis=False) as servers:
        system = systems.Igloo(servers, workers=1)
        try:
            system.start_client()
            for turn in range(ROUNDS + 1):
                for bulk, rows in ((False, SINGLE), (True, BULK)):
                    enqueued = system.enqueue("noop", rows, bulk=bulk)
                    if turn:  # the first one loads and connects
                        cpu[bulk].append(1000 * enqueued.cpu / rows)
                        wall[bulk].append(1000 * (enqueued.ended - enqueued.began) / rows)
        finally:
            system.stop()
    rows_of_table = []
    for bulk, name, limit in (
        (False, "one by one", SINGLE_LIMIT_MS),
        (True, f"{BULK:,} by one call", BULK_LIMIT_MS),
    ):
        median = statistics.median(cpu[bulk])
        rows_of_table += [
            at_most(f"{name}: CPU a row", median, limit, unit="ms", digits=3),
            Row(f"{name}: wall time a row", f"{statistics.median(wall[bulk]):.3f} ms"),
        ]
    print_table(f"Enqueueing, medians of {ROUNDS} rounds", rows_of_table)
