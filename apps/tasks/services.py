"""What can be done with tasks, beside `task.enqueue()`: once, in bulk, again, no more."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks_db.models import DBTaskResult

from apps.tasks import transports
from apps.tasks.backend import TaskBackend
from apps.tasks.models import CANCELLED, BackgroundTask, Resending, TaskAttempt, WorkerPulse
from apps.tasks.policies import policy_of

# Rows of one INSERT, and of one DELETE.
_BATCH = 1000
_ONCE = uuid5(NAMESPACE_URL, "igloo:task-once")
# How long what is over is kept: to look at, to run again, and to keep `enqueue_once` once.
KEEP_SUCCESSFUL = dt.timedelta(days=7)
KEEP_FAILED = dt.timedelta(days=90)
_RUN_AGAIN = (
    "args_kwargs",
    "status",
    "run_after",
    "started_at",
    "finished_at",
    "return_value",
    "exception_class_path",
    "traceback",
)
_KEEP_PULSES = dt.timedelta(days=1)


def _backend(task: Task) -> TaskBackend:
    backend = task.get_backend()
    assert isinstance(backend, TaskBackend), f"{task.backend} is not a TaskBackend"  # noqa: S101
    return backend


def enqueue_once(task: Task, key: str, /, *args: Any, **kwargs: Any) -> TaskResult:
    """Enqueue a task that must exist once for its key, however often and by whom this is called.

    The key counts for this task alone, for as long as its row is kept (a week at least after it
    succeeded). Raises as `task.enqueue` does.

    Returns:
        The result of the one there is: of this call, or of the one that came first.
    """
    backend = _backend(task)
    task_id = uuid5(_ONCE, f"{task.module_path}:{key}")
    row = backend.build_row(task, args, kwargs, task_id=task_id)
    with transaction.atomic():
        # Waits for a rival's transaction, and inserts after all if that one is rolled back.
        BackgroundTask.objects.bulk_create([row], ignore_conflicts=True)
        there = BackgroundTask.objects.get(pk=task_id)
        if there.enqueued_at == row.enqueued_at:  # written by this call
            transports.send_on_commit([row])
    return there.task_result


def enqueue_many(task: Task, calls: Iterable[Sequence[Any]]) -> list[str]:
    """Enqueue a task for each item of `calls`, its positional arguments: all of them, or none.

    Returns:
        The ids of the tasks, in order. Raises as `task.enqueue` does.
    """
    backend = _backend(task)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [now] = cursor.fetchone()
    rows = [backend.build_row(task, args, {}, now=now) for args in calls]
    with transaction.atomic():
        BackgroundTask.objects.bulk_create(rows, batch_size=_BATCH)
        transports.send_on_commit(rows)
    return [str(row.pk) for row in rows]


def rerun_tasks(*, task_ids: Iterable[UUID]) -> int:
    """Give dead, cancelled and successful tasks all their attempts again; how many were taken.

    One that waits or runs is left alone. The errors of earlier attempts stay.
    """
    now = timezone.now()
    with transaction.atomic():
        rows = list(
            BackgroundTask.objects.select_for_update()
            .filter(
                pk__in=list(task_ids),
                status__in=[TaskResultStatus.FAILED, TaskResultStatus.SUCCESSFUL],
            )
            .order_by("pk")
        )
        for row in rows:
            # The numbers go on: ECS would start nothing for one that it has seen.
            row.args_kwargs["attempts_before"] = row.attempt
            row.status = TaskResultStatus.READY
            row.run_after = Now()
            row.started_at = row.finished_at = row.return_value = None
            row.exception_class_path = row.traceback = ""
        BackgroundTask.objects.bulk_update(rows, _RUN_AGAIN, batch_size=_BATCH)
        # Sent below: from now on it has the queue's time to be picked up.
        Resending.objects.filter(task__in=rows).delete()
        Resending.objects.bulk_create(
            Resending(
                task=row,
                times=0,
                next_at=now + dt.timedelta(seconds=policy_of(row.queue_name).resend_after),
            )
            for row in rows
        )
        transports.send_on_commit(rows)
    return len(rows)


def cancel_tasks(*, task_ids: Iterable[UUID], by: str) -> int:
    """Cancel tasks that wait or run; how many were taken.

    A running one is interrupted when it next renews its lease; what it does until then is done.
    """
    with transaction.atomic():
        return BackgroundTask.objects.filter(
            pk__in=list(task_ids),
            status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING],
        ).update(
            status=TaskResultStatus.FAILED,
            finished_at=Now(),
            exception_class_path=CANCELLED,
            traceback=f"Cancelled by {by}.",
        )


def prune_tasks() -> int:
    """Delete the rows of tasks that were over long ago; how many there were."""
    old = Q(status=TaskResultStatus.SUCCESSFUL, finished_at__lt=Now() - KEEP_SUCCESSFUL) | Q(
        status=TaskResultStatus.FAILED, finished_at__lt=Now() - KEEP_FAILED
    )
    total = 0
    while True:
        with transaction.atomic():
            ids = list(
                BackgroundTask.objects.select_for_update(skip_locked=True)
                .filter(old)
                .values_list("pk", flat=True)[:_BATCH]
            )
            TaskAttempt.objects.filter(task__in=ids).delete()
            Resending.objects.filter(task__in=ids).delete()
            DBTaskResult.objects.filter(pk__in=ids)._raw_delete(using="default")
        total += len(ids)
        if len(ids) < _BATCH:
            break
    WorkerPulse.objects.filter(beat_at__lt=Now() - _KEEP_PULSES).delete()
    return total
