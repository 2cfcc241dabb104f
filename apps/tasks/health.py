"""Whether background work goes on: for the container's health check and for operators."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.db.models.fields.json import KT
from django.utils import timezone
from django_tasks.base import TaskResultStatus

from apps.tasks.models import BackgroundTask, WorkerPulse
from apps.tasks.policies import policies


@dataclass(frozen=True)
class Health:
    """What is wrong, in sentences, and the figures behind it."""

    # Empty: all is well.
    problems: list[str]
    # Tasks by state: waiting (deferred, or between two attempts), due, running, successful, dead,
    # cancelled.
    states: dict[str, int]
    # Tasks that are not over, by queue.
    queues: dict[str, int]
    # How long the oldest due task has been due; 0 where none is.
    oldest_due_seconds: float
    recently_dead: int
    # Seconds since each worker last took something, by its name.
    workers: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """As `task_health --json` prints it."""
        return {"ok": not self.problems} | asdict(self)


def check_health(*, max_due_seconds: float, dead_seconds: float, worker: str | None) -> Health:
    """Look at the tables.

    Args:
        max_due_seconds: a task that has been due for longer is a problem.
        dead_seconds: so is a task that died within this time; with 0, none is.
        worker: the name of the worker that has to be alive; None where none has to.
    """
    now = timezone.now()
    due = BackgroundTask.objects.due()
    oldest = due.order_by("run_after").values_list("run_after", flat=True).first()
    oldest_seconds = (now - oldest).total_seconds() if oldest else 0.0
    since = now - dt.timedelta(seconds=dead_seconds)
    recently_dead = BackgroundTask.objects.dead().filter(finished_at__gt=since).count()
    problems = []
    if worker is not None and is_frozen(worker):
        problems.append(
            f"worker {worker} took nothing for {settings.TASK_FROZEN_SECONDS} s or more: it is "
            "frozen, or does not run"
        )
    if oldest_seconds > max_due_seconds:
        problems.append(
            f"a task has been due for {oldest_seconds:.0f} s, longer than {max_due_seconds:g} s"
        )
    if recently_dead:
        problems.append(f"{recently_dead} tasks died in the last {dead_seconds:g} s: see the admin")
    return Health(
        problems=problems,
        states=_states(),
        queues={
            row["queue_name"]: row["number"]
            for row in BackgroundTask.objects.filter(
                status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING]
            )
            .order_by("queue_name")
            .values("queue_name")
            .annotate(number=Count("pk"))
        },
        oldest_due_seconds=round(oldest_seconds, 1),
        recently_dead=recently_dead,
        workers={
            pulse.name: round((now - pulse.beat_at).total_seconds(), 1)
            for pulse in WorkerPulse.objects.order_by("name")
        },
    )


def is_frozen(worker: str) -> bool:
    """Whether a worker that should take something takes nothing.

    One whose every process is at a task, and renews its lease, is busy.
    """
    since = timezone.now() - dt.timedelta(seconds=settings.TASK_FROZEN_SECONDS)
    if WorkerPulse.objects.filter(name=worker, beat_at__gt=since).exists():
        return False
    return running_tasks(worker) < settings.TASK_WORKERS


def longest_wait() -> float:
    """How long the oldest task that waits for a worker has been due, in seconds; 0 where none is.

    What Lambda or a container of its own runs does not count: more workers would not help it.
    """
    queues = [name for name, policy in policies().items() if policy.transport == "djangoq"]
    due = BackgroundTask.objects.due().in_queues(queues)
    oldest = due.order_by("run_after").values_list("run_after", flat=True).first()
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0


def running_tasks(worker: str) -> int:
    """How many tasks a worker is at, and keeps its lease of."""
    return (
        BackgroundTask.objects.filter(status=TaskResultStatus.RUNNING, run_after__gt=timezone.now())
        .alias(last_worker=KT("worker_ids__-1"))
        .filter(last_worker__startswith=f"{worker}:")
        .count()
    )


def runs_workers() -> bool:
    """Whether any queue is worked off by a Django-Q cluster, rather than by Lambda or ECS."""
    return any(policy.transport == "djangoq" for policy in policies().values())


def _states() -> dict[str, int]:
    tasks = BackgroundTask.objects.all()
    by_status = dict(tasks.order_by("status").values_list("status").annotate(number=Count("pk")))
    due, cancelled = tasks.due().count(), tasks.cancelled().count()
    return {
        "waiting": by_status.get(TaskResultStatus.READY, 0) - due,
        "due": due,
        "running": by_status.get(TaskResultStatus.RUNNING, 0),
        "successful": by_status.get(TaskResultStatus.SUCCESSFUL, 0),
        "dead": by_status.get(TaskResultStatus.FAILED, 0) - cancelled,
        "cancelled": cancelled,
    }
