"""Tasks for tests. A worker, in whatever process, finds them here."""

import asyncio
import datetime as dt
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import connection, connections, transaction
from django_tasks import task

from apps.tasks import services
from apps.tasks.errors import PermanentError
from apps.tasks.models import BackgroundTask, WorkerPulse
from tests.tasks.databases import end_connection, other_connection

logger = logging.getLogger(__name__)


class NoSuchPhoto(PermanentError):
    """Trying again would not help."""


@task()
def echo(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """What it was called with."""
    return {"args": list(args), "kwargs": kwargs}


@task()
def keyed(key: str) -> str:
    """Has a parameter of this name."""
    return key


@task(queue_name="heavy")
def heavy(*args: Any) -> None:
    """On the queue of what takes long."""


@task(takes_context=True)
def with_context(context: Any, *args: Any) -> list[Any]:
    """Which attempt it is, and of which task."""
    return [context.attempt, context.task_result.id, *args]


@task(takes_context=True)
def fail_until(context: Any, attempt: int) -> str:
    """Fail, but not in the attempt of this number."""
    if context.attempt < attempt:
        raise ValueError(f"attempt {context.attempt}")
    return "at last"


@task()
def fail(message: str = "out of order") -> None:
    """Fail."""
    raise ValueError(message)


@task()
def fail_for_good() -> None:
    """Fail in a way that can't be mended."""
    raise NoSuchPhoto("photo 42 is gone")


@task()
def fail_with_text_that_no_database_takes() -> None:
    """A NUL and half a character."""
    raise ValueError("\0 \ud800")


@task()
def leave() -> None:
    """What a library does that takes itself for a program."""
    sys.exit("a library took itself for a program")


@task()
def be_cancelled() -> None:
    """What an async library raises when it gives up."""
    raise asyncio.CancelledError


# What is no JSON, or none that PostgreSQL takes.
UNSTORABLE: dict[str, Any] = {
    "object": object(),
    "set": {1},
    "time": dt.timedelta(1),
    "bytes": b"\xff",
    "key": {(1, 2): 3},
    "nan": float("nan"),
    "infinity": float("-inf"),
    "nul": {"text": ["\0"]},
    "surrogate": "\ud800",
    "long number": 10**5000,
}


@task()
def give(name: str) -> Any:
    """What can't be written down."""
    return UNSTORABLE[name]


@task()
def say(text: str) -> None:
    """Log a line."""
    logger.info(text)


@task()
def pass_on(text: str) -> None:
    """Have another task say it."""
    say.enqueue(text)


@task()
def write_line(path: str, line: str) -> None:
    """Leave a trace that shows each run, whoever it was."""
    with Path(path).open("a") as file:
        file.write(f"{line}\n")


def wait_for_interruption() -> None:
    """Be at it until someone ends it; for a quarter of a minute at most."""
    for _ in range(300):
        time.sleep(0.05)
    raise AssertionError("it was not interrupted")


@task()
def wait() -> None:
    """Take too long."""
    wait_for_interruption()


@task()
def wait_in_a_transaction(text: str) -> None:
    """Take too long, with a change that is not committed."""
    with transaction.atomic():
        say.enqueue(text)
        wait_for_interruption()


@task()
def be_interrupted(method: str, when: str) -> None:
    """Reach the time limit just before or after Django calls this method of its connection."""
    database = connections["default"]
    real = getattr(database, method)

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            signal.raise_signal(signal.SIGALRM)
        result = real(*args, **kwargs)
        signal.raise_signal(signal.SIGALRM)
        return result

    with patch.object(database, method, interrupted), transaction.atomic():
        WorkerPulse.objects.create(name="outer")
        with transaction.atomic():
            WorkerPulse.objects.create(name="inner")


@task()
def be_interrupted_and_ignore_it(method: str, when: str) -> str:
    """As above, in code that holds whatever is raised."""
    try:
        be_interrupted.func(method, when)
    except BaseException:  # noqa: BLE001 - this is what is tried
        logger.info("ignored")
    return "done"


@task()
def wait_stubbornly() -> None:
    """Hold whatever is raised, as far as Exception reaches."""
    try:
        wait_for_interruption()
    except Exception:  # noqa: BLE001 - this is what is tried
        logger.info("held")


@task(takes_context=True)
def outlive_the_first_lease(context: Any) -> str:
    """Go on until the lease with which it began would be over."""
    task_id = context.task_result.id
    with other_connection() as cursor:
        cursor.execute(
            "SELECT run_after FROM django_tasks_database_dbtaskresult WHERE id = %s", [task_id]
        )
        [lease_end] = cursor.fetchone()
        over = False
        while not over:
            time.sleep(0.05)
            cursor.execute("SELECT clock_timestamp() > %s + interval '0.3 s'", [lease_end])
            [over] = cursor.fetchone()
    return "done"


@task(takes_context=True)
def cancel_itself(context: Any, then: str) -> str:
    """Be cancelled, and end before anybody tells, or go on until someone does."""
    services.cancel_tasks(task_ids=[context.task_result.id], by="olga")
    if then == "fail":
        raise ValueError("too late")
    if then == "wait":
        wait_for_interruption()
    return "too late"


@task(takes_context=True)
def lose_the_lease(context: Any, then: str) -> str:
    """Be taken for dead, as after a long pause of the process."""
    task_id = context.task_result.id
    BackgroundTask.objects.filter(pk=task_id).update(
        status="READY", exception_class_path="apps.tasks.errors.LeaseExpired"
    )
    if then == "wait":
        wait_for_interruption()
    return "too late"


@task()
def lose_the_database() -> str:
    """Come to the end over a connection that has been cut."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    end_connection(pid)
    return "done"


@task()
def lose_the_database_and_fail() -> None:
    """Fail, and the connection with it."""
    lose_the_database.func()
    raise ValueError("and more")


@task()
def run_another_at_once() -> None:
    """Enqueue a task that is run here and now, then take too long."""
    say.enqueue("inner")
    wait_for_interruption()


# --- What is no task that a worker could find -----------------------------------------------------


def plain() -> None:
    """A function; the task of it has another name than the function."""


under_another_name = task()(plain)
of_a_lambda = task()(lambda: None)


class Holder:
    """A class."""

    @staticmethod
    def inner() -> None:
        """In it."""


of_a_class = task()(Holder.inner)


def _impostor() -> None:
    """Says that it is `echo`."""


_impostor.__qualname__ = "echo"
impostor = task()(_impostor)


def _stray() -> None:
    """Says that it is in a module that there is not."""


_stray.__module__ = "tests.tasks.nowhere"
stray = task()(_stray)
