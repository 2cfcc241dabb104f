"""The same kills for every contestant: which tasks are lost, run twice or stuck.

20 tasks of 0.2 s, and a `kill -9` in the middle. Then nobody helps for 60 s at most. Redis keeps
its log of writes here (appendonly, everysec): without, the outage would lose all. Where it can be
set, what was handed out and not finished is given out again after 8 s, and tried 3 times at most;
the first row of Celery is as it comes, and so is `task_reject_on_worker_lost` (off) in the second.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import psycopg2
import redis

from bench.tasks import stores, systems
from bench.tasks.system import System, end_leftovers, interrupted

TASKS = 20
# That have begun when the kill comes.
BEGUN = 5
WAIT_SECONDS = 60.0
OUTAGE_SECONDS = 10.0
# An empty store and no sign of life for so long: nothing will come any more. Longer than a start.
QUIET_SECONDS = 6.0
# A task that killed so many workers will go on with it.
POISON_RUNS = 25
# How many contestants are tried at the same time: mostly they wait.
LANES = 3

CONTESTANTS: tuple[type[System], ...] = (
    systems.IglooSoon,
    systems.Celery,
    systems.CeleryLateSoon,
    systems.CeleryStrict,
    systems.Q2OrmSoon,
    systems.Q2RedisSoon,
)


@dataclass(frozen=True)
class Outcome:
    """What became of the tasks.

    `lost`: not finished, and in no store any more. `twice`: finished more than once. `stuck`: not
    finished after `WAIT_SECONDS`, though still in the store. `seconds`: from the kill until each
    had finished once, if all did. `poison_runs` and `poison_ends`: of the task that kills its
    worker, where there is one.
    """

    lost: int
    twice: int
    stuck: int
    seconds: float | None
    poison_runs: int = 0
    poison_ends: bool = False


def watch(system: System, *, since: float, expected: range, poison: int | None = None) -> Outcome:
    """Wait until all that will happen has happened, or `WAIT_SECONDS` from `since` are over."""
    changed, seen, left = time.monotonic(), len(system.ledger.read().notes), 1
    while time.monotonic() < since + WAIT_SECONDS:
        system.sleep(0.1)
        with suppress(psycopg2.OperationalError, redis.RedisError):
            left = system.left()
        if len(system.ledger.read().notes) != seen:
            changed, seen = time.monotonic(), len(system.ledger.notes)
        if left == 0 and time.monotonic() > changed + QUIET_SECONDS:
            break
        if poison is not None and system.ledger.begun()[poison] >= POISON_RUNS:
            break
    ended = system.ledger.ended()
    missing = sum(1 for number in expected if not ended[number])
    poison_ends = poison is not None and left == 0
    held = left - (poison is not None and not poison_ends)
    stuck = min(missing, max(held, 0))
    return Outcome(
        lost=missing - stuck,
        twice=sum(1 for number in expected if ended[number] > 1),
        stuck=stuck,
        seconds=None if missing else system.ledger.all_ended_at() - since,
        poison_runs=system.ledger.begun()[poison] if poison is not None else 0,
        poison_ends=poison_ends,
    )


def _queue_and_let_begin(system: System) -> None:
    system.enqueue("nap", TASKS)
    system.wait(lambda: len(system.ledger.begun()) >= BEGUN, WAIT_SECONDS)


def busy_worker(system: System) -> Outcome:
    """One of two workers is killed in a task, others wait behind it."""
    _queue_and_let_begin(system)
    os.kill(system.ledger.last("begin").pid, signal.SIGKILL)
    return watch(system, since=time.monotonic(), expected=range(TASKS))


def whole_cluster(system: System) -> Outcome:
    """Every process of the workers is killed; they are started anew."""
    _queue_and_let_begin(system)
    system.kill_workers()
    killed = time.monotonic()
    system.start_workers()
    return watch(system, since=killed, expected=range(TASKS))


def idle_worker(system: System) -> Outcome:
    """The only worker is killed while it waits; then tasks come."""
    for pid in system.worker_pids():
        os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    system.enqueue("nap", TASKS)
    return watch(system, since=killed, expected=range(TASKS))


def store_outage(system: System) -> Outcome:
    """Where the queue lives is killed, and back after 10 s."""
    _queue_and_let_begin(system)
    store = getattr(system.stores, system.store)
    store.kill()
    killed = time.monotonic()
    system.sleep(OUTAGE_SECONDS)
    store.start()
    return watch(system, since=killed, expected=range(TASKS))


def poison(system: System) -> Outcome:
    """The first task always kills the only worker; others wait behind it."""
    began = system.enqueue("die", 1).began
    system.enqueue("nap", TASKS, first=1)
    return watch(system, since=began, expected=range(1, TASKS + 1), poison=0)


@dataclass(frozen=True)
class Experiment:
    """`title` heads its column."""

    title: str
    workers: int
    run: Callable[[System], Outcome]


EXPERIMENTS = (
    Experiment("busy worker", 2, busy_worker),
    Experiment("all workers, then a new start", 2, whole_cluster),
    Experiment("idle worker", 1, idle_worker),
    Experiment("its store, for 10 s", 2, store_outage),
    Experiment("by a task, each time", 1, poison),
)


def measure(kind: type[System], experiments: Sequence[Experiment] = EXPERIMENTS) -> list[Outcome]:
    """Put one contestant through each experiment, on servers of its own."""
    outcomes = []
    with stores.running(durable_redis=True) as servers:
        for experiment in experiments:
            with kind(servers, workers=experiment.workers).running() as system:
                outcome = experiment.run(system)
            print(f"{kind.name}: {experiment.title}: {cell(outcome)}", flush=True)
            outcomes.append(outcome)
    return outcomes


def cell(outcome: Outcome) -> str:
    """An outcome in few characters."""
    text = f"{outcome.lost} / {outcome.twice} / {outcome.stuck}"
    if outcome.seconds is not None:
        text += f", {outcome.seconds:.0f} s"
    if outcome.poison_runs:
        runs = f"{outcome.poison_runs} run" + ("s" if outcome.poison_runs > 1 else "")
        text += f"; {runs}, " + ("ends" if outcome.poison_ends else "goes on")
    return text


def markdown(results: Mapping[str, Sequence[Outcome]]) -> str:
    """The outcomes of each contestant as a table, with a line on how to read it."""
    lines = [["killed:", *(experiment.title for experiment in EXPERIMENTS)]]
    lines += [[name, *map(cell, outcomes)] for name, outcomes in results.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    table = "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)
    reading = (
        f"Of {TASKS} tasks: lost / run twice / stuck for {WAIT_SECONDS:.0f} s; then the seconds"
        " from the kill until each had been done once, where all were. The last column also says"
        f" how often the task that kills its worker was run, up to {POISON_RUNS} times.",
        f"What a dead worker had taken is given out again after {systems.RETRY_SECONDS} s (igloo:"
        " lease, django-q2: retry, Celery: visibility_timeout) and tried"
        f" {systems.ATTEMPTS} times at most, where that can be set; the plain Celery has its"
        " defaults, and would wait for an hour. Redis writes its log (appendonly, everysec).",
    )
    return "\n\n".join([table, *reading])


def run() -> dict[str, list[Outcome]]:
    """Try all contestants, some at the same time, and print the table.

    Returns:
        What `markdown` takes.
    """
    contestants = CONTESTANTS
    if not stores.has_redis():
        print(f"\n{stores.NO_REDIS}")
        contestants = tuple(kind for kind in CONTESTANTS if kind.store == "postgres")
    end_leftovers()
    with ThreadPoolExecutor(LANES) as lanes:
        try:
            outcomes = lanes.map(measure, contestants)
            results = {kind.name: found for kind, found in zip(contestants, outcomes, strict=True)}
        except BaseException:
            # Else the lanes would be waited for until each has come to its end.
            interrupted.set()
            raise
    print(f"\n{markdown(results)}")
    return results
