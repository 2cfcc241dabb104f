"""The sweep: tasks of workers that are gone are freed, and what nobody picked up is sent again."""

import datetime as dt
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.tasks import services, sweeper
from apps.tasks.errors import TransportError
from apps.tasks.models import BackgroundTask, Resending, TaskAttempt
from apps.tasks.runner import fail, record, run_task
from apps.tasks.services import enqueue_many
from apps.tasks.sweeper import Swept, sweep_tasks
from tests.concurrency import at_once
from tests.tasks import samples
from tests.tasks.conftest import Outbox, Queues, claim, claimed, pass_time, row_of
from tests.tasks.databases import in_thread

NOTHING = Swept(freed=0, dead=0, sent=0)


@pytest.fixture(autouse=True)
def _table(queues: Queues) -> None:
    """Nothing is to be sent, unless the test says so."""
    queues(transport="djangoq", resend_after=60, backoff=10, backoff_cap=900)


# --- Workers that are gone -----------------------------------------------------------------------


@pytest.mark.django_db
def test_there_is_nothing_to_sweep(caplog: pytest.LogCaptureFixture) -> None:
    assert sweep_tasks() == NOTHING
    samples.echo.enqueue()
    run_task(samples.echo.enqueue().id)
    run_task(samples.fail_for_good.enqueue().id)
    claimed(samples.echo)
    caplog.clear()
    before = list(BackgroundTask.objects.order_by("pk").values())
    assert sweep_tasks() == NOTHING
    assert list(BackgroundTask.objects.order_by("pk").values()) == before
    assert not caplog.records


