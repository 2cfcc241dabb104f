"""What goes through a Django-Q broker: signed packages that name a function and an id."""

from typing import Any

from django.utils import timezone
from django_q.signing import SignedPackage


def message(function: str, *args: str, timeout: int | None = None) -> str:
    """A package as Django-Q's workers take it: call `function` with `args`.

    `timeout` is the number of seconds after which Django-Q kills the process that runs it.
    """
    package: dict[str, Any] = {
        "id": args[0] if args else function,
        "name": function.rpartition(".")[2],
        "func": function,
        "args": args,
        "kwargs": {},
        "started": timezone.now(),
        # Nothing is to be kept or brought again by Django-Q: the task's row is what counts.
        "save": False,
        "ack_failure": True,
    }
    if timeout is not None:
        package["timeout"] = timeout
    return str(SignedPackage.dumps(package))


def run_message(task_id: str, timeout: int | None = None) -> str:
    """The package that runs a task."""
    return message("apps.tasks.worker.entry.run", task_id, timeout=timeout)


def pulse_message() -> str:
    """The package that shows that the whole way from broker to worker is open."""
    return message("apps.tasks.worker.entry.beat")
