"""Repairs what workers and transports left behind.

It needs the database alone: it is run beside the Django-Q cluster, not by it, by the container's
health check, and on Lambda by an EventBridge rule.
"""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.tasks import transports
from apps.tasks.errors import LeaseExpired, NeverStarted
from apps.tasks.models import BackgroundTask, Resending
from apps.tasks.policies import QueuePolicy, policies, policy_of
from apps.tasks.runner import fail
from apps.tasks.transports import Delivery

logger = logging.getLogger(__name__)

_BATCH = 500
# Of one sweep; the next one takes the rest.
_MOST_BATCHES = 20


@dataclass(frozen=True)
class Swept:
    """What a sweep did, in tasks."""

    # Their worker was gone; they wait for another attempt.
    freed: int
    # Their worker was gone in their last attempt.
    dead: int
    # Sent to their transport, for the first time (deferred ones, retries) or again.
    sent: int


def sweep_tasks() -> Swept:
    """Free tasks whose lease ran out, and send those that are due and that nobody picked up.

    It can be run at any time, by any number of processes at once.
    """
    outcomes: dict[str, int] = defaultdict(int)
    for _ in range(_MOST_BATCHES):
        freed = _free_abandoned()
        for outcome in freed:
            outcomes[outcome] += 1
        if len(freed) < _BATCH:
            break
    sent = 0
    for queue, policy in policies().items():
        if transports.needs_sending(policy.transport):
            for _ in range(_MOST_BATCHES):
                found, taken = _send_unsent(queue, policy)
                sent += taken
                if found < _BATCH or not taken:
                    break
    swept = Swept(freed=outcomes["retried"], dead=outcomes["dead"], sent=sent)
    if any((swept.freed, swept.dead, swept.sent)):
        logger.warning("swept: %d freed, %d dead, %d sent", swept.freed, swept.dead, swept.sent)
    return swept


def _free_abandoned() -> list[str]:
    with transaction.atomic():
        return [
            fail(
                task,
                LeaseExpired(
                    f"worker {task.worker} was not heard of "
                    f"for {policy_of(task.queue_name).lease:g} s: killed, or cut off"
                ),
            )
            for task in BackgroundTask.objects.abandoned()
            .select_for_update(skip_locked=True)
            .order_by("pk")[:_BATCH]
        ]


def _send_unsent(queue: str, policy: QueuePolicy) -> tuple[int, int]:
    """Send a batch of the queue's due tasks that nobody picked up.

    Returns:
        How many were found, and how many of them the transport took.
    """
    with transaction.atomic():
        tasks = list(
            BackgroundTask.objects.due()
            .unsent(policy.resend_after)
            .in_queues([queue])
            .select_related("resending")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("run_after")[:_BATCH]
        )
        lost = [task for task in tasks if policy.transport == "ecs" and _times_sent(task)]
        for task in lost:
            # ECS took it, for this attempt's token, and would start nothing for the same again.
            _count_unstarted(task)
        to_send = [task for task in tasks if task not in lost]
        _note(to_send, policy)
    if not to_send:
        return len(tasks), 0
    deliveries = [Delivery(str(task.pk), task.attempt + 1) for task in to_send]
    if transports.send(policy.transport, deliveries):
        return len(tasks), len(to_send)
    # One that was delivered after all may have had its attempt, and have a note of the next.
    Resending.objects.filter(task__in=to_send, times__gt=0).update(times=F("times") - 1)
    return len(tasks), 0


def _times_sent(task: BackgroundTask) -> int:
    note = getattr(task, "resending", None)
    return note.times if note else 0


def _note(tasks: Sequence[BackgroundTask], policy: QueuePolicy) -> None:
    """Each further time comes after twice as long: a queue that is long is not made longer."""
    now = timezone.now()
    Resending.objects.bulk_create(
        [
            Resending(
                task=task,
                times=(times := _times_sent(task)) + 1,
                next_at=now + dt.timedelta(seconds=policy.resend_after * 2 ** min(times, 10)),
            )
            for task in tasks
        ],
        update_conflicts=True,
        unique_fields=["task"],
        update_fields=["times", "next_at"],
    )


def _count_unstarted(task: BackgroundTask) -> None:
    worker = f"never-started:{uuid4().hex[:12]}"
    claimed = BackgroundTask.objects.claim(task.pk, worker, {"default": 0})
    if claimed is not None:
        fail(claimed, NeverStarted("a container was asked for, and did not begin the task"))
