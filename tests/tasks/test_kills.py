"""Real processes are killed: nothing is lost, and only what was interrupted runs twice."""

import logging
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import psutil
import pytest
from django_q.conf import Conf
from django_tasks.base import TaskResultStatus
from pytest_django import DjangoDbBlocker, Settings

from apps.tasks.errors import LeaseExpired
from apps.tasks.models import TaskAttempt
from tests.tasks import clusters
from tests.tasks.clusters import Redis, Start, Tasks, wait_until
from tests.tasks.kill_samples import deadly, held, quick

EXPIRED = f"{LeaseExpired.__module__}.{LeaseExpired.__qualname__}"


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    """What this test enqueues."""
    return Tasks(tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a worker; at the end it is killed."""
    with clusters.starter(tmp_path) as start:
        yield start


def assert_attempts(tasks: Tasks, interrupted: set[int]) -> None:
    """These have an attempt that ended with its lease, and another one followed; no others have."""
    numbers = {task_id: number for number, task_id in tasks.ids.items()}
    found = TaskAttempt.objects.filter(task__in=numbers)
    assert sorted(numbers[str(attempt.task_id)] for attempt in found) == sorted(interrupted)
    assert all((attempt.number, attempt.error) == (1, EXPIRED) for attempt in found)
    assert all(attempt.retried for attempt in found)


# --- The worker's processes ----------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
def test_of_a_busy_worker_its_task_runs_again(start: Start, tasks: Tasks) -> None:
    tasks.enqueue(held, range(6))
    start()
    killed, other = tasks.ledger.wait_until_busy()

    psutil.Process(*tasks.ledger.pids(killed)).kill()
    # A worker in its place goes on with what waits.
    tasks.ledger.wait_until_busy(3)
    tasks.ledger.go()

    tasks.wait_until_done()
    tasks.assert_runs(twice=[killed])
    assert_attempts(tasks, {killed})
    assert tasks.row(other).attempt == 1


@pytest.mark.parametrize("with_supervisor", [False, True], ids=["cluster", "supervisor-too"])
@pytest.mark.usefixtures("committed")
def test_of_a_whole_cluster_the_running_tasks_run_again(
    start: Start, tasks: Tasks, with_supervisor: bool
) -> None:
    tasks.enqueue(held, range(8))
    worker = start()
    interrupted = tasks.ledger.wait_until_busy()

    cluster = worker.cluster()
    if with_supervisor:
        worker.process.kill()
    cluster.kill()
    tasks.ledger.go()
    if with_supervisor:
        worker.wait_until_gone()
        start(TASK_WORKER_NAME=worker.name)

    tasks.wait_until_done()
    tasks.assert_runs(twice=interrupted)
    assert_attempts(tasks, interrupted)
    assert (worker.process.poll() is None) is not with_supervisor


@pytest.mark.usefixtures("committed")
def test_a_cluster_that_froze_with_an_idle_worker_is_started_anew(
    start: Start, tasks: Tasks
) -> None:
    worker = start(TASK_FROZEN_SECONDS="7")
    worker.wait_for_pulse()
    frozen = worker.cluster()

    frozen.kill_workers()
    tasks.enqueue(quick, range(5))

    tasks.wait_until_done()
    tasks.assert_runs()
    assert "the cluster is frozen: it is killed and started anew" in worker.log()
    assert not clusters.is_alive(frozen.guard)


@pytest.mark.parametrize("role", ["pusher", "monitor", "guard", "main"])
@pytest.mark.usefixtures("committed")
def test_no_process_of_a_cluster_is_indispensable(start: Start, tasks: Tasks, role: str) -> None:
    worker = start()
    worker.wait_for_pulse()

    cluster = worker.cluster()
    killed: psutil.Process = getattr(cluster, role)
    killed.kill()
    wait_until(lambda: not clusters.is_alive(killed), f"the {role} is gone")
    if role in ("guard", "main"):
        wait_until(cluster.is_gone, "what it left is gone too")
    worker.cluster()  # it is complete again
    tasks.enqueue(quick, range(5))

    tasks.wait_until_done()
    tasks.assert_runs()


@pytest.mark.usefixtures("committed")
def test_a_task_that_kills_its_worker_is_dead_after_its_attempts(
    start: Start, tasks: Tasks
) -> None:
    tasks.enqueue(deadly, [0])
    tasks.enqueue(quick, range(1, 5))
    start(TASK_MAX_ATTEMPTS="2", TASK_LEASE="2")

    wait_until(lambda: tasks.with_status(TaskResultStatus.FAILED) == {0}, "it is dead")
    tasks.enqueue(quick, range(5, 9))
    tasks.wait_until_done(range(1, 9))

    assert tasks.ledger.begun() == {0: 2} | dict.fromkeys(range(1, 9), 1)
    attempts = TaskAttempt.objects.filter(task_id=tasks.ids[0]).values_list(
        "number", "error", "retried"
    )
    assert list(attempts) == [(1, EXPIRED, True), (2, EXPIRED, False)]
    assert tasks.row(0).state == "dead"


@pytest.mark.parametrize("then", ["works on", "succeeds", "fails"])
@pytest.mark.usefixtures("committed")
def test_a_worker_that_comes_back_after_its_lease_changes_nothing(
    start: Start, tasks: Tasks, then: str
) -> None:
    tasks.enqueue(held, [0])
    worker = start()
    tasks.ledger.wait_for(0)
    [first] = tasks.ledger.pids(0)
    psutil.Process(first).suspend()
    tasks.ledger.wait_for(0, times=2)
    second = tasks.ledger.pids(0)[1]

    if then == "succeeds":
        tasks.ledger.go(first)
    elif then == "fails":
        tasks.ledger.fail(first)
    psutil.Process(first).resume()
    # One that was to come to its end may be interrupted just before.
    sentences = ["lease lost"] if then == "works on" else ["lease lost", "another worker took over"]
    wait_until(
        lambda: any(sentence in worker.log() for sentence in sentences),
        "the first worker knows that its run is void",
    )
    assert tasks.row(0).state == "running"
    tasks.ledger.go(second)

    tasks.wait_until_done()
    row = tasks.row(0)
    assert (row.attempt, row.return_value) == (2, second)
    assert_attempts(tasks, {0})


# --- PostgreSQL ----------------------------------------------------------------------------------

OUTAGE_SECONDS = 4.0


def test_a_postgresql_that_is_away_for_less_than_a_lease_interrupts_nothing(
    django_db_blocker: DjangoDbBlocker, start: Start, tasks: Tasks
) -> None:
    with django_db_blocker.unblock(), clusters.own_postgres() as server:
        worker = start(TASK_LEASE="60")
        tasks.enqueue(held, [0, 1])
        tasks.ledger.wait_for(0, 1)
        tasks.enqueue(held, range(2, 8))
        # One ends while there is no database, the other one afterwards.
        [ends_meanwhile] = tasks.ledger.pids(0)

        server.kill()
        tasks.ledger.go(ends_meanwhile)
        tasks.ledger.wait_for(0, phase="end")
        worker.wait_for("the database is away, trying again")
        worker.wait_for("the database can't be asked")
        worker.wait_for("no messages: ")
        time.sleep(OUTAGE_SECONDS)
        server.start()
        tasks.ledger.go()

        tasks.wait_until_done()
        tasks.assert_runs()
        assert_attempts(tasks, set())
        assert "the cluster" not in worker.log()


def test_a_postgresql_that_is_away_for_longer_than_a_lease_loses_nothing(
    django_db_blocker: DjangoDbBlocker, start: Start, tasks: Tasks
) -> None:
    with django_db_blocker.unblock(), clusters.own_postgres() as server:
        worker = start(TASK_LEASE="2")
        tasks.enqueue(held, [0, 1])
        tasks.ledger.wait_for(0, 1)
        tasks.enqueue(held, range(2, 8))
        [ends_meanwhile] = tasks.ledger.pids(0)

        server.kill()
        tasks.ledger.go(ends_meanwhile)
        # What it did can't be written down within its lease.
        worker.wait_for("or its end not be written")
        worker.wait_for("a lease could not be renewed")
        time.sleep(OUTAGE_SECONDS)
        server.start()
        tasks.ledger.wait_for(0, times=2)
        tasks.ledger.go()

        tasks.wait_until_done()
        begun, ended = tasks.ledger.begun(), tasks.ledger.ended()
        interrupted = {number for number in begun if begun[number] == 2}
        # The other one lives on where it renews its lease before the sweeper sees that it is over.
        assert {0} <= interrupted <= {0, 1}
        assert begun == Counter(tasks.ids.keys()) + Counter(interrupted)
        assert ended[0] == 2
        assert set(ended) == set(tasks.ids)
        assert_attempts(tasks, interrupted)


# --- A transport that drops, raises or hangs -----------------------------------------------------


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Redis]:
    """A Redis that this process sends to. Workers are told of it by their environment."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = Redis(tmp_path)
    settings.TASK_BROKER = "redis"
    monkeypatch.setattr(Conf, "BROKER_CLASS", "apps.tasks.worker.brokers.RedisBroker")
    monkeypatch.setattr(Conf, "REDIS", server.url)
    server.start()
    yield server
    server.kill()


@pytest.mark.usefixtures("committed")
def test_what_redis_forgot_is_sent_again(start: Start, tasks: Tasks, broker: Redis) -> None:
    tasks.enqueue(quick, range(5))
    assert broker.flush() == 5
    start(TASK_BROKER="redis", REDIS_URL=broker.url)

    tasks.wait_until_done()
    tasks.assert_runs()


@pytest.mark.usefixtures("committed")
def test_a_redis_that_dies_takes_nothing_along(
    start: Start, tasks: Tasks, broker: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    worker = start(TASK_BROKER="redis", REDIS_URL=broker.url)
    tasks.enqueue(held, [0, 1])
    tasks.ledger.wait_for(0, 1)

    broker.kill()
    with caplog.at_level(logging.ERROR):
        tasks.enqueue(held, range(2, 7))
    assert "transport djangoq did not take 5 tasks" in caplog.text
    worker.wait_for("transport djangoq did not take")
    broker.start()
    tasks.ledger.go()

    tasks.wait_until_done()
    tasks.assert_runs()


@pytest.mark.usefixtures("committed")
def test_a_redis_that_is_away_for_long_interrupts_nothing(
    start: Start, tasks: Tasks, broker: Redis
) -> None:
    worker = start(TASK_BROKER="redis", REDIS_URL=broker.url, TASK_FROZEN_SECONDS="7")
    tasks.enqueue(held, [0])
    tasks.ledger.wait_for(0)

    broker.kill()
    time.sleep(13)  # no pulse for so long, and some looks
    broker.start()
    tasks.ledger.go()

    tasks.wait_until_done()
    tasks.assert_runs()
    assert "the cluster" not in worker.log()


@pytest.mark.usefixtures("committed")
def test_a_redis_that_hangs_holds_nothing_up(
    start: Start, tasks: Tasks, broker: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    worker = start(TASK_BROKER="redis", REDIS_URL=broker.url)
    tasks.enqueue(held, [0, 1])
    tasks.ledger.wait_for(0, 1)

    broker.signal(signal.SIGSTOP)
    # A caller that waits for its answer is not left waiting, and has not given it up either.
    patience = Timer(60, broker.signal, [signal.SIGCONT])
    patience.daemon = True
    patience.start()
    with caplog.at_level(logging.ERROR):
        tasks.enqueue(held, range(2, 7))
    assert "transport djangoq did not take 5 tasks" in caplog.text
    patience.cancel()
    broker.signal(signal.SIGCONT)
    tasks.ledger.go()

    tasks.wait_until_done()
    # What it was told while it hung, it brings after all; a second message finds nothing to do.
    tasks.assert_runs()
    assert worker.process.poll() is None
