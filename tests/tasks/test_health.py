"""Whether background work goes on: is_frozen, and `manage.py task_health`."""

import datetime as dt
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.tasks.health import check_health, is_frozen, longest_wait, runs_workers
from apps.tasks.models import TaskAttempt, WorkerPulse
from apps.tasks.runner import run_task
from apps.tasks.services import cancel_tasks
from tests.tasks import samples
from tests.tasks.conftest import Queues, claim, claimed, pass_time, row_of

ME = "box-1"


@pytest.fixture(autouse=True)
def _me(settings: Any, queues: Queues, db: None) -> None:
    """This host's worker: two processes, frozen after 20 s."""
    settings.TASK_WORKER_NAME = ME
    settings.TASK_WORKERS = 2
    settings.TASK_FROZEN_SECONDS = 20
    queues(transport="djangoq")


def beat(seconds_ago: float = 0, name: str = ME) -> None:
    """The worker took something then."""
    at = timezone.now() - dt.timedelta(seconds=seconds_ago)
    WorkerPulse.objects.update_or_create(name=name, defaults={"beat_at": at})


def busy(count: int, worker: str = ME, lease: float = 60) -> None:
    """So many of the worker's processes are at a task."""
    for number in range(count):
        claim(samples.echo.enqueue(), f"{worker}:{number}:abcdef", lease)


# --- Frozen --------------------------------------------------------------------------------------


def test_a_worker_that_was_never_seen_is_frozen() -> None:
    assert is_frozen(ME)


@pytest.mark.parametrize(("seconds", "frozen"), [(0, False), (19, False), (21, True), (9999, True)])
def test_a_worker_that_took_nothing_for_long_is_frozen(seconds: int, frozen: bool) -> None:
    beat(seconds)
    beat(0, "box-2")
    assert is_frozen(ME) == frozen


@pytest.mark.parametrize(("count", "frozen"), [(0, True), (1, True), (2, False), (3, False)])
def test_one_whose_every_process_is_at_a_task_is_busy(count: int, frozen: bool) -> None:
    beat(100)
    busy(count)
    assert is_frozen(ME) == frozen


def test_one_whose_leases_ran_out_is_not_busy() -> None:
    beat(100)
    busy(2, lease=-1)
    busy(1)
    assert is_frozen(ME)


@pytest.mark.parametrize("other", ["box-10", "box-2", "box", "BOX-1"])
def test_tasks_of_another_worker_do_not_count(other: str) -> None:
    beat(100)
    busy(3, other)
    assert is_frozen(ME)
    assert not is_frozen(other)


@pytest.mark.parametrize("name", ["box_1", "%", "박스", "a.b-c", "a\\b"])
def test_a_name_is_no_pattern(name: str) -> None:
    busy(2, "boxx1")
    assert is_frozen(name)
    busy(2, name)
    assert not is_frozen(name)


def test_of_several_attempts_the_last_ones_worker_is_busy() -> None:
    for _ in range(2):
        result = samples.fail.enqueue()
        run_task(result.id)  # by this host
        pass_time(1000, result)
        claim(result, "box-2:1:a")
    assert is_frozen(ME)
    assert not is_frozen("box-2")


# --- The command ---------------------------------------------------------------------------------


def health(capsys: Any, *options: str) -> tuple[int, str]:
    """The exit status, and what was printed."""
    status = 0
    try:
        call_command("task_health", *options)
    except SystemExit as ended:
        status = int(str(ended.code))
    return status, capsys.readouterr().out


def figures(capsys: Any, *options: str) -> tuple[int, dict[str, Any]]:
    """The same, of `--json`."""
    status, text = health(capsys, "--json", *options)
    return status, json.loads(text)


def test_all_is_well(capsys: Any) -> None:
    beat()
    assert health(capsys) == (
        0,
        "0 waiting, 0 due, 0 running, 0 successful, 0 dead, 0 cancelled\n",
    )


def test_every_figure_as_json(capsys: Any) -> None:
    beat(3)
    beat(50, "box-2")
    at = timezone.now() + dt.timedelta(hours=1)
    samples.echo.using(run_after=at).enqueue()
    run_task(samples.fail.enqueue().id)
    old = samples.echo.enqueue()
    samples.heavy.enqueue()
    pass_time(100, old)
    claimed(samples.echo)
    run_task(samples.echo.enqueue().id)
    run_task(samples.fail_for_good.enqueue().id)
    for _ in range(2):
        cancel_tasks(task_ids=[samples.echo.enqueue().id], by="olga")
    status, said = figures(capsys, "--dead-within", "0")
    assert status == 0
    workers, oldest = said.pop("workers"), said.pop("oldest_due_seconds")
    assert said == {
        "ok": True,
        "problems": [],
        "states": {
            "waiting": 2,
            "due": 2,
            "running": 1,
            "successful": 1,
            "dead": 1,
            "cancelled": 2,
        },
        "queues": {"default": 4, "heavy": 1},
        "recently_dead": 0,
    }
    assert 100 <= oldest < 130
    assert 3 <= workers[ME] < 30
    assert 50 <= workers["box-2"] < 80
    assert list(workers) == [ME, "box-2"]


