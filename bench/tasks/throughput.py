"""How long 2,000 tasks that do nothing take, from the first enqueue until all are done with.

Against Celery 5 on Redis with acks_late, each with 1 and with 2 workers that are up and warm. The
contestants take turns, round after round, and each run has fresh processes and an empty queue.
Redis keeps nothing; PostgreSQL keeps all, with every commit on the disk. Done with means that the
contestant's own store has no task left.
"""

import statistics
import time
from collections import defaultdict

from bench.table import Row, at_most, print_table
from bench.tasks import stores, systems
from bench.tasks.stores import Stores
from bench.tasks.system import System, end_leftovers

TASKS = 2_000
ROUNDS = 3
WORKERS = (1, 2)
RATIO_WANTED = 2.0
RUN_SECONDS = 120.0

PEER = "Celery, acks_late"
OURS = "igloo"
# By name: who runs, and whether it enqueues by one call.
CONTESTANTS: dict[str, tuple[type[System], bool]] = {
    PEER: (systems.CeleryLate, False),
    OURS: (systems.Igloo, False),
    "igloo, enqueue_many": (systems.Igloo, True),
}
# Told and not judged, hence run once.
OTHERS: dict[str, tuple[type[System], bool]] = {
    "django-q2, ORM": (systems.Q2Orm, False),
    "django-q2, Redis": (systems.Q2Redis, False),
}


def measure(kind: type[System], stores: Stores, *, workers: int, bulk: bool = False) -> float:
    """Seconds that one run takes.

    Raises:
        LaptopError: tasks were lost, or it took `RUN_SECONDS`.
    """
    with kind(stores, workers=workers).running() as system:
        enqueued = system.enqueue("noop", TASKS, bulk=bulk)
        system.wait(lambda: len(system.ledger.ended()) == TASKS, RUN_SECONDS)
        # After the last run only, since a look at the store is not free.
        system.wait(lambda: not system.left(), RUN_SECONDS, pause=0.01)
        return time.monotonic() - enqueued.began


def _rows(servers: Stores, workers: int) -> list[Row]:
    times: dict[str, list[float]] = defaultdict(list)
    for turn in range(ROUNDS):
        for name, (kind, bulk) in (CONTESTANTS if turn else CONTESTANTS | OTHERS).items():
            times[name].append(measure(kind, servers, workers=workers, bulk=bulk))
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    who = f"{workers} worker{'s' if workers > 1 else ''}"
    ratio = median[OURS] / median[PEER]
    rows = [at_most(f"{who}: igloo against Celery", ratio, RATIO_WANTED, unit="×")]
    for name, seconds in median.items():
        spread = (
            f" ({min(times[name]):.2f} to {max(times[name]):.2f})" if name in CONTESTANTS else ""
        )
        against = "" if name == PEER else f", {seconds / median[PEER]:.2f} ×"
        rows.append(Row(f"{who}: {name}", f"{seconds:.2f} s{spread}{against}"))
    return rows


def run() -> None:
    """Measure all of them and print the table; one sentence where there is no Redis."""
    if not stores.has_redis():
        print(f"\n{stores.NO_REDIS}")
        return
    end_leftovers()
    with stores.running(durable_redis=False) as servers:
        rows = [row for workers in WORKERS for row in _rows(servers, workers)]
    print_table(f"{TASKS:,} tasks that do nothing, medians of {ROUNDS} rounds", rows)
