"""The task row, seen as a state machine, and what is kept beside it.

The row is django-tasks-db's `DBTaskResult`. What its columns mean here:

    status        READY -> RUNNING -> SUCCESSFUL, or back to READY for another attempt, or FAILED
    run_after     READY: due from then on. RUNNING: the end of the lease.
    worker_ids    one name per attempt, never used twice. Equal to what a worker saw when it
                  claimed the row: the row is still its own (the fence).
    args_kwargs   {"args", "kwargs", "request_id"}, and "attempts_before" once it is run again

Each change is one conditional UPDATE, by the database's clock, so that of two workers one wins.
"""

import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from apps.common.ids import uuid7
from apps.tasks.errors import TaskCancelled

# In the order of a task's life.
STATES = ("waiting", "due", "running", "abandoned", "successful", "dead", "cancelled")
CANCELLED = f"{TaskCancelled.__module__}.{TaskCancelled.__qualname__}"


class BackgroundTaskQuerySet(models.QuerySet["BackgroundTask"]):
    """Reads and changes of task rows."""

    def due(self) -> Self:
        """To be run now."""
        return self.filter(status=TaskResultStatus.READY, run_after__lte=Now())

    def abandoned(self) -> Self:
        """Running, but the lease is over: the worker is dead or was cut off."""
        return self.filter(status=TaskResultStatus.RUNNING, run_after__lt=Now())

    def dead(self) -> Self:
        """Failed for good, and not because someone cancelled it."""
        return self.filter(status=TaskResultStatus.FAILED).exclude(exception_class_path=CANCELLED)

    def cancelled(self) -> Self:
        """Cancelled by an operator."""
        return self.filter(status=TaskResultStatus.FAILED, exception_class_path=CANCELLED)

    def in_queues(self, names: Collection[str]) -> Self:
        """Of these queues. A queue that is gone from the settings counts as `default`."""
        chosen = Q(queue_name__in=names)
        if "default" in names:
            chosen |= ~Q(queue_name__in=list(settings.TASK_QUEUES))
        return self.filter(chosen)

    def unsent(self, resend_after: float) -> Self:
        """Not sent to their transport yet, or so long ago that the message must be lost.

        A task that was to run at once was sent as it was committed, and gets `resend_after`
        seconds to be picked up. Any other has its `Resending`.
        """
        patience = Now() - dt.timedelta(seconds=resend_after)
        return self.filter(
            Q(resending__next_at__lte=Now()) | Q(resending__isnull=True, run_after__lt=patience)
        )

    def owned(self, task: "BackgroundTask") -> Self:
        """The row, if the attempt that claimed `task` still owns it."""
        return self.filter(pk=task.pk, status=TaskResultStatus.RUNNING, worker_ids=task.worker_ids)

    def claim(self, task_id: UUID, worker: str, leases: Mapping[str, float]) -> Any:
        """Make a due row this worker's own, in one statement.

        Args:
            worker: a name that is used for this attempt alone.
            leases: seconds by queue; `default`'s for any other.

        Returns:
            The row as it is now, or None where it is not due or someone else was quicker.
        """
        return next(
            iter(
                self.raw(
                    _CLAIM,
                    [worker, json.dumps(leases), leases["default"], task_id],
                )
            ),
            None,
        )

    def finish(self, task: "BackgroundTask", value: Any) -> bool:
        """Note that the attempt succeeded, with the JSON value it returned.

        Returns:
            False where the row is no longer this attempt's; nothing was changed then.
        """
        with connection.cursor() as cursor:
            cursor.execute(_FINISH, [json.dumps(value), task.pk, json.dumps(task.worker_ids)])
            return cursor.rowcount == 1