def test_a_frozen_worker_is_a_problem(capsys: Any) -> None:
    beat(30)
    status, text = health(capsys)
    assert status == 1
    assert f"problem: worker {ME} took nothing for 20 s or more" in text
    assert "0 waiting, 0 due" in text
    status, said = figures(capsys)
    assert (status, said["ok"], len(said["problems"])) == (1, False, 1)


def test_another_worker_can_be_asked_for(capsys: Any) -> None:
    beat(0, "box-2")
    assert health(capsys)[0] == 1
    assert health(capsys, "--worker", "box-2")[0] == 0
    assert health(capsys, "--no-worker")[0] == 0


def test_where_lambda_runs_the_tasks_there_is_no_worker(capsys: Any, queues: Queues) -> None:
    queues(transport="zappa")
    assert not runs_workers()
    assert health(capsys)[0] == 0
    queues("push", transport="djangoq")
    assert runs_workers()
    assert health(capsys)[0] == 1


def test_a_task_that_was_due_for_long_is_a_problem(capsys: Any) -> None:
    beat()
    at = timezone.now() + dt.timedelta(hours=1)
    samples.echo.using(run_after=at).enqueue()
    claim(samples.echo.enqueue(), "w", lease=9999)
    old = samples.echo.enqueue()
    samples.echo.enqueue()
    pass_time(290, old)
    assert health(capsys)[0] == 0
    pass_time(20, old)
    status, text = health(capsys)
    assert status == 1
    assert "problem: a task has been due for 31" in text
    assert "longer than 300 s" in text
    assert health(capsys, "--max-due", "400")[0] == 0
    assert health(capsys, "--max-due", "250.5")[0] == 1


def test_the_longest_wait_is_of_a_task_that_a_worker_could_take(queues: Queues) -> None:
    assert longest_wait() == 0
    samples.echo.using(run_after=timezone.now() + dt.timedelta(hours=1)).enqueue()
    claim(samples.echo.enqueue(), "w", lease=9999)
    pass_time(500, samples.echo.using(queue_name="heavy").enqueue())
    queues("heavy", transport="ecs")
    assert longest_wait() == 0
    pass_time(70, samples.echo.enqueue())
    samples.echo.enqueue()
    assert 70 <= longest_wait() < 80


def test_tasks_that_died_lately_are_a_problem(capsys: Any) -> None:
    beat()
    results = [samples.fail_for_good.enqueue() for _ in range(3)]
    for result in results:
        run_task(result.id)
    cancel_tasks(task_ids=[samples.echo.enqueue().id], by="olga")
    pass_time(590)
    pass_time(1000, results[0])
    status, text = health(capsys)
    assert (status, "problem: 2 tasks died in the last 600 s" in text) == (1, True)
    assert figures(capsys)[1]["recently_dead"] == 2
    assert health(capsys, "--dead-within", "500")[0] == 0
    assert health(capsys, "--dead-within", "0")[0] == 0
    pass_time(20)
    assert health(capsys)[0] == 0


def test_every_problem_is_told(capsys: Any) -> None:
    old = samples.echo.enqueue()
    run_task(samples.fail_for_good.enqueue().id)
    pass_time(400, old)
    status, text = health(capsys)
    assert (status, text.count("problem: ")) == (1, 3)


def test_it_sweeps_before_it_looks(capsys: Any, queues: Queues) -> None:
    """So a container whose supervisor died is still repaired, by its health check."""
    beat()
    queues("heavy", max_attempts=1)
    lost, last = claimed(samples.echo), claimed(samples.heavy)
    pass_time(61)
    before = figures(capsys, "--no-sweep")
    assert (before[0], before[1]["states"]["running"]) == (0, 2)
    assert not TaskAttempt.objects.exists()
    status, said = figures(capsys)
    assert (status, said["states"]["running"], said["recently_dead"]) == (1, 0, 1)
    assert row_of(str(lost.pk)).state == "waiting"
    assert row_of(str(last.pk)).state == "dead"


def test_looking_costs_the_same_for_many_tasks() -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            check_health(max_due_seconds=300, dead_seconds=600, worker=ME)
        return len(queries)

    few = statements()
    for _ in range(10):
        samples.echo.enqueue()
        run_task(samples.fail_for_good.enqueue().id)
    beat(100)
    busy(3)
    assert statements() == few
