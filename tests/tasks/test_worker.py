"""`manage.py task_worker`: it ends with care, shares, and shows how it is."""

import datetime as dt
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models.functions import Now
from django_q.models import Schedule
from django_tasks.base import TaskResultStatus

from apps.tasks.models import WorkerPulse
from apps.tasks.periodic import declared
from tests.tasks import clusters
from tests.tasks.clusters import Start, Tasks, wait_until
from tests.tasks.kill_samples import held, quick

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    """What this test enqueues."""
    return Tasks(tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a worker; at the end it is killed."""
    with clusters.starter(tmp_path) as start:
        yield start


# --- The end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_it_ends_with_the_tasks_that_run_and_leaves_those_that_wait(
    start: Start, tasks: Tasks, number: signal.Signals
) -> None:
    tasks.enqueue(held, range(6))
    worker = start()
    running = tasks.ledger.wait_until_busy()
    waiting = set(tasks.ids) - running
    cluster = worker.cluster()

    worker.process.send_signal(number)
    wait_until(lambda: not clusters.is_alive(cluster.pusher), "the cluster was told")
    if number == signal.SIGTERM:
        time.sleep(7)  # longer than a cluster is waited for that runs nothing
    tasks.ledger.go()

    assert worker.ends() == 0
    assert worker.family() == []
    assert "Traceback" not in worker.log()
    assert tasks.with_status(TaskResultStatus.SUCCESSFUL) == running
    assert tasks.with_status(TaskResultStatus.READY) == waiting
    assert tasks.ledger.begun() == dict.fromkeys(running, 1)

    start()
    tasks.wait_until_done()
    tasks.assert_runs()


def test_a_cluster_ends_with_the_supervisor_that_was_killed(start: Start, tasks: Tasks) -> None:
    tasks.enqueue(held, range(3))
    worker = start()
    running = tasks.ledger.wait_until_busy()

    worker.process.kill()

    worker.wait_until_gone()
    assert tasks.with_status(TaskResultStatus.READY) == set(tasks.ids) - running
    assert not tasks.ledger.ended()


def test_a_cluster_that_is_still_starting_ends_with_its_supervisor_too(start: Start) -> None:
    worker = start()
    worker.main()

    worker.process.kill()

    worker.wait_until_gone()


@pytest.mark.parametrize("role", ["workers", "monitor"])
def test_what_was_killed_does_not_hold_up_the_end(start: Start, tasks: Tasks, role: str) -> None:
    worker = start()
    worker.wait_for_pulse()
    if role == "workers":
        worker.cluster().kill_workers()
    else:
        worker.cluster().monitor.kill()
        # More results than the pipe to the monitor holds. The new one waits for a dead lock.
        tasks.enqueue(quick, range(300))
        tasks.wait_until_done()

    worker.process.terminate()

    assert worker.ends() == 0
    assert worker.family() == []


# --- Its tasks -----------------------------------------------------------------------------------


def test_a_task_may_take_longer_than_its_lease(start: Start, tasks: Tasks) -> None:
    tasks.enqueue(held, [0])
    start(TASK_LEASE="2")
    tasks.ledger.wait_for(0)

    def held_for() -> dt.timedelta:
        row = tasks.row(0)
        assert row.started_at is not None
        return row.run_after - row.started_at

    wait_until(lambda: held_for() > dt.timedelta(seconds=6), "its lease was renewed, and again")
    tasks.ledger.go()

    tasks.wait_until_done()
    tasks.assert_runs()


def test_two_workers_share_what_there_is(start: Start, tasks: Tasks) -> None:
    workers = [start(TASK_LEASE="60"), start(TASK_LEASE="60")]
    tasks.enqueue(held, range(4))
    tasks.ledger.wait_for(*range(4))  # in four processes, so both take part
    tasks.enqueue(quick, range(4, 504))
    tasks.ledger.go()

    tasks.wait_until_done()
    tasks.assert_runs()
    names = {tasks.row(number).worker_ids[0].partition(":")[0] for number in range(4)}
    assert names == {worker.name for worker in workers}


# --- How it is -----------------------------------------------------------------------------------


def test_task_health_tells_a_frozen_cluster_from_a_healthy_one(start: Start) -> None:
    # Without the supervisor, which would mend it.
    worker = start("--cluster", TASK_FROZEN_SECONDS="10")
    worker.wait_for_pulse()
    healthy = worker.manage("task_health")
    assert healthy.returncode == 0, healthy
    assert "problem" not in healthy.stdout

    worker.cluster().kill_workers()
    pulse = WorkerPulse.objects.filter(name=worker.name)
    wait_until(
        lambda: not pulse.filter(beat_at__gt=Now() - dt.timedelta(seconds=10)).exists(),
        "there was no pulse for 10 s",
    )
    frozen = worker.manage("task_health")
    assert frozen.returncode == 1, frozen
    assert f"problem: worker {worker.name} took nothing for 10 s or more" in frozen.stdout
    assert len(worker.family()) == 6  # all of them live


def test_a_cluster_that_starts_slowly_is_not_taken_for_frozen(start: Start) -> None:
    worker = start(TASK_FROZEN_SECONDS="60")
    main = worker.main()

    main.suspend()
    time.sleep(5)  # some looks
    assert clusters.is_alive(main)
    main.resume()

    worker.wait_for_pulse()
    assert "frozen" not in worker.log()


def test_its_schedules_are_what_is_declared(start: Start) -> None:
    start().wait_for_pulse()
    wanted = {(work.name, work.cron.text) for work in declared().values()}
    assert wanted
    wait_until(
        lambda: set(Schedule.objects.values_list("name", "cron")) == wanted, "they are written"
    )
