"""Running a task: once at a time, within its limits, and its end written whatever happens."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from logging import Formatter, LogRecord
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone
from django_tasks.exceptions import InvalidTaskError
from hypothesis import given
from hypothesis import strategies as st

from apps.common.request_id import RequestIdFilter, as_request
from apps.tasks import leases, runner, services
from apps.tasks.logs import TaskIdFilter, as_task
from apps.tasks.models import BackgroundTask, TaskAttempt, WorkerPulse
from apps.tasks.policies import QueuePolicy, policies, policy_of
from apps.tasks.runner import fail, record, run_due_tasks, run_task
from apps.tasks.services import enqueue_many
from apps.tasks.sweeper import sweep_tasks
from apps.tasks.worker import entry
from tests.concurrency import at_once
from tests.tasks import samples
from tests.tasks.conftest import Queues, claim, claimed, pass_time, row_of
from tests.tasks.databases import (
    Away,
    end_other_connections,
    forget_connection,
    in_thread,
    other_connection,
)

ROOT = Path(__file__).parents[2]


def errors_of(result: Any) -> list[tuple[int, str, bool]]:
    """The attempts that failed: number, class of the error, whether another one followed."""
    return [
        (attempt.number, attempt.error.rpartition(".")[2], attempt.retried)
        for attempt in TaskAttempt.objects.filter(task=row_of(result))
    ]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease is looked at often, and a database that is away is asked again soon."""
    monkeypatch.setattr(leases, "_LOOK", 0.05)
    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.05)


# --- The good way --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_run_and_its_result_kept() -> None:
    result = samples.echo.enqueue(1, two="둘")
    assert run_task(result.id) == "successful"
    row = row_of(result)
    assert (row.status, row.state, row.attempt) == ("SUCCESSFUL", "successful", 1)
    assert row.enqueued_at <= row.started_at <= row.finished_at <= timezone.now()
    assert (row.exception_class_path, row.traceback) == ("", "")
    result.refresh()
    assert result.return_value == {"args": [1], "kwargs": {"two": "둘"}}
    assert result.errors == []
    assert not TaskAttempt.objects.exists()


@pytest.mark.django_db
def test_a_result_of_nothing_is_none() -> None:
    result = samples.say.enqueue("x")
    run_task(result.id)
    assert BackgroundTask.objects.filter(return_value__isnull=True).count() == 1
    assert samples.say.get_result(result.id).return_value is None


@pytest.mark.django_db
def test_the_worker_is_named_host_process_and_attempt(settings: Any) -> None:
    settings.TASK_WORKER_NAME = "box-7"
    result = samples.fail_until.enqueue(2)
    assert run_task(result.id) == "retried"
    pass_time(1000)
    assert run_task(result.id) == "successful"
    names = row_of(result).worker_ids
    assert [name.rpartition(":")[0] for name in names] == [f"box-7:{os.getpid()}"] * 2
    assert len(set(names)) == 2


@pytest.mark.django_db
def test_with_its_context_it_knows_which_attempt_it_is() -> None:
    result = samples.with_context.enqueue("x")
    fail(claim(result, "gone"), ValueError())
    pass_time(1000)
    assert run_task(result.id) == "successful"
    assert samples.with_context.get_result(result.id).return_value == [2, result.id, "x"]


@pytest.mark.django_db
def test_there_is_nothing_to_claim(queues: Queues) -> None:
    queues(max_attempts=1)
    later = timezone.now() + dt.timedelta(minutes=1)
    over, dead, stopped = (
        samples.echo.enqueue(),
        samples.fail_for_good.enqueue(),
        samples.echo.enqueue(),
    )
    assert run_task(over.id) == "successful"
    assert run_task(dead.id) == "dead"
    services.cancel_tasks(task_ids=[stopped.id], by="olga")
    running = claimed(samples.echo)
    waiting = samples.echo.using(run_after=later).enqueue()
    before = list(BackgroundTask.objects.order_by("pk").values())
    for task_id in (over.id, dead.id, stopped.id, str(running.pk), waiting.id, str(uuid4())):
        assert run_task(task_id) is None
    assert list(BackgroundTask.objects.order_by("pk").values()) == before


