"""The brokers of the Django-Q cluster: the task table as a queue, and the signs of life."""

import datetime as dt
import pickle
import time
from itertools import chain
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

from apps.tasks import periodic
from apps.tasks.models import BackgroundTask, WorkerPulse
from apps.tasks.runner import fail, record, run_task
from apps.tasks.services import enqueue_many
from apps.tasks.worker import brokers, entry
from apps.tasks.worker.brokers import TableBroker
from apps.tasks.worker.messages import message
from tests.tasks import samples
from tests.tasks.conftest import Queues, claim, pass_time, row_of
from tests.tasks.databases import Away, end_connection, other_connection
from tests.tasks.test_transports import packages, work_off

# A broker closes connections that a transaction is open on.
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, queues: Queues) -> None:
    """An empty table is not waited for."""
    monkeypatch.setattr(Conf, "POLL", 0)
    queues(transport="djangoq")


def ids(messages: Any) -> list[str]:
    """Of the tasks that were handed over."""
    return [package["args"][0] for package in packages(messages)]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts the process's clock forward."""
    ahead = 0.0

    def move(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    clock = SimpleNamespace(sleep=time.sleep, monotonic=lambda: time.monotonic() + ahead)
    monkeypatch.setattr(brokers, "time", clock)

    return move


# --- The table -----------------------------------------------------------------------------------


def test_the_table_is_what_a_cluster_takes_by_default() -> None:
    assert isinstance(get_broker(), TableBroker)
    broker = get_broker()
    assert broker.ping() is True
    assert broker.info() == "igloo's task table"


def test_a_message_runs_the_task(settings: Any) -> None:
    result = samples.echo.enqueue(1)
    [package] = packages(TableBroker().dequeue())
    assert package["args"] == (result.id,)
    # Nothing of it is kept or brought again by Django-Q, which kills what outlives its limit.
    assert (package["save"], package["ack_failure"]) == (False, True)
    assert package["timeout"] == settings.TASK_QUEUES["default"]["time_limit"] + 15
    work_off(package)
    assert row_of(result).state == "successful"


def test_each_queue_has_its_time(settings: Any) -> None:
    samples.heavy.enqueue()
    [package] = packages(TableBroker().dequeue())
    assert package["timeout"] == settings.TASK_QUEUES["heavy"]["time_limit"] + 15
    assert package["timeout"] < Conf.RETRY


def test_only_what_is_due_is_handed_over() -> None:
    at = timezone.now() + dt.timedelta(minutes=1)
    over, failed = samples.echo.enqueue(), samples.fail_for_good.enqueue()
    run_task(over.id)
    run_task(failed.id)
    claim(samples.echo.enqueue(), "other")
    waiting = samples.echo.using(run_after=at).enqueue()
    due = samples.echo.enqueue()
    broker = TableBroker()
    assert ids(broker.dequeue()) == [due.id]
    pass_time(61, waiting)
    assert ids(broker.dequeue()) == [waiting.id]


def test_most_urgent_and_oldest_first() -> None:
    low = samples.echo.using(priority=-1).enqueue()
    young, old = samples.echo.enqueue(), samples.echo.enqueue()
    pass_time(10, old)
    high = samples.echo.using(priority=1).enqueue()
    assert ids(TableBroker().dequeue()) == [high.id, old.id, young.id, low.id]


def test_only_the_queues_of_the_cluster(queues: Queues) -> None:
    samples.heavy.enqueue()
    mine = samples.echo.enqueue()
    queues("heavy", transport="ecs")
    assert ids(TableBroker().dequeue()) == [mine.id]


def test_a_queue_that_is_gone_is_worked_off_as_default_is(queues: Queues) -> None:
    result = samples.echo.enqueue()
    BackgroundTask.objects.update(queue_name="of-last-year")
    broker = TableBroker()
    queues("default", transport="ecs")
    assert ids(broker.dequeue()) == []
    queues("default", transport="djangoq")
    assert ids(broker.dequeue()) == [result.id]


def test_nothing_is_handed_over_twice_until_it_must_be_lost(later: Any) -> None:
    result = samples.echo.enqueue()
    broker = TableBroker()
    assert ids(broker.dequeue()) == [result.id]
    assert ids(broker.dequeue()) == []
    later(29)
    assert ids(broker.dequeue()) == []
    later(2)
    assert ids(broker.dequeue()) == [result.id]
    assert ids(broker.dequeue()) == []
    # Another cluster does not know of it; the claim decides.
    assert ids(TableBroker().dequeue()) == [result.id]


def test_the_next_attempt_is_handed_over_at_once() -> None:
    result = samples.echo.enqueue()
    broker = TableBroker()
    assert ids(broker.dequeue()) == [result.id]
    fail(claim(result, "first"), ValueError())
    pass_time(1000)
    assert ids(broker.dequeue()) == [result.id]
    record(claim(result, "second"), 1, None)
    assert ids(broker.dequeue()) == []


def test_as_many_as_django_q_is_to_take_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "BULK", 3)
    wanted = enqueue_many(samples.echo, [[number] for number in range(7)])
    broker = TableBroker()
    batches = [ids(broker.dequeue()) for _ in range(4)]
    assert [len(batch) for batch in batches] == [3, 3, 1, 0]
    assert list(chain.from_iterable(batches)) == wanted


