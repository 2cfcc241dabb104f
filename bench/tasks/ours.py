"""igloo's own tasks, to measure; and how they are enqueued."""

from collections.abc import Iterable

from django_tasks import task

from apps.tasks.services import enqueue_many
from bench.tasks import work


@task()
def noop(number: int) -> None:
    """Nothing."""
    work.noop(number)


@task()
def nap(number: int) -> None:
    """Take a moment, in which it can be killed."""
    work.nap(number)


@task()
def die(number: int) -> None:
    """Kill the process that runs it."""
    work.die(number)


_TASKS = {"noop": noop, "nap": nap, "die": die}


def send(name: str, number: int) -> None:
    """Enqueue one, in a transaction of its own."""
    _TASKS[name].enqueue(number)


def send_many(name: str, numbers: Iterable[int]) -> None:
    """Enqueue all, by one call."""
    enqueue_many(_TASKS[name], [(number,) for number in numbers])