@pytest.mark.django_db
def test_what_is_no_id_is_refused() -> None:
    with pytest.raises(ValueError, match="UUID"):
        run_task("1; DROP TABLE")


@pytest.mark.django_db
def test_all_that_is_due_most_urgent_and_oldest_first(tmp_path: Path) -> None:
    path = str(tmp_path / "lines")
    for name, priority in (("third", 0), ("fourth", 0), ("fifth", -5), ("first", 9), ("second", 9)):
        samples.write_line.using(priority=priority).enqueue(path, name)
    samples.write_line.using(run_after=timezone.now() + dt.timedelta(hours=1)).enqueue(path, "no")
    assert run_due_tasks() == 5
    assert Path(path).read_text().split() == ["first", "second", "third", "fourth", "fifth"]
    assert run_due_tasks() == 0


@pytest.mark.django_db
def test_of_some_queues_alone_and_more_than_a_hundred() -> None:
    enqueue_many(samples.echo, [[number] for number in range(130)])
    samples.heavy.enqueue()
    assert run_due_tasks({"default"}) == 130
    assert run_due_tasks({"push"}) == 0
    assert run_due_tasks() == 1


# --- One at a time -------------------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
def test_of_rivals_one_claims() -> None:
    for _ in range(10):
        result = samples.echo.enqueue()

        def call(task_id: str = result.id) -> str | None:
            return run_task(task_id)

        assert Counter(at_once(*[call] * 4)) == {"successful": 1, None: 3}
        assert row_of(result).attempt == 1


WORK = """
import django, sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from apps.tasks.runner import run_due_tasks
print("ready", flush=True)
sys.stdin.readline()
print(run_due_tasks(), flush=True)
"""


@pytest.mark.usefixtures("committed")
def test_four_processes_run_five_hundred_tasks_once_each(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    enqueue_many(samples.write_line, ([str(path), f"task-{number}"] for number in range(500)))
    database = connection.settings_dict["NAME"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "igloo.settings"}
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WORK, database],
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        ran = [int(process.stdout.readline()) for process in processes]
    assert sum(ran) == 500
    assert sorted(path.read_text().split()) == sorted(f"task-{number}" for number in range(500))
    assert {row.attempt for row in BackgroundTask.objects.all()} == {1}
    assert {row.status for row in BackgroundTask.objects.all()} == {"SUCCESSFUL"}


# --- An attempt that fails -----------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_tried_again_until_its_attempts_are_used_up(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    queues(max_attempts=3, backoff=8, backoff_cap=100)
    result = samples.fail.enqueue("no storage")
    for attempt, outcome in ((1, "retried"), (2, "retried"), (3, "dead")):
        assert run_task(result.id) == outcome
        assert run_task(result.id) is None
        assert row_of(result).attempt == attempt
        assert f"attempt {attempt} of 3 failed" in caplog.text
        pass_time(1000)
    assert run_task(result.id) is None
    row = row_of(result)
    assert (row.state, row.exception_class_path) == ("dead", "builtins.ValueError")
    assert row.finished_at is not None
    assert "ValueError: no storage" in row.traceback
    assert errors_of(result) == [
        (1, "ValueError", True),
        (2, "ValueError", True),
        (3, "ValueError", False),
    ]
    assert caplog.text.count("ValueError: no storage") == 3


