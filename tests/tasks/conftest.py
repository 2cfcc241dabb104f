"""Queues whose policy a test chooses, a transport that notes what it is given, AWS on loopback."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from django.db import connection
from django_tasks.base import Task, TaskResult
from pytest_django import Settings

from apps.common.request_id import RequestIdFilter, as_request
from apps.tasks import transports
from apps.tasks.logs import TaskIdFilter
from apps.tasks.models import BackgroundTask
from apps.tasks.transports import Delivery, ecs, inline, zappa
from tests.moto_server import MotoServer
from tests.tasks.databases import Away


@pytest.fixture(autouse=True)
def _transports_are_back() -> None:
    """One that did not answer in another test is not left in peace in this one."""
    transports._away_until.clear()


@pytest.fixture(autouse=True)
def _no_request() -> Iterator[None]:
    """The request that an earlier test made is not what causes this one's tasks."""
    with as_request("-"):
        yield


class Queues(Protocol):
    """Changes the policy of the queues of these names; of all, where none is named."""

    def __call__(self, *names: str, **changes: Any) -> None:
        """For instance: queues("heavy", transport="ecs", max_attempts=1)."""


@pytest.fixture
def queues(settings: Settings) -> Queues:
    """Policies for this test."""

    def change(*names: str, **changes: Any) -> None:
        settings.TASK_QUEUES = {
            name: policy | (changes if not names or name in names else {})
            for name, policy in settings.TASK_QUEUES.items()
        }

    return change


@dataclass
class Outbox:
    """Stands in for all transports, and notes what it is given."""

    sent: list[Delivery] = field(default_factory=list)
    # The number of calls.
    calls: int = 0
    # What is raised rather than that anything is taken.
    error: Exception | None = None
    # What is done first.
    before: Callable[[], None] = lambda: None

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """What a transport does."""
        self.before()
        self.calls += 1
        if self.error is not None:
            raise self.error
        self.sent += deliveries

    @property
    def ids(self) -> list[str]:
        """Of the tasks that were sent."""
        return [delivery.task_id for delivery in self.sent]

    def take(self) -> list[tuple[str, int]]:
        """What was sent since the last time: ids and attempts."""
        taken = [(delivery.task_id, delivery.attempt) for delivery in self.sent]
        self.sent = []
        return taken


@pytest.fixture
def outbox(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """All queues are sent to it, at first by the name of zappa."""
    box = Outbox()
    for transport in (zappa, ecs, inline):
        monkeypatch.setattr(transport, "send", box.send)
    queues(transport="zappa")
    return box


def row_of(result: TaskResult | str) -> BackgroundTask:
    """A task's row as it is now."""
    return BackgroundTask.objects.get(pk=getattr(result, "id", result))


def claimed(task: Task, *args: Any, worker: str = "first") -> BackgroundTask:
    """A new task that a worker has just claimed."""
    return claim(task.enqueue(*args), worker)


def claim(result: TaskResult | str, worker: str, lease: float = 60) -> BackgroundTask:
    """A due task, claimed by the worker."""
    task_id = getattr(result, "id", result)
    row = BackgroundTask.objects.all().claim(task_id, worker, {"default": lease})
    assert row is not None, f"{worker} could not claim"
    return row


def pass_time(seconds: float, result: TaskResult | str | None = None) -> None:
    """Let the task's row, or all rows, be so much older than they are, with what hangs on them."""
    tasks = BackgroundTask.objects.all()
    if result is not None:
        tasks = tasks.filter(pk=getattr(result, "id", result))
    with connection.cursor() as cursor:
        ids = [str(task_id) for task_id in tasks.values_list("pk", flat=True)]
        cursor.execute(
            """
            UPDATE django_tasks_database_dbtaskresult SET
                enqueued_at = enqueued_at - make_interval(secs => %(seconds)s),
                run_after = run_after - make_interval(secs => %(seconds)s),
                started_at = started_at - make_interval(secs => %(seconds)s),
                finished_at = finished_at - make_interval(secs => %(seconds)s)
            WHERE id = ANY(%(ids)s::uuid[]);
            UPDATE tasks_resending SET
                next_at = next_at - make_interval(secs => %(seconds)s)
            WHERE task_id = ANY(%(ids)s::uuid[])
            """,
            {"seconds": seconds, "ids": ids},
        )


@pytest.fixture
def task_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged, with the ids of its task and request, as the console has it."""
    for added in (RequestIdFilter(), TaskIdFilter()):
        caplog.handler.addFilter(added)
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def away(committed: None) -> Iterator[Away]:
    """The database can leave, and is back at the end."""
    database = Away()
    yield database
    database.come_back()
    connection.close()


@pytest.fixture(scope="session")
def aws_server() -> Iterator[MotoServer]:
    """One for all tests of this process."""
    server = MotoServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def credentials(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What AWS's libraries find in the environment of a Lambda function or a container."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "igloo-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "igloo-tests-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", settings.AWS_REGION)


@pytest.fixture
def aws(aws_server: MotoServer, credentials: None, monkeypatch: pytest.MonkeyPatch) -> MotoServer:
    """boto3 finds it in the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server.url)
    return aws_server


@dataclass
class Meeting:
    """Two threads that wait for each other; a test that hangs fails."""

    event: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Until the other one says so."""
        assert self.event.wait(20), "nobody came"

    def say(self) -> None:
        """The other one may go on."""
        self.event.set()