def test_a_long_queue_is_handed_over_whole(later: Any) -> None:
    """However many were handed over and wait in the cluster, those behind them get their turn."""
    wanted = enqueue_many(samples.echo, [[number] for number in range(400)])
    broker = TableBroker()
    handed: list[str] = []
    while batch := ids(broker.dequeue()):
        for task_id in batch:
            assert run_task(task_id) == "successful"
        handed += batch
    assert handed == wanted


def test_looking_costs_one_statement(django_assert_num_queries: Any) -> None:
    broker = TableBroker()
    with django_assert_num_queries(1):
        broker.dequeue()
    enqueue_many(samples.echo, [[number] for number in range(20)])
    with django_assert_num_queries(1):
        broker.dequeue()


def test_a_connection_that_was_cut_is_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", False)
    connection.close()
    result = samples.echo.enqueue()
    broker = TableBroker()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    end_connection(pid)
    clock = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    monkeypatch.setattr(brokers, "time", clock)
    assert not packages(broker.dequeue())
    assert [line for line in caplog.records if line.name == "apps.tasks.worker.brokers"]
    assert ids(broker.dequeue()) == [result.id]


def test_a_database_that_is_away_is_no_error(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raised, it would keep Django-Q's pusher from its work for ten seconds."""
    slept: list[float] = []
    clock = SimpleNamespace(sleep=slept.append, monotonic=time.monotonic)
    monkeypatch.setattr(brokers, "time", clock)
    result = samples.echo.enqueue()
    broker = TableBroker()
    away.leave()
    for _ in range(3):
        assert not packages(broker.dequeue())
    assert slept == [1, 1, 1]
    away.come_back()
    assert ids(broker.dequeue()) == [result.id]


def test_it_can_be_given_to_another_process() -> None:
    """Where processes are spawned rather than forked, as on macOS, Django-Q pickles its broker."""
    result = samples.echo.enqueue()
    broker = pickle.loads(pickle.dumps(TableBroker()))  # noqa: S301
    assert ids(broker.dequeue()) == [result.id]


def test_a_task_is_not_enqueued_here() -> None:
    with pytest.raises(NotImplementedError, match="reads their table"):
        TableBroker().enqueue(message("apps.tasks.worker.entry.run", str(uuid4())))


# --- Signs of life -------------------------------------------------------------------------------


def pulses(messages: Any) -> int:
    """How many signs of life are among the messages."""
    names = [SignedPackage.loads(text)["func"] for _, text in messages or []]
    return names.count("apps.tasks.worker.entry.beat")


def test_a_sign_of_life_goes_the_whole_way_every_few_seconds(
    later: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    broker = TableBroker()
    first = broker.dequeue()
    assert pulses(first) == 1
    assert pulses(broker.dequeue()) == 0
    later(4.5)
    assert pulses(broker.dequeue()) == 0
    later(0.6)
    samples.echo.enqueue()
    both = broker.dequeue()
    assert (pulses(both), len(ids(both))) == (1, 1)
    assert settings.TASK_FROZEN_SECONDS >= 3 * entry.PULSE_SECONDS

    monkeypatch.setattr(entry, "_beat_due", 0.0)
    [(_, text)] = first or []
    work_off(SignedPackage.loads(text))
    assert WorkerPulse.objects.get().name == settings.TASK_WORKER_NAME


# --- What Django-Q's scheduler puts there --------------------------------------------------------


@pytest.fixture
def nightly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Periodic work, each night at three."""
    monkeypatch.setattr(periodic, "_declared", {})
    periodic.periodic("nightly", "0 3 * * *", samples.echo)


def scheduled(**kwargs: str) -> str:
    """The package that Django-Q makes of a schedule that is due."""
    package = SignedPackage.loads(message("apps.tasks.periodic.fire", "nightly"))
    return str(SignedPackage.dumps(package | {"kwargs": kwargs}))


@pytest.mark.usefixtures("nightly")
def test_a_schedule_writes_its_task_in_the_schedulers_transaction() -> None:
    with transaction.atomic():
        TableBroker().enqueue(scheduled())
        with other_connection() as cursor:
            cursor.execute("SELECT count(*) FROM django_tasks_database_dbtaskresult")
            assert cursor.fetchone() == (0,)
    assert BackgroundTask.objects.due().count() == 1


@pytest.mark.usefixtures("nightly")
def test_a_schedule_tells_for_when_it_was() -> None:
    """A cluster that was down fires late; the slot is the one that was missed."""
    broker = TableBroker()
    broker.enqueue(scheduled(at="2026-03-02T03:00:00+00:00"))
    broker.enqueue(scheduled(at="2026-03-02T03:00:00+00:00"))
    assert BackgroundTask.objects.count() == 1
    broker.enqueue(scheduled(at="2026-03-03T03:00:00+00:00"))
    assert BackgroundTask.objects.count() == 2