@pytest.mark.parametrize("asynchronously", [False, True])
@pytest.mark.usefixtures("committed")
def test_the_errors_of_all_attempts_are_kept(asynchronously: bool) -> None:
    result = samples.fail_until.enqueue(3)
    for _ in range(3):
        run_task(result.id)
        pass_time(1000)
    definition = samples.fail_until
    found = (
        async_to_sync(definition.aget_result)(result.id)
        if asynchronously
        else definition.get_result(result.id)
    )
    assert found.return_value == "at last"
    assert [error.exception_class for error in found.errors] == [ValueError, ValueError]
    assert [error.traceback.strip().splitlines()[-1] for error in found.errors] == [
        "ValueError: attempt 1",
        "ValueError: attempt 2",
    ]
    attempts = list(TaskAttempt.objects.all())
    assert [attempt.worker for attempt in attempts] == row_of(result).worker_ids[:2]
    assert all(attempt.started_at <= attempt.ended_at for attempt in attempts)


@pytest.mark.django_db
def test_an_error_that_is_permanent_is_not_tried_again() -> None:
    result = samples.fail_for_good.enqueue()
    assert run_task(result.id) == "dead"
    assert errors_of(result) == [(1, "NoSuchPhoto", False)]
    row = row_of(result)
    assert (row.state, row.exception_class_path) == ("dead", "tests.tasks.samples.NoSuchPhoto")


@pytest.mark.parametrize("name", samples.UNSTORABLE)
@pytest.mark.django_db
def test_a_result_that_can_not_be_kept_is_a_permanent_error(name: str) -> None:
    """The work is done; doing it again would end the same."""
    result = samples.give.enqueue(name)
    with transaction.atomic():
        assert run_task(result.id) == "dead"
    assert errors_of(result) == [(1, "UnstorableResult", False)]


@pytest.mark.django_db
def test_an_error_whose_text_no_database_takes() -> None:
    result = samples.fail_with_text_that_no_database_takes.enqueue()
    with transaction.atomic():
        assert run_task(result.id) == "retried"
    assert errors_of(result) == [(1, "ValueError", True)]
    assert "ValueError: \\0 " in row_of(result).traceback


@pytest.mark.parametrize(
    ("definition", "error"), [(samples.leave, "SystemExit"), (samples.be_cancelled, "Cancelled")]
)
@pytest.mark.django_db
def test_what_is_no_exception_is_a_failed_attempt_too(definition: Any, error: str) -> None:
    result = definition.enqueue()
    assert run_task(result.id) == "retried"
    [(number, name, retried)] = errors_of(result)
    assert (number, name.startswith(error), retried) == (1, True, True)


@pytest.mark.django_db
def test_a_long_traceback_keeps_its_end() -> None:
    result = samples.fail.enqueue("x" * 50_000 + " the end")
    run_task(result.id)
    [attempt] = TaskAttempt.objects.all()
    assert len(attempt.traceback) == len(row_of(result).traceback) == 20_000
    assert attempt.traceback.endswith("x the end\n")


@pytest.mark.parametrize("path", ["tests.tasks.gone.echo", "tests.tasks.samples.gone", "gone"])
@pytest.mark.django_db
def test_a_task_that_this_version_lacks_is_tried_again(path: str) -> None:
    """Of two versions during a deploy, one has it."""
    result = samples.echo.enqueue()
    BackgroundTask.objects.update(task_path=path)
    assert run_task(result.id) == "retried"
    [(_, error, _)] = errors_of(result)
    assert error in ("ImportError", "ModuleNotFoundError")
    pass_time(1000)
    BackgroundTask.objects.update(task_path="tests.tasks.samples.echo")
    assert run_task(result.id) == "successful"


@pytest.mark.django_db
def test_a_path_that_leads_to_no_task_is_a_permanent_error() -> None:
    """A row may be forged; what it names is not called."""
    result = samples.echo.enqueue("rm -rf /")
    BackgroundTask.objects.update(task_path="os.system")
    assert run_task(result.id) == "dead"
    assert errors_of(result) == [(1, "PermanentError", False)]


