"""The django-tasks backend: a row in the caller's transaction, sent when that commits.

Source: django-tasks' BaseTaskBackend, which is Django 6's `django.tasks` under another name.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.base import Task, TaskError
from django_tasks.signals import task_enqueued
from django_tasks_db.backend import DatabaseBackend, TaskResult

from apps.common.ids import uuid7
from apps.common.request_id import current_request_id
from apps.tasks.errors import InvalidArguments, UnknownTask
from apps.tasks.payload import as_json

# Characters of JSON that a task's arguments may take: what an asynchronous Lambda call may carry.
# A task that needs more takes an id.
LONGEST_ARGUMENTS = 256_000
_NOW = Now()


class TaskBackend(DatabaseBackend):
    """Enqueues into PostgreSQL; `apps/tasks/runner.py` runs what is there."""

    # A time limit reaches the main thread, not an event loop: what a coroutine started would go on.
    supports_async_task = False

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """Write the task's row; it is handed to its queue's transport when the caller commits.

        Raises:
            InvalidTaskError: nothing was written. UnknownTask and InvalidArguments say what a
                worker could not do with it.
        """
        from apps.tasks import transports  # models: the backend is made before they are loaded

        row = self.build_row(task, args, kwargs)
        row.save(force_insert=True)
        transports.send_on_commit([row])
        row.run_after = task.run_after or row.enqueued_at
        result: TaskResult = row.task_result
        task_enqueued.send(type(self), task_result=result)
        return result

    async def aenqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """See enqueue. Transactions are bound to a thread."""
        return await sync_to_async(self.enqueue, thread_sensitive=True)(task, args, kwargs)

    def build_row(
        self, task: Task, args: Sequence[Any], kwargs: Any, *, task_id: Any = None, now: Any = _NOW
    ) -> Any:
        """The row of a task, checked but not written. Raises as `enqueue` does.

        `now` is by the database's clock, like all that asks later whether the task is due.
        """
        from apps.tasks.models import BackgroundTask

        self.validate_task(task)
        check_path(task)
        row = BackgroundTask(
            id=task_id or uuid7(),
            args_kwargs=_arguments(task, args, kwargs),
            priority=task.priority,
            task_path=task.module_path,
            queue_name=task.queue_name,
            run_after=task.run_after or now,
            backend_name=self.alias,
        )
        row.deferred = task.run_after is not None and task.run_after > timezone.now()
        return row

    def get_result(self, result_id: str) -> TaskResult:
        """The task's result so far, with the errors of all its attempts, the oldest first."""
        from apps.tasks.models import TaskAttempt

        result: TaskResult = super().get_result(result_id)
        attempts = TaskAttempt.objects.filter(task_id=result.id)
        errors = [TaskError(exception_class_path=a.error, traceback=a.traceback) for a in attempts]
        if errors:
            result.errors[:] = errors
        return result

    async def aget_result(self, result_id: str) -> TaskResult:
        """See get_result."""
        return await sync_to_async(self.get_result, thread_sensitive=True)(result_id)


def check_path(task: Task) -> None:
    """See that a worker can import the task.

    Raises:
        UnknownTask: its path leads nowhere, or to something else.
    """
    if (found := _found_at(task.module_path)) is None or found is not task.func:
        raise UnknownTask(
            f"{task.module_path} is not a task that a worker could import: put @task on a function "
            "of a module, and leave it under its own name."
        )


@cache
def _found_at(path: str) -> Any:
    try:
        found = import_string(path)
    except ImportError:
        return None
    return found.func if isinstance(found, Task) else None


def _arguments(task: Task, args: Iterable[Any], kwargs: Any) -> dict[str, Any]:
    try:
        arguments, text = as_json({"args": list(args), "kwargs": dict(kwargs)})
    except ValueError as error:
        raise InvalidArguments(f"The arguments of {task.module_path} {error}") from error
    if len(text) > LONGEST_ARGUMENTS:
        raise InvalidArguments(
            f"The arguments of {task.module_path} take {len(text)} characters of JSON, and "
            f"{LONGEST_ARGUMENTS} are the most. Give it an id to look things up by."
        )
    return dict(arguments) | {"request_id": current_request_id()}
