"""Running one task: the same on a laptop, in a container and on Lambda.

At least once, by one worker at a time. A task has to be idempotent: a worker may die between its
last effect and the row that says so.
"""

import logging
import os
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from traceback import format_exception
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.models.functions import Now
from django_tasks.base import TaskContext, TaskResultStatus

from apps.tasks import transports
from apps.tasks.errors import LeaseLost, PermanentError, UnstorableResult
from apps.tasks.leases import Lease, leased
from apps.tasks.logs import as_task
from apps.tasks.models import BackgroundTask, Resending, TaskAttempt, lease_end
from apps.tasks.payload import as_json
from apps.tasks.policies import policies, policy_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds that a worker waits for a database that is away before it lets go of a task that it has
# not begun. The row waits, and will be handed out again.
_CLAIM_SECONDS = 30.0
_RETRY_SECONDS = 1.0
# What a database says that is away, or that was the writer before a failover.
AWAY = (OperationalError, InterfaceError, InternalError)
# Characters of a traceback that are kept, from its end, where the error is.
_LONGEST_TRACEBACK = 20_000


def run_task(task_id: str) -> str | None:
    """Claim a task, run it, and write down what came of it. The one entry point everywhere.

    Errors of the task don't pass: they are in the row, its attempts and the log.

    Returns:
        "successful", "retried" (another attempt follows), "dead" (none does), "superseded" (the
        lease was lost meanwhile: another worker has it, or it was cancelled), or None where there
        was nothing to claim: it is gone, over, not due, or another worker's.

    Raises:
        ValueError: task_id is not a UUID.
        OperationalError: the database was away for longer than is worth waiting for.
    """
    key = UUID(task_id)
    task = _while_database_returns(lambda: _claim(key), _CLAIM_SECONDS)
    if task is None:
        return None
    with as_task(str(task.pk), task.request_id):
        return _run(task)


def run_due_tasks(queues: Collection[str] | None = None) -> int:
    """Run what is due, most urgent and oldest first, here and now, until nothing is left.

    Args:
        queues: their names; None: all.

    Returns:
        How many tasks this process ran.
    """
    total = 0
    while True:
        due = BackgroundTask.objects.due().order_by("-priority", "run_after", "enqueued_at")
        if queues is not None:
            due = due.filter(queue_name__in=queues)
        ran = [run_task(str(task_id)) for task_id in due.values_list("pk", flat=True)[:100]]
        if not any(ran):
            return total
        total += len(ran) - ran.count(None)


def _claim(task_id: UUID) -> BackgroundTask | None:
    leases = {name: policy.lease for name, policy in policies().items()}
    worker = f"{settings.TASK_WORKER_NAME}:{os.getpid()}:{uuid4().hex[:12]}"
    task: BackgroundTask | None = BackgroundTask.objects.all().claim(task_id, worker, leases)
    return task


def _run(task: BackgroundTask) -> str:
    policy = policy_of(task.queue_name)
    name = task.task_path.removeprefix("apps.")
    started = time.monotonic()
    error: BaseException | None = None
    value: Any = None
    nested = connection.in_atomic_block
    lease = Lease(task, policy)
    try:
        with leased(lease):
            value = _call(task)
    except KeyboardInterrupt:
        raise  # the person's; the row's lease will end
    except BaseException as raised:  # noqa: BLE001 - it is kept and logged; SystemExit is one too
        # An interruption in the middle of a commit can end in another error; it is still one.
        error = lease.interruption or raised
    if lease.interruption and not nested:
        _forget_connections()
    seconds = time.monotonic() - started
    if isinstance(error, LeaseLost):
        logger.warning("%s: lease lost after %.1f s, interrupted", name, seconds)
        return "superseded"
    outcome = _while_database_returns(
        lambda: record(task, value, error),
        policy.lease,  # later, another worker has it
    )
    if outcome == "successful":
        logger.info("%s: done in %.3f s", name, seconds)
    elif outcome == "superseded":
        logger.warning("%s: another worker took over; what this run made is void", name)
    else:
        logger.log(
            logging.ERROR if outcome == "dead" else logging.WARNING,
            "%s: attempt %d of %d failed after %.3f s: %s\n%s",
            *(name, task.attempt, task.attempts_before + policy.max_attempts, seconds, outcome),
            _traceback_of(error),
        )
    return outcome


def _call(task: BackgroundTask) -> Any:
    """Import the task's function and call it; its result as JSON."""
    try:
        definition = task.task
    except SuspiciousOperation as error:
        raise PermanentError(str(error)) from error
    args, kwargs = task.args_kwargs["args"], task.args_kwargs["kwargs"]
    if definition.takes_context:
        args = [TaskContext(task_result=task.task_result), *args]
    value = definition.call(*args, **kwargs)
    try:
        return as_json(value)[0]
    except ValueError as error:
        raise UnstorableResult(f"the results of {task.task_path} {error}") from error


def record(task: BackgroundTask, value: Any, error: BaseException | None) -> str:
    """Write down how an attempt ended, if the row is still this attempt's.

    Returns:
        "successful", "retried", "dead" or "superseded"; see run_task.
    """
    if error is not None:
        return fail(task, error)
    return "successful" if BackgroundTask.objects.finish(task, value) else "superseded"


def fail(task: BackgroundTask, error: BaseException) -> str:
    """Write down that an attempt failed; the next one becomes due after the backoff, if any.

    Returns:
        "retried", "dead" or "superseded"; see run_task.
    """
    policy = policy_of(task.queue_name)
    tries = task.attempt - task.attempts_before
    retried = not isinstance(error, PermanentError) and tries < policy.max_attempts
    path = f"{type(error).__module__}.{type(error).__qualname__}"
    text = _traceback_of(error)
    with transaction.atomic():
        if retried:
            changes: dict[str, Any] = {
                "status": TaskResultStatus.READY,
                "run_after": lease_end(policy.pause_after(task.attempt).total_seconds()),
            }
        else:
            changes = {"status": TaskResultStatus.FAILED, "finished_at": Now()}
        written = BackgroundTask.objects.owned(task).update(
            **changes, exception_class_path=path, traceback=text
        )
        if not written:
            return "superseded"
        Resending.objects.filter(task=task).delete()
        if retried and transports.needs_sending(policy.transport):
            Resending.objects.create(task=task, times=0, next_at=changes["run_after"])
        TaskAttempt.objects.create(
            task=task,
            number=task.attempt,
            worker=task.worker[:200],
            started_at=task.started_at,
            error=path[:200],
            traceback=text,
            retried=retried,
        )
    return "retried" if retried else "dead"


def _traceback_of(error: BaseException | None) -> str:
    """As text that PostgreSQL and a log take: neither half a character nor NUL is in it."""
    text = "".join(format_exception(error)).encode(errors="backslashreplace").decode()
    return text.replace("\0", "\\0")[-_LONGEST_TRACEBACK:]


def _while_database_returns(work: Callable[[], T], seconds: float) -> T:
    """Do `work`; where the database is away, again and again for so many seconds.

    Raises:
        OperationalError, InterfaceError: it did not come back.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return work()
        except AWAY as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("the database is away, trying again: %s", str(error).strip())
            connection.close()
            time.sleep(_RETRY_SECONDS)


def _forget_connections() -> None:
    """Begin anew with the databases: what was interrupted may have left Django half-way in a
    transaction, and a connection that believes so can't even be closed."""
    for alias in connections:
        raw = connections[alias].connection
        if raw is not None:
            with suppress(DatabaseError):
                raw.close()
        del connections[alias]