@pytest.mark.django_db
def test_wrong_arguments_are_an_error_of_the_task() -> None:
    result = samples.say.enqueue("one", "too many")
    assert run_task(result.id) == "retried"
    assert errors_of(result) == [(1, "TypeError", True)]


# --- Backoff -------------------------------------------------------------------------------------


def policy(**changes: Any) -> QueuePolicy:
    """One with round figures."""
    figures: dict[str, Any] = {
        "transport": "djangoq",
        "lease": 60,
        "time_limit": 60,
        "max_attempts": 5,
        "backoff": 10,
        "backoff_cap": 900,
        "resend_after": 60,
    }
    return QueuePolicy(**(figures | changes))


@given(
    attempt=st.integers(1, 10_000),
    backoff=st.floats(0.001, 1e5),
    beyond=st.floats(1, 1e4),
)
def test_the_pause_doubles_up_to_its_cap(attempt: int, backoff: float, beyond: float) -> None:
    cap = backoff * beyond
    pause = policy(backoff=backoff, backoff_cap=cap).pause_after(attempt).total_seconds()
    whole = cap if attempt > 40 else min(cap, backoff * 2 ** (attempt - 1))
    assert whole / 2 - 1e-5 <= pause <= whole + 1e-5


def test_pauses_differ() -> None:
    assert len({policy().pause_after(3) for _ in range(20)}) > 10


@pytest.mark.parametrize(("attempt", "most"), [(1, 8), (2, 16), (3, 20)])
@pytest.mark.django_db
def test_the_next_attempt_is_due_after_the_pause(queues: Queues, attempt: int, most: int) -> None:
    queues(backoff=8, backoff_cap=20, max_attempts=10)
    result = samples.fail.enqueue()
    BackgroundTask.objects.update(worker_ids=["before"] * (attempt - 1))
    before = timezone.now()
    assert run_task(result.id) == "retried"
    row = row_of(result)
    assert before + dt.timedelta(seconds=most / 2) <= row.run_after
    assert row.run_after <= timezone.now() + dt.timedelta(seconds=most)
    assert row.state == "waiting"
    assert row.finished_at is None


@pytest.mark.django_db
def test_a_queue_that_is_gone_has_the_policy_of_default(settings: Any) -> None:
    result = samples.echo.enqueue()
    BackgroundTask.objects.update(queue_name="of-last-year")
    assert policy_of("of-last-year") == policies()["default"] != policies()["media"]
    row = claim(result, "first", lease=settings.TASK_QUEUES["default"]["lease"])
    assert row.state == "running"
    assert record(row, 1, None) == "successful"


@pytest.mark.parametrize(("queue", "lease"), [("default", 100), ("heavy", 300), ("gone", 100)])
@pytest.mark.django_db
def test_the_lease_is_the_queues(queue: str, lease: int) -> None:
    result = samples.echo.enqueue()
    BackgroundTask.objects.update(queue_name=queue)
    before = timezone.now()
    row = BackgroundTask.objects.all().claim(result.id, "w", {"default": 100, "heavy": 300})
    length = dt.timedelta(seconds=lease)
    assert before + length <= row.run_after <= timezone.now() + length


# --- The time limit ------------------------------------------------------------------------------


