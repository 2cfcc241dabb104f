"""Running tasks again, cancelling them, and deleting the rows of those that are long over."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from apps.tasks import services, tasks
from apps.tasks.models import BackgroundTask, Resending, TaskAttempt, WorkerPulse
from apps.tasks.runner import fail, record, run_task
from apps.tasks.services import cancel_tasks, prune_tasks, rerun_tasks
from tests.concurrency import at_once
from tests.tasks import samples
from tests.tasks.conftest import Outbox, Queues, claim, claimed, pass_time, row_of
from tests.tasks.databases import in_thread

DAY = 24 * 3600
OVER = ("successful", "dead", "cancelled")
LIVE = ("waiting", "due", "running", "abandoned")


def make(state: str) -> UUID:
    """A task in this state; one that is dead or waits has failed once before."""
    definition = samples.fail if state in ("dead", "waiting") else samples.echo
    result = definition.enqueue()
    if state == "cancelled":
        cancel_tasks(task_ids=[result.id], by="olga")
    elif state in ("running", "abandoned"):
        claim(result, "worker", lease=-1 if state == "abandoned" else 60)
    elif state == "waiting":
        assert run_task(result.id) == "retried"
    elif state == "dead":
        fail(claim(result, "worker"), samples.NoSuchPhoto("gone"))
    elif state == "successful":
        assert run_task(result.id) == "successful"
    assert row_of(result).state == state
    return UUID(result.id)


# --- Again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", OVER)
@pytest.mark.django_db
def test_what_is_over_is_run_again_with_all_its_attempts(state: str, queues: Queues) -> None:
    queues(max_attempts=2)
    task_id, other = make(state), make(state)
    Resending.objects.create(task_id=task_id, times=3, next_at=timezone.now())
    failed_before = TaskAttempt.objects.filter(task=task_id).count()
    assert rerun_tasks(task_ids=[task_id]) == 1
    row = row_of(str(task_id))
    assert (row.state, row.attempt - row.attempts_before) == ("due", 0)
    assert (row.started_at, row.finished_at, row.return_value) == (None, None, None)
    assert BackgroundTask.objects.filter(pk=task_id, return_value__isnull=True).exists()
    assert (row.exception_class_path, row.traceback) == ("", "")
    assert Resending.objects.get().times == 0
    assert row_of(str(other)).state == state
    BackgroundTask.objects.filter(pk=task_id).update(task_path="tests.tasks.samples.fail")
    assert run_task(str(task_id)) == "retried"
    pass_time(1000, str(task_id))
    assert run_task(str(task_id)) == "dead"
    # The errors of its earlier life stay.
    assert TaskAttempt.objects.filter(task=task_id).count() == failed_before + 2
    assert len(samples.fail.get_backend().get_result(str(task_id)).errors) == failed_before + 2


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.django_db
def test_what_waits_or_runs_is_not_started_anew(state: str) -> None:
    task_id = make(state)
    before = BackgroundTask.objects.filter(pk=task_id).values().get()
    assert rerun_tasks(task_ids=[task_id, uuid4()]) == 0
    assert BackgroundTask.objects.filter(pk=task_id).values().get() == before


@pytest.mark.usefixtures("committed")
def test_it_is_sent_with_the_callers_transaction(outbox: Outbox) -> None:
    ids = {make("dead"), make("successful")}
    outbox.take()
    with transaction.atomic():
        assert rerun_tasks(task_ids=ids) == 2
        assert not outbox.sent
        transaction.set_rollback(True)
    assert not outbox.sent
    assert {row_of(str(task_id)).state for task_id in ids} == {"dead", "successful"}
    with transaction.atomic():
        rerun_tasks(task_ids=ids)
        assert not outbox.sent
    assert set(outbox.ids) == {str(task_id) for task_id in ids}


@pytest.mark.usefixtures("committed")
def test_two_operators_at_once_run_it_again_once() -> None:
    ids = [make("dead") for _ in range(5)]

    def forth() -> int:
        return rerun_tasks(task_ids=ids)

    def back() -> int:
        return rerun_tasks(task_ids=ids[::-1])

    assert sum(at_once(forth, back, forth, back)) == 5


# --- No more -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.django_db
def test_what_waits_or_runs_is_cancelled(state: str) -> None:
    task_id, other = make(state), make(state)
    attempts = TaskAttempt.objects.count()
    assert cancel_tasks(task_ids=[task_id], by="olga") == 1
    row = row_of(str(task_id))
    assert (row.state, row.traceback) == ("cancelled", "Cancelled by olga.")
    assert row.finished_at is not None
    assert row_of(str(other)).state == state
    assert TaskAttempt.objects.count() == attempts
    assert run_task(str(task_id)) is None
    assert list(BackgroundTask.objects.cancelled()) == [row]
    assert not BackgroundTask.objects.dead().exists()
    result = samples.echo.get_backend().get_result(str(task_id))
    assert result.is_finished
    assert result.errors


@pytest.mark.parametrize("state", OVER)
@pytest.mark.django_db
def test_what_is_over_is_not_cancelled(state: str) -> None:
    task_id = make(state)
    before = BackgroundTask.objects.filter(pk=task_id).values().get()
    assert cancel_tasks(task_ids=[task_id, uuid4()], by="bob") == 0
    assert BackgroundTask.objects.filter(pk=task_id).values().get() == before


@pytest.mark.usefixtures("committed")
def test_of_an_operator_and_a_worker_at_once_one_has_the_last_word() -> None:
    for _ in range(10):
        row = claimed(samples.echo)

        def finish(task: BackgroundTask = row) -> Any:
            return record(task, "done", None)

        def cancel(task: BackgroundTask = row) -> Any:
            return cancel_tasks(task_ids=[task.pk], by="olga")

        ended, cancelled = at_once(finish, cancel)
        assert (ended, cancelled, row_of(str(row.pk)).state) in [
            ("successful", 0, "successful"),
            ("superseded", 1, "cancelled"),
        ]


# --- Long over -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "days"), [("successful", 7), ("dead", 90), ("cancelled", 90)])
@pytest.mark.django_db
def test_rows_are_kept_for_a_while(state: str, days: int) -> None:
    task_id, young = make(state), make(state)
    pass_time(days * DAY - 60)
    assert prune_tasks() == 0
    pass_time(120, str(task_id))
    assert prune_tasks() == 1
    assert [row.pk for row in BackgroundTask.objects.all()] == [young]


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.django_db
def test_what_is_not_over_is_kept_for_ever(state: str) -> None:
    make(state)
    pass_time(1000 * DAY)
    assert prune_tasks() == 0
    assert BackgroundTask.objects.count() == 1


@pytest.mark.django_db
def test_what_hangs_on_a_row_goes_with_it() -> None:
    gone, stays = make("dead"), make("dead")
    for task_id in (gone, stays):
        Resending.objects.create(task_id=task_id, times=1, next_at=timezone.now())
    pass_time(91 * DAY, str(gone))
    assert prune_tasks() == 1
    assert {attempt.task_id for attempt in TaskAttempt.objects.all()} == {stays}
    assert {note.task_id for note in Resending.objects.all()} == {stays}


@pytest.mark.django_db
def test_pulses_of_workers_that_are_gone_go_too() -> None:
    now = timezone.now()
    for name, hours in (("gone", 25), ("stopped", 23)):
        WorkerPulse.objects.create(name=name, beat_at=now - dt.timedelta(hours=hours))
    prune_tasks()
    assert [pulse.name for pulse in WorkerPulse.objects.all()] == ["stopped"]


@pytest.mark.parametrize("count", [1, 3, 4, 5, 6])
@pytest.mark.django_db
def test_more_than_a_batch(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(services, "_BATCH", 3)
    for _ in range(count):
        make("successful")
    stays = make("due")
    pass_time(8 * DAY)
    with CaptureQueriesContext(connection) as queries:
        assert prune_tasks() == count
    start = f'DELETE FROM "{DBTaskResult._meta.db_table}"'  # noqa: S608
    deletions = [query for query in queries if query["sql"].startswith(start)]
    assert len(deletions) == count // 3 + (count % 3 > 0)
    assert [row.pk for row in BackgroundTask.objects.all()] == [stays]


@pytest.mark.usefixtures("committed")
def test_a_row_that_is_in_use_is_left_to_the_next_time() -> None:
    busy, _ = make("successful"), make("successful")
    pass_time(8 * DAY)
    pruned: list[int] = []
    with transaction.atomic():
        BackgroundTask.objects.select_for_update().get(pk=busy)
        pruning = in_thread(lambda: pruned.append(prune_tasks()))
        pruning.join(10)
        assert pruned == [1]
    assert prune_tasks() == 1


@pytest.mark.usefixtures("committed")
def test_each_batch_is_committed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that leaves in the middle leaves what was done."""
    monkeypatch.setattr(services, "_BATCH", 2)
    for _ in range(4):
        make("successful")
    pass_time(8 * DAY)
    real = DBTaskResult.objects.filter
    calls: list[int] = []

    def leave(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionError("away")
        return real(*args, **kwargs)

    monkeypatch.setattr(DBTaskResult.objects, "filter", leave)
    with pytest.raises(ConnectionError):
        prune_tasks()
    assert BackgroundTask.objects.count() == 2


@pytest.mark.django_db
def test_the_task_that_prunes_says_how_many() -> None:
    make("successful")
    pass_time(8 * DAY)
    result = tasks.prune.enqueue()
    assert run_task(result.id) == "successful"
    result.refresh()
    assert result.return_value == {"tasks": 1, "idempotency_keys": 0, "rate_windows": 0}