@pytest.mark.django_db
def test_a_task_whose_lease_ran_out_waits_for_another_attempt(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    queues(lease=30)
    lost, live = claimed(samples.echo, worker="box-7:42:ab"), claimed(samples.echo)
    pass_time(59, str(lost.pk))
    assert sweep_tasks() == NOTHING
    pass_time(2, str(lost.pk))
    assert sweep_tasks() == Swept(freed=1, dead=0, sent=0)
    row = row_of(str(lost.pk))
    assert (row.status, row.state, row.worker_ids) == ("READY", "waiting", ["box-7:42:ab"])
    seconds = (row.run_after - timezone.now()).total_seconds()
    assert 4 <= seconds <= 10
    [attempt] = TaskAttempt.objects.all()
    assert (attempt.task_id, attempt.number, attempt.retried) == (lost.pk, 1, True)
    assert attempt.worker == "box-7:42:ab"
    assert attempt.error == row.exception_class_path == "apps.tasks.errors.LeaseExpired"
    assert "box-7:42:ab was not heard of for 30 s" in attempt.traceback
    assert row_of(str(live.pk)).state == "running"
    assert "swept: 1 freed, 0 dead, 0 sent" in caplog.text
    [error] = samples.echo.get_result(str(lost.pk)).errors
    assert error.exception_class.__name__ == "LeaseExpired"


@pytest.mark.django_db
def test_a_task_that_kills_its_worker_is_dead_after_its_attempts(queues: Queues) -> None:
    queues(max_attempts=3)
    result = samples.echo.enqueue()
    for attempt in (1, 2, 3):
        claim(result, f"worker {attempt}")
        pass_time(1000)
        assert sweep_tasks() == Swept(freed=attempt < 3, dead=attempt == 3, sent=0)
        pass_time(1000)
    row = row_of(result)
    assert (row.state, row.exception_class_path) == ("dead", "apps.tasks.errors.LeaseExpired")
    assert row.finished_at is not None
    numbers = TaskAttempt.objects.values_list("number", "worker", "retried")
    assert list(numbers) == [
        (1, "worker 1", True),
        (2, "worker 2", True),
        (3, "worker 3", False),
    ]
    assert sweep_tasks() == NOTHING
    assert run_task(result.id) is None


@pytest.mark.django_db
def test_each_queue_has_its_attempts(queues: Queues) -> None:
    queues("heavy", max_attempts=1)
    heavy, light = claimed(samples.heavy), claimed(samples.echo)
    pass_time(1000)
    assert sweep_tasks() == Swept(freed=1, dead=1, sent=0)
    states = (row_of(str(heavy.pk)).state, row_of(str(light.pk)).state)
    assert states == ("dead", "waiting")


@pytest.mark.django_db
def test_a_row_that_nobody_seems_to_have_claimed_does_not_stop_the_sweep() -> None:
    """One that was edited by hand, say: all others would wait for ever."""
    strange, lost = claimed(samples.echo), claimed(samples.echo)
    BackgroundTask.objects.filter(pk=strange.pk).update(worker_ids=[])
    pass_time(1000)
    assert sweep_tasks().freed == 2
    assert not BackgroundTask.objects.filter(pk__in=[strange.pk, lost.pk], status="RUNNING")


@pytest.mark.parametrize("count", [5, 6, 7])
@pytest.mark.django_db
def test_more_than_a_batch(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(sweeper, "_BATCH", 3)
    for _ in range(count):
        claimed(samples.echo)
    pass_time(1000)
    assert sweep_tasks().freed == count


@pytest.mark.django_db
def test_a_sweep_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "_BATCH", 2)
    monkeypatch.setattr(sweeper, "_MOST_BATCHES", 2)
    for _ in range(5):
        claimed(samples.echo)
    pass_time(1000)
    assert [sweep_tasks().freed for _ in range(3)] == [4, 1, 0]


@pytest.mark.usefixtures("committed")
def test_several_at_once_free_each_task_once() -> None:
    for _ in range(40):
        claimed(samples.echo)
    pass_time(1000)
    swept = at_once(*[sweep_tasks] * 4)
    assert sum(each.freed for each in swept) == 40
    per_task = Counter(TaskAttempt.objects.values_list("task", flat=True))
    assert len(per_task) == 40
    assert set(per_task.values()) == {1}


@pytest.mark.usefixtures("committed")
def test_a_task_that_someone_is_changing_is_left_to_the_next_sweep() -> None:
    busy, other = claimed(samples.echo), claimed(samples.echo)
    pass_time(1000)
    swept: list[Swept] = []
    with transaction.atomic():
        BackgroundTask.objects.select_for_update().get(pk=busy.pk)
        sweeping = in_thread(lambda: swept.append(sweep_tasks()))
        sweeping.join(10)
        assert swept == [Swept(freed=1, dead=0, sent=0)]
    assert row_of(str(other.pk)).status == "READY"
    assert sweep_tasks().freed == 1


@pytest.mark.usefixtures("committed")
def test_a_worker_that_ends_just_as_it_is_swept_has_an_end_or_another_attempt() -> None:
    for _ in range(10):
        row = claimed(samples.echo)
        pass_time(1000)

        def finish(task: BackgroundTask = row) -> Any:
            return record(task, "done", None)

        ended, swept = at_once(finish, sweep_tasks)
        state = row_of(str(row.pk)).state
        if ended == "successful":
            assert (swept.freed, state) == (0, "successful")
        else:
            assert (ended, swept.freed, state) == ("superseded", 1, "waiting")
        BackgroundTask.objects.all().delete()


# --- What nobody picked up -----------------------------------------------------------------------


@pytest.fixture
def sent(outbox: Outbox, queues: Queues) -> Outbox:
    """All queues are sent to it; what was sent as the test enqueued is not looked at."""
    queues(transport="zappa", resend_after=60)
    return outbox


def enqueued(outbox: Outbox, definition: Any = samples.echo, *args: Any) -> str:
    """A task that was sent, by its id."""
    result = definition.enqueue(*args)
    assert outbox.take() == [(result.id, 1)]
    return str(result.id)


@pytest.mark.usefixtures("committed")
def test_a_message_that_was_lost_is_sent_again_after_its_time(sent: Outbox) -> None:
    task_id = enqueued(sent)
    assert sweep_tasks() == NOTHING
    pass_time(59)
    assert sweep_tasks() == NOTHING
    pass_time(2)
    assert sweep_tasks() == Swept(freed=0, dead=0, sent=1)
    assert sent.take() == [(task_id, 1)]
    assert Resending.objects.get().times == 1


@pytest.mark.usefixtures("committed")
def test_each_further_time_comes_after_twice_as_long(sent: Outbox) -> None:
    task_id = enqueued(sent)
    pass_time(61)
    for times, pause in enumerate((60, 120, 240, 480), start=1):
        assert sweep_tasks().sent == 1
        assert sent.take() == [(task_id, 1)]
        assert Resending.objects.get().times == times
        pass_time(pause - 2)
        assert sweep_tasks() == NOTHING
        pass_time(4)


@pytest.mark.usefixtures("committed")
def test_pauses_do_not_grow_for_ever(sent: Outbox) -> None:
    task_id = enqueued(sent)
    Resending.objects.create(task_id=task_id, times=5000, next_at=timezone.now())
    assert sweep_tasks().sent == 1
    pause = Resending.objects.get().next_at - timezone.now()
    assert pause <= dt.timedelta(seconds=60 * 1024)


@pytest.mark.usefixtures("committed")
def test_a_task_for_later_is_sent_when_it_is_due(sent: Outbox) -> None:
    at = timezone.now() + dt.timedelta(seconds=30)
    result = samples.echo.using(run_after=at).enqueue()
    sent.take()
    assert sweep_tasks() == NOTHING
    pass_time(31)
    assert sweep_tasks().sent == 1
    assert sent.take() == [(result.id, 1)]
    # From here on like any other.
    pass_time(50)
    assert sweep_tasks() == NOTHING
    pass_time(20)
    assert sweep_tasks().sent == 1


@pytest.mark.usefixtures("committed")
def test_the_next_attempt_is_sent_when_it_is_due(sent: Outbox) -> None:
    task_id = enqueued(sent, samples.fail)
    assert run_task(task_id) == "retried"
    assert sweep_tasks() == NOTHING
    pass_time(11)
    assert sweep_tasks().sent == 1
    assert sent.take() == [(task_id, 2)]


@pytest.mark.usefixtures("committed")
def test_a_freed_task_is_sent_when_it_is_due(sent: Outbox) -> None:
    task_id = enqueued(sent)
    claim(task_id, "gone")
    pass_time(61)
    assert sweep_tasks() == Swept(freed=1, dead=0, sent=0)
    pass_time(11)
    assert sweep_tasks() == Swept(freed=0, dead=0, sent=1)
    assert sent.take() == [(task_id, 2)]


@pytest.mark.usefixtures("committed")
def test_the_note_of_sending_goes_with_the_attempt_that_it_asked_for(sent: Outbox) -> None:
    task_id = enqueued(sent, samples.fail)
    pass_time(61)
    for _ in range(3):
        sweep_tasks()
        pass_time(1000)
    sent.take()
    assert run_task(task_id) == "retried"
    assert Resending.objects.get().times == 0
    pass_time(11)
    assert sweep_tasks().sent == 1
    assert Resending.objects.get().times == 1


@pytest.mark.parametrize("state", ["running", "successful", "dead", "cancelled"])
@pytest.mark.usefixtures("committed")
def test_what_was_picked_up_is_not_sent_again(state: str, sent: Outbox) -> None:
    task_id = enqueued(sent)
    pass_time(61)
    assert sweep_tasks().sent == 1
    sent.take()
    if state == "cancelled":
        services.cancel_tasks(task_ids=[task_id], by="olga")
    else:
        row = claim(task_id, "w", lease=100_000)
        if state == "successful":
            record(row, 1, None)
        elif state == "dead":
            fail(row, samples.NoSuchPhoto())
    pass_time(10_000)
    assert row_of(task_id).state == state
    assert sweep_tasks() == NOTHING


@pytest.mark.usefixtures("committed")
def test_a_task_that_is_run_again_is_sent_once(sent: Outbox) -> None:
    task_id = enqueued(sent)
    assert run_task(task_id) == "successful"
    pass_time(10_000)
    services.rerun_tasks(task_ids=[task_id])
    assert sent.ids == [task_id]
    assert sweep_tasks() == NOTHING
    pass_time(61)
    assert sweep_tasks().sent == 1


@pytest.mark.usefixtures("committed")
def test_a_task_that_waited_for_its_callers_commit_is_not_sent_twice_at_once(sent: Outbox) -> None:
    """Its times are those of the statement that wrote it."""
    with transaction.atomic():
        result = samples.echo.enqueue()
        pass_time(10)
    assert sent.take() == [(result.id, 1)]
    assert sweep_tasks() == NOTHING


@pytest.mark.usefixtures("committed")
def test_what_the_transport_did_not_take_is_tried_again_and_does_not_count(sent: Outbox) -> None:
    sent.error = RuntimeError("away")
    task_id = str(samples.echo.enqueue().id)
    for _ in range(4):
        pass_time(61)
        assert sweep_tasks() == NOTHING
        assert Resending.objects.get().times == 0
        assert sweep_tasks() == NOTHING  # and not with each sweep
    calls = sent.calls
    assert calls == 5
    sent.error = None
    pass_time(61)
    assert sweep_tasks().sent == 1
    assert sent.take() == [(task_id, 1)]
    assert Resending.objects.get().times == 1


@pytest.mark.usefixtures("committed")
def test_of_a_batch_that_was_not_taken_whole_one_may_have_had_its_attempt(sent: Outbox) -> None:
    """Lambda took the first and refused the second: the first one may be at its next attempt."""
    first, second = enqueued(sent, samples.fail), enqueued(sent)
    pass_time(61)
    sent.error = TransportError("busy")
    sent.before = lambda: in_thread(lambda: run_task(first)).join()
    assert sweep_tasks() == NOTHING
    assert dict(Resending.objects.values_list("task", "times")) == {
        UUID(first): 0,
        UUID(second): 0,
    }
    sent.error, sent.before = None, lambda: None
    pass_time(61)
    assert sweep_tasks().sent == 2
    assert sorted(sent.take()) == [(first, 2), (second, 1)]


@pytest.mark.usefixtures("committed")
def test_a_transport_that_is_away_does_not_keep_other_queues_from_being_sent(
    sent: Outbox, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.tasks.transports import ecs

    away = Outbox(error=RuntimeError("away"))
    monkeypatch.setattr(ecs, "send", away.send)
    queues("default", transport="ecs")
    samples.echo.enqueue()
    heavy = enqueued(sent, samples.heavy)
    pass_time(61)
    assert sweep_tasks() == Swept(freed=0, dead=0, sent=1)
    assert (away.calls, sent.take()) == (2, [(heavy, 1)])


@pytest.mark.usefixtures("committed")
def test_workers_that_read_the_table_are_sent_nothing(queues: Queues, outbox: Outbox) -> None:
    queues(transport="djangoq")
    samples.echo.enqueue()
    pass_time(10_000)
    assert sweep_tasks() == NOTHING
    assert not Resending.objects.exists()


@pytest.mark.usefixtures("committed")
def test_the_oldest_are_sent_first_in_batches(
    sent: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "_BATCH", 3)
    ids = enqueue_many(samples.echo, [[number] for number in range(7)])
    sent.take()
    for age, task_id in enumerate(reversed(ids)):
        pass_time(100 + age, task_id)
    calls = sent.calls
    assert sweep_tasks().sent == 7
    assert sent.ids == ids
    assert sent.calls == calls + 3
    assert set(Resending.objects.values_list("times", flat=True)) == {1}


@pytest.mark.usefixtures("committed")
def test_a_sweep_costs_as_many_statements_for_many_as_for_few(sent: Outbox) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            sweep_tasks()
        return len(queries)

    few = 0
    for count in (1, 10):
        ids = enqueue_many(samples.echo, [[number] for number in range(count)])
        sent.take()
        pass_time(61)
        statement_count = statements()
        assert sorted(sent.ids) == sorted(ids)
        assert few in (0, statement_count)
        few = statement_count
        BackgroundTask.objects.all().delete()


@pytest.mark.usefixtures("committed")
def test_it_is_sent_after_it_was_noted_and_committed(sent: Outbox) -> None:
    """A sweeper that dies as it sends leaves a note that holds the next ones back for a while."""
    enqueued(sent)
    pass_time(61)
    seen: list[int] = []
    sent.before = lambda: in_thread(lambda: seen.append(Resending.objects.get().times)).join()
    assert sweep_tasks().sent == 1
    assert seen == [1]


@pytest.mark.usefixtures("committed")
def test_several_sweepers_at_once_lose_nothing(sent: Outbox) -> None:
    ids = enqueue_many(samples.echo, [[number] for number in range(40)])
    sent.take()
    pass_time(61)
    at_once(*[sweep_tasks] * 4)
    # Twice would do no harm, but is the exception.
    assert set(sent.ids) == set(ids)
    assert Resending.objects.count() == 40
    assert sweep_tasks() == NOTHING


@pytest.mark.usefixtures("committed")
def test_a_task_of_a_queue_that_is_gone_is_sent_as_those_of_default(sent: Outbox) -> None:
    task_id = enqueued(sent)
    BackgroundTask.objects.update(queue_name="of-last-year")
    pass_time(61)
    assert sweep_tasks().sent == 1
    assert sent.take() == [(task_id, 1)]


@pytest.mark.usefixtures("committed")
def test_inline_tasks_that_wait_for_another_attempt_are_run_by_the_sweeper(queues: Queues) -> None:
    queues(transport="inline")
    result = samples.fail_until.enqueue(2)
    assert row_of(result).state == "waiting"
    pass_time(11)
    assert sweep_tasks().sent == 1
    assert row_of(result).state == "successful"


# --- Containers ----------------------------------------------------------------------------------


@pytest.fixture
def containers(sent: Outbox, queues: Queues) -> Outbox:
    """ECS, which starts one container for each token: an id and an attempt."""
    queues(transport="ecs", resend_after=600, max_attempts=3)
    return sent


@pytest.mark.usefixtures("committed")
def test_a_container_that_never_began_counts_as_an_attempt(containers: Outbox) -> None:
    task_id = enqueued(containers, samples.heavy)
    pass_time(601)
    # The same token: should ECS have lost the first call, it starts one now.
    assert sweep_tasks().sent == 1
    assert containers.take() == [(task_id, 1)]
    pass_time(601)
    assert sweep_tasks() == NOTHING
    row = row_of(task_id)
    assert (row.state, row.attempt) == ("waiting", 1)
    [attempt] = TaskAttempt.objects.all()
    assert (attempt.number, attempt.error) == (1, "apps.tasks.errors.NeverStarted")
    assert attempt.worker.startswith("never-started:")
    pass_time(100)
    assert sweep_tasks().sent == 1
    assert containers.take() == [(task_id, 2)]


@pytest.mark.usefixtures("committed")
def test_containers_that_never_begin_end_in_a_dead_task(containers: Outbox) -> None:
    task_id = enqueued(containers, samples.heavy)
    tokens = [(task_id, 1)]
    for _ in range(20):
        pass_time(601)
        sweep_tasks()
        tokens += containers.take()
    assert row_of(task_id).state == "dead"
    errors = TaskAttempt.objects.values_list("error", flat=True)
    assert set(errors) == {"apps.tasks.errors.NeverStarted"}
    assert TaskAttempt.objects.count() == 3
    assert {attempt for _, attempt in tokens} == {1, 2, 3}


@pytest.mark.usefixtures("committed")
def test_what_ecs_did_not_take_is_no_attempt(containers: Outbox) -> None:
    containers.error = RuntimeError("no capacity")
    task_id = str(samples.heavy.enqueue().id)
    for _ in range(5):
        pass_time(601)
        assert sweep_tasks() == NOTHING
    assert (row_of(task_id).attempt, TaskAttempt.objects.count()) == (0, 0)


@pytest.mark.usefixtures("committed")
def test_a_container_that_comes_late_finds_nothing_to_do(containers: Outbox) -> None:
    task_id = enqueued(containers, samples.heavy)
    for _ in range(2):
        pass_time(601)
        sweep_tasks()
    assert row_of(task_id).attempt == 1
    assert run_task(task_id) is None


@pytest.mark.usefixtures("committed")
def test_a_lost_message_of_another_transport_is_no_attempt(sent: Outbox) -> None:
    task_id = enqueued(sent)
    for _ in range(5):
        pass_time(10_000)
        assert sweep_tasks().sent == 1
    assert row_of(task_id).attempt == 0


@pytest.mark.usefixtures("committed")
def test_a_container_for_later_is_started_when_it_is_due(containers: Outbox) -> None:
    """Had the token been used before, ECS would start nothing for it."""
    at = timezone.now() + dt.timedelta(seconds=30)
    result = samples.heavy.using(run_after=at).enqueue()
    before = containers.take()
    pass_time(31)
    sweep_tasks()
    assert (before, containers.take()) == ([], [(result.id, 1)])


# --- manage.py sweep_tasks -----------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
def test_the_command_says_what_it_did(
    sent: Outbox, queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    queues("heavy", max_attempts=1)
    for definition in (samples.echo, samples.echo, samples.heavy):
        claimed(definition)
    samples.echo.enqueue()
    pass_time(1000)
    call_command("sweep_tasks")
    assert capsys.readouterr().out == "2 freed, 1 dead, 1 sent\n"
    call_command("sweep_tasks")
    assert capsys.readouterr().out == "0 freed, 0 dead, 0 sent\n"