@pytest.mark.parametrize("definition", [samples.wait, samples.wait_stubbornly])
@pytest.mark.usefixtures("committed")
def test_what_takes_too_long_is_interrupted_and_tried_again(
    definition: Any, queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    queues(time_limit=0.3, max_attempts=2)
    result = definition.enqueue()
    assert run_task(result.id) == "retried"
    assert "longer than 0.3 s" in row_of(result).traceback
    pass_time(1000)
    assert run_task(result.id) == "dead"
    assert [error for _, error, _ in errors_of(result)] == ["TimeLimitExceeded"] * 2
    assert "held" not in caplog.text


@pytest.mark.usefixtures("committed")
def test_what_it_had_begun_to_write_is_undone(queues: Queues) -> None:
    queues(time_limit=0.3)
    result = samples.wait_in_a_transaction.enqueue("never said")
    assert run_task(result.id) == "retried"
    assert [str(row.pk) for row in BackgroundTask.objects.all()] == [result.id]
    assert connection.get_autocommit()
    assert run_task(samples.echo.enqueue().id) == "successful"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "method", ["cursor", "set_autocommit", "savepoint", "savepoint_commit", "commit"]
)
@pytest.mark.usefixtures("committed")
def test_wherever_it_was_in_a_transaction_the_end_is_written_and_the_process_can_go_on(
    method: str, when: str
) -> None:
    """Django's own state of the connection may be half-way then; a worker has more tasks to run."""
    result, following = samples.be_interrupted.enqueue(method, when), samples.echo.enqueue()
    try:
        outcomes = run_task(result.id), run_task(following.id)
        with other_connection() as cursor:
            cursor.execute(
                "SELECT status, exception_class_path FROM django_tasks_database_dbtaskresult "
                "ORDER BY id"
            )
            written = cursor.fetchall()
    finally:
        forget_connection()
    assert outcomes == ("retried", "successful")
    assert written == [("READY", "apps.tasks.errors.TimeLimitExceeded"), ("SUCCESSFUL", "")]


@pytest.mark.parametrize(("method", "when"), [("set_autocommit", "after"), ("commit", "before")])
@pytest.mark.usefixtures("committed")
def test_a_task_that_ignores_its_interruption_has_its_end_written_too(
    method: str, when: str
) -> None:
    result = samples.be_interrupted_and_ignore_it.enqueue(method, when)
    following = samples.echo.enqueue()
    try:
        outcomes = run_task(result.id), run_task(following.id)
        with other_connection() as cursor:
            cursor.execute("SELECT status FROM django_tasks_database_dbtaskresult ORDER BY id")
            [(first,), (second,)] = cursor.fetchall()
    finally:
        forget_connection()
    assert outcomes[0] == {"SUCCESSFUL": "successful", "READY": "retried"}[first]
    assert (outcomes[1], second) == ("successful", "SUCCESSFUL")


@pytest.mark.django_db
def test_in_a_callers_transaction_an_interruption_leaves_the_callers_connection(
    queues: Queues,
) -> None:
    queues(time_limit=0.2)
    result = samples.wait_in_a_transaction.enqueue("never said")
    assert run_task(result.id) == "retried"
    assert [str(row.pk) for row in BackgroundTask.objects.all()] == [result.id]
    assert errors_of(result) == [(1, "TimeLimitExceeded", True)]


@pytest.mark.usefixtures("committed")
def test_an_async_task_does_not_go_on_after_it_was_interrupted(
    queues: Queues, tmp_path: Path
) -> None:
    """The next attempt may be running by then. To refuse such tasks will do, too."""
    queues(time_limit=0.2)
    path = tmp_path / "lines"
    before = set(threading.enumerate())
    with suppress(InvalidTaskError):
        from tests.tasks.async_samples import wait_and_write

        result = wait_and_write.enqueue(str(path), 0.6)
        assert run_task(result.id) == "retried"
    for thread in set(threading.enumerate()) - before:
        if thread.name != "leases":
            thread.join(5)
    assert not path.exists()