# These two are every task's, and written out: building them anew took longer than running them.
# READ COMMITTED looks at the condition again once a rival's update is committed.
# The claim does not wait for the disk. Should PostgreSQL itself crash at once, the row is due
# again and the attempt, which had just begun, is void; the end of an attempt does wait.
_CLAIM = f"""
    UPDATE {DBTaskResult._meta.db_table}
    SET status = '{TaskResultStatus.RUNNING}',
        started_at = statement_timestamp(),
        finished_at = NULL,
        worker_ids = worker_ids || to_jsonb(%s::text),
        run_after = statement_timestamp()
            + make_interval(secs => coalesce((%s::jsonb ->> queue_name)::float, %s))
    WHERE id = %s AND status = '{TaskResultStatus.READY}' AND run_after <= statement_timestamp()
        AND set_config('synchronous_commit', 'off', true) IS NOT NULL
    RETURNING *
"""  # noqa: S608 - no value of a caller's is in it
_FINISH = f"""
    UPDATE {DBTaskResult._meta.db_table}
    SET status = '{TaskResultStatus.SUCCESSFUL}',
        finished_at = statement_timestamp(),
        return_value = nullif(%s::jsonb, 'null'),
        exception_class_path = '',
        traceback = ''
    WHERE id = %s AND status = '{TaskResultStatus.RUNNING}' AND worker_ids = %s::jsonb
"""  # noqa: S608


class BackgroundTask(DBTaskResult):
    """A task row with igloo's verbs."""

    # Whether its caller asked for a later time. Known as it is enqueued, and then no more.
    deferred = False

    objects = BackgroundTaskQuerySet.as_manager()  # type: ignore[misc, assignment]

    class Meta:
        verbose_name, verbose_name_plural = _("background task"), _("background tasks")
        proxy = True

    def __str__(self) -> str:
        return f"{self.task_path} {self.pk}"

    @property
    def attempt(self) -> int:
        """How many attempts began, the running one included."""
        return len(self.worker_ids)

    @property
    def state(self) -> str:
        """One of STATES. waiting: for its time. abandoned: running, and its lease is over."""
        reached = self.run_after <= timezone.now()
        if self.status == TaskResultStatus.READY:
            return "due" if reached else "waiting"
        if self.status == TaskResultStatus.RUNNING:
            return "abandoned" if reached else "running"
        if self.status == TaskResultStatus.SUCCESSFUL:
            return "successful"
        return "cancelled" if self.exception_class_path == CANCELLED else "dead"

    @property
    def attempts_before(self) -> int:
        """How many of them an operator's "run again" has put aside: they don't count any more."""
        return int(self.args_kwargs.get("attempts_before", 0))

    @property
    def worker(self) -> str:
        """Who began the last attempt."""
        return str(self.worker_ids[-1]) if self.worker_ids else "?"

    @property
    def request_id(self) -> str:
        """The request that caused it; `-` where none did."""
        return str(self.args_kwargs.get("request_id", "-"))


class TaskAttempt(models.Model):
    """An attempt that failed: each is kept, not the last one only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(BackgroundTask, on_delete=models.CASCADE, related_name="attempts")
    # From 1.
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=200)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=200)
    traceback = models.TextField()
    # Whether another attempt follows.
    retried = models.BooleanField()

    class Meta:
        verbose_name, verbose_name_plural = _("task attempt"), _("task attempts")
        ordering = ["ended_at", "id"]


class Resending(models.Model):
    """A task that the sweeper has to send: deferred, between two attempts, or not picked up."""

    task = models.OneToOneField(
        BackgroundTask, primary_key=True, on_delete=models.CASCADE, related_name="resending"
    )
    # That the transport took it from the sweeper, for the attempt that is to come.
    times = models.PositiveIntegerField()
    # When it is to be sent (again): then it is due, or the message counts as lost.
    next_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("resending"), _("resendings")


class WorkerPulse(models.Model):
    """When a worker last took something off its cluster's queue.

    A cluster whose processes live but are stuck shows nothing else that could be seen from outside.
    """

    name = models.CharField(max_length=200, primary_key=True)
    beat_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("worker pulse"), _("worker pulses")


def lease_end(seconds: float) -> Any:
    """The moment so many seconds from now, by the database's clock, for an UPDATE."""
    return models.ExpressionWrapper(
        Now() + models.Value(dt.timedelta(seconds=seconds)), output_field=models.DateTimeField()
    )