@pytest.mark.usefixtures("committed")
def test_a_task_within_its_limit_is_left_alone_and_so_is_what_comes_after(queues: Queues) -> None:
    queues(time_limit=30)
    before = signal.getsignal(signal.SIGALRM)
    assert run_task(samples.echo.enqueue().id) == "successful"
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.usefixtures("committed")
def test_a_task_that_runs_another_inline_keeps_its_own_limit(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues(transport="inline", time_limit=0.3)
    monkeypatch.setattr(
        samples, "wait_for_interruption", lambda: threading.Event().wait(3)
    )  # so that a failure does not take half a minute
    samples.run_another_at_once.enqueue()
    [error] = TaskAttempt.objects.values_list("error", flat=True)
    assert error.endswith("TimeLimitExceeded")


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


# --- The lease -----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["main thread", "another thread"])
@pytest.mark.usefixtures("committed")
def test_a_task_longer_than_its_lease_runs_once_though_it_is_swept_all_the_time(
    where: str, queues: Queues
) -> None:
    queues(lease=1.2, time_limit=20)
    result = samples.outlive_the_first_lease.enqueue()
    stop, sweeps = threading.Event(), []

    def sweep() -> None:
        while not row_of(result).attempt:
            stop.wait(0.02)
        while not stop.is_set():
            sweeps.append(sweep_tasks())
            sweeps.append(run_due_tasks())
            stop.wait(0.05)

    sweeping = in_thread(sweep)
    try:
        if where == "main thread":
            run_task(result.id)
        else:
            in_thread(lambda: run_task(result.id)).join()
    finally:
        stop.set()
        sweeping.join()
    assert len(sweeps) > 4
    row = row_of(result)
    assert (row.state, row.attempt, row.return_value) == ("successful", 1, "done")
    assert not TaskAttempt.objects.exists()


@pytest.mark.usefixtures("committed")
def test_the_lease_is_no_longer_renewed_beyond_the_time_limit() -> None:
    """What nothing can interrupt, here in a thread, is taken for dead in the end."""
    row = claim(samples.echo.enqueue(), "first", lease=0.6)
    states = []

    def run() -> None:
        with leases.leased(leases.Lease(row, policy(lease=0.6, time_limit=0.5))):
            assert wait_until(lambda: row_of(str(row.pk)).state == "abandoned")
            states.append("abandoned")

    in_thread(run).join()
    assert states
    assert row_of(str(row.pk)).run_after > row.run_after  # renewed, until then


@pytest.mark.usefixtures("committed")
def test_a_lease_that_can_not_be_renewed_for_a_while_is_renewed_later() -> None:
    """After a failover the old writer says that it is read-only, which is no OperationalError."""
    row = claim(samples.echo.enqueue(), "first", lease=60)
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    try:
        with other_connection() as cursor, leases.leased(leases.Lease(row, policy(lease=0.6))):
            try:
                # For connections to come: the thread that renews makes one each time.
                cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
                threading.Event().wait(0.6)
                assert row_of(str(row.pk)).run_after == row.run_after
            finally:
                cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            assert wait_until(lambda: row_of(str(row.pk)).run_after != row.run_after, 2)
    finally:
        end_other_connections()


@pytest.mark.parametrize("then", ["wait", "go on"])
@pytest.mark.usefixtures("committed")
def test_a_run_that_lost_its_lease_changes_nothing_more(
    then: str, queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    queues(lease=0.5, time_limit=100)
    result = samples.lose_the_lease.enqueue(then)
    assert run_task(result.id) == "superseded"
    row = row_of(result)
    assert (row.status, row.exception_class_path.rpartition(".")[2]) == ("READY", "LeaseExpired")
    assert row.return_value is None
    assert not TaskAttempt.objects.exists()
    assert ("lease lost" in caplog.text) == (then == "wait")


@pytest.mark.parametrize("then", ["wait", "go on", "fail"])
@pytest.mark.usefixtures("committed")
def test_cancelled_while_it_runs_it_stays_cancelled(then: str, queues: Queues) -> None:
    queues(lease=0.5, time_limit=100)
    result = samples.cancel_itself.enqueue(then)
    assert run_task(result.id) == "superseded"
    row = row_of(result)
    assert (row.state, row.traceback) == ("cancelled", "Cancelled by olga.")
    assert row.return_value is None
    assert not TaskAttempt.objects.exists()


@pytest.mark.parametrize("error", [None, ValueError("late")])
@pytest.mark.parametrize("second_is", ["running", "successful", "retried", "rerun"])
@pytest.mark.django_db
def test_a_zombie_writes_nothing(second_is: str, error: Exception | None, queues: Queues) -> None:
    zombie = claimed(samples.echo, worker="zombie")
    pass_time(1000)
    assert sweep_tasks().freed == 1
    pass_time(1000)
    second = claim(str(zombie.pk), "second")
    if second_is == "retried":
        assert fail(second, ValueError()) == "retried"
    elif second_is != "running":
        assert record(second, "second", None) == "successful"
    if second_is == "rerun":
        assert services.rerun_tasks(task_ids=[zombie.pk]) == 1
        claim(str(zombie.pk), "third")
    before = [
        list(BackgroundTask.objects.values()),
        list(TaskAttempt.objects.values()),
    ]
    assert record(zombie, "zombie", error) == "superseded"
    assert [list(BackgroundTask.objects.values()), list(TaskAttempt.objects.values())] == before


# --- A database that is away ---------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
def test_the_end_is_written_though_the_connection_was_cut() -> None:
    result = samples.lose_the_database.enqueue()
    assert run_task(result.id) == "successful"
    row = row_of(result)
    assert (row.state, row.attempt, row.return_value) == ("successful", 1, "done")


@pytest.mark.usefixtures("committed")
def test_a_failure_is_written_though_the_connection_was_cut() -> None:
    result = samples.lose_the_database_and_fail.enqueue()
    assert run_task(result.id) == "retried"
    assert errors_of(result) == [(1, "ValueError", True)]


@pytest.mark.usefixtures("committed")
def test_a_task_is_claimed_though_the_connection_was_cut() -> None:
    result = samples.echo.enqueue()
    samples.lose_the_database.func()
    assert run_task(result.id) == "successful"


def test_a_database_that_comes_back_in_time_is_waited_for(
    away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    row = claimed(samples.echo)
    away.leave()
    back = threading.Timer(0.4, away.come_back)
    back.start()
    assert runner._while_database_returns(lambda: record(row, 1, None), 30) == "successful"
    back.join()
    assert "the database is away, trying again" in caplog.text
    assert row_of(str(row.pk)).state == "successful"


def test_a_database_that_stays_away_is_given_up(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_CLAIM_SECONDS", 0.2)
    result = samples.echo.enqueue()
    away.leave()
    with pytest.raises((DatabaseError, InterfaceError)):
        run_task(result.id)
    entry.run(result.id)  # a worker lets go of it
    away.come_back()
    connection.close()
    assert row_of(result).state == "due"


@pytest.mark.django_db
def test_in_a_callers_transaction_nothing_is_waited_for() -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")

    with pytest.raises(DatabaseError), transaction.atomic():
        runner._while_database_returns(work, 30)
    assert len(calls) == 1


# --- The log -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_log_lines_tell_the_task_and_the_request_that_caused_it(
    task_log: pytest.LogCaptureFixture,
) -> None:
    with as_request("request-of-alice"):
        said, failed = samples.say.enqueue("안녕하세요"), samples.fail.enqueue()
    assert run_due_tasks() == 2
    lines: dict[str, set[str]] = {}
    for record_ in task_log.records:
        lines.setdefault(record_.task_id, set()).add(record_.getMessage().partition(":")[0])  # type: ignore[attr-defined]
        assert record_.request_id == "request-of-alice"  # type: ignore[attr-defined]
    assert lines == {
        said.id: {"안녕하세요", "tests.tasks.samples.say"},
        failed.id: {"tests.tasks.samples.fail"},
    }


@pytest.mark.django_db
def test_the_request_goes_with_what_the_task_enqueues(task_log: pytest.LogCaptureFixture) -> None:
    with as_request("request-of-alice"):
        samples.pass_on.enqueue("anew")
    assert run_due_tasks() == 2
    [line] = [line for line in task_log.records if line.getMessage() == "anew"]
    assert line.request_id == "request-of-alice"  # type: ignore[attr-defined]
    samples.say.enqueue("outside")
    run_due_tasks()
    [line] = [line for line in task_log.records if line.getMessage() == "outside"]
    assert line.request_id == "-"  # type: ignore[attr-defined]


def test_outside_of_a_task_there_is_no_id(task_log: pytest.LogCaptureFixture) -> None:
    runner.logger.info("idle")
    [line] = task_log.records
    assert line.task_id == "-"  # type: ignore[attr-defined]


@pytest.mark.parametrize("lines", ["task", "no task"])
def test_the_console_says_both(lines: str, settings: Any) -> None:
    record_ = LogRecord("apps.tasks", 20, "", 1, "said", None, None)
    with ExitStack() as stack:
        if lines == "task":
            stack.enter_context(as_task("the-task", "the-request"))
        for each in (RequestIdFilter(), TaskIdFilter()):
            assert each.filter(record_)
    said = Formatter(settings.LOGGING["formatters"]["line"]["format"]).format(record_)
    assert ("[the-request the-task]" if lines == "task" else "[- -]") in said
    console = settings.LOGGING["handlers"]["console"]
    assert set(console["filters"]) == {"request_id", "task_id"}


# --- What a worker's process calls ---------------------------------------------------------------


@pytest.mark.django_db
def test_a_worker_that_is_to_end_begins_nothing_more() -> None:
    result = samples.echo.enqueue()
    entry.stopping.set()
    try:
        entry.run(result.id)
    finally:
        entry.stopping.clear()
    assert row_of(result).state == "due"
    entry.run(result.id)
    assert row_of(result).state == "successful"


@pytest.mark.django_db
def test_a_worker_shows_that_it_lives_now_and_then(
    settings: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    settings.TASK_WORKER_NAME = "box-7"
    monkeypatch.setattr(entry, "_beat_due", 0.0)
    entry.beat()
    pulse = WorkerPulse.objects.get(name="box-7")
    with django_assert_num_queries(0):
        entry.beat()
    monkeypatch.setattr(entry, "_beat_due", 0.0)
    entry.run(samples.echo.enqueue().id)
    assert WorkerPulse.objects.get().beat_at > pulse.beat_at


@pytest.mark.usefixtures("committed")
def test_a_pulse_that_can_not_be_written_fails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_beat_due", 0.0)
    result = samples.echo.enqueue()
    samples.lose_the_database.func()
    entry.run(result.id)
    assert row_of(result).state == "successful"


# --- manage.py run_task --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "said", "status"),
    [
        (samples.echo, "successful", None),
        (samples.fail, "retried", 1),
        (samples.fail_for_good, "dead", 1),
    ],
)
@pytest.mark.django_db
def test_the_command_runs_one_task(definition: Any, said: str, status: int | None, capsys) -> None:
    result, other = definition.enqueue(), samples.echo.enqueue()
    if status:
        with pytest.raises(SystemExit) as ended:
            call_command("run_task", result.id)
        assert ended.value.code == status
    else:
        call_command("run_task", result.id)
    assert capsys.readouterr().out == f"{said}\n"
    assert row_of(other).state == "due"


@pytest.mark.usefixtures("committed")
def test_the_command_of_a_run_that_was_superseded(capsys: Any) -> None:
    result = samples.cancel_itself.enqueue("go on")
    with pytest.raises(SystemExit):
        call_command("run_task", result.id)
    assert capsys.readouterr().out == "superseded\n"


@pytest.mark.django_db
def test_the_command_has_nothing_to_do(capsys: Any) -> None:
    call_command("run_task", str(uuid4()))
    assert capsys.readouterr().out.startswith("nothing to do")


@pytest.mark.django_db
def test_the_command_refuses_what_is_no_id() -> None:
    with pytest.raises(CommandError, match="x is not the id of a task"):
        call_command("run_task", "x")
