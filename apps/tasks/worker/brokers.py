"""Where a Django-Q cluster gets its work from: the task table itself, Redis, or SQS.

Django-Q's own ORM broker keeps a queue in a second table: for each task another row to insert,
lock and delete, and two rows that can disagree. Here the task's row is the queue.
"""

import logging
import pydoc
import time
from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

import redis
from botocore.config import Config
from django.db import close_old_connections, connection
from django.db.models import F, Func, IntegerField
from django_q.brokers import Broker
from django_q.brokers.aws_sqs import Sqs
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from django_q.signing import SignedPackage

from apps.tasks.models import BackgroundTask
from apps.tasks.policies import policies
from apps.tasks.worker.entry import PULSE_SECONDS
from apps.tasks.worker.messages import pulse_message, run_message

logger = logging.getLogger(__name__)

# A task that was handed over and is still due is handed over again after this long. That does no
# harm: it can be claimed once.
HAND_OVER_SECONDS = 30.0
# Beyond a task's own limit: then Django-Q kills the process, which nothing else could interrupt.
_KILL_AFTER_LIMIT = 15
_FIRE = "apps.tasks.periodic.fire"

Messages = list[tuple[Any, str]]


class IglooBroker(Broker):
    """What all three have in common."""

    _pulse_due = 0.0

    def enqueue(self, task: str) -> Any:
        """Take a package that Django-Q's scheduler made from a `Schedule` row.

        It is called in the transaction that sets the schedule's next time. What the package asks
        for, to write the row of this slot's task, is done there and then: in one transaction,
        nothing can get lost between the two.
        """
        package = SignedPackage.loads(task)
        if package["func"] == _FIRE:
            pydoc.locate(_FIRE)(*package["args"], **package["kwargs"])  # type: ignore[operator]
            return package["id"]
        return super().enqueue(task)

    def dequeue(self) -> Messages | None:
        """The next messages, with a sign of life among them now and then.

        What is away comes back, and does not hold up the sign of life: it shows that this cluster
        works, not that there is work. Raised, it would keep Django-Q's pusher idle for 10 s.
        """
        try:
            messages = super().dequeue()
        except Exception as error:  # noqa: BLE001 - PostgreSQL's, Redis's and SQS's have no common class
            logger.warning("no messages: %s: %s", type(error).__name__, str(error).strip())
            connection.close()
            time.sleep(1)
            messages = None
        if time.monotonic() >= self._pulse_due:
            self._pulse_due = time.monotonic() + PULSE_SECONDS
            messages = [*(messages or []), (None, pulse_message())]
        return messages


class TableSource(Broker):
    """Reads due tasks from the table, most urgent and oldest first.

    Nothing is written: the worker's claim decides who runs a task. What was handed over lately is
    remembered here; a rival cluster's hand-over costs one claim in vain.
    """

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        # (id, attempts so far) -> when it was handed over.
        self._handed: OrderedDict[tuple[UUID, int], float] = OrderedDict()

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self._handed = OrderedDict()

    def enqueue(self, task: str) -> Any:
        """Refused: a task is enqueued by its row."""
        raise NotImplementedError("Enqueue a task of django-tasks; this broker reads their table.")

    def dequeue(self) -> Messages | None:
        """Up to Q_CLUSTER["bulk"] due tasks. Waits a moment where there are none."""
        close_old_connections()
        tasks = [task for task in self._due() if task[:2] not in self._handed][: Conf.BULK]
        if not tasks:
            time.sleep(Conf.POLL)
            return None
        now = time.monotonic()
        self._handed.update({task[:2]: now for task in tasks})
        limits = {
            name: int(policy.time_limit) + _KILL_AFTER_LIMIT for name, policy in policies().items()
        }
        return [
            (None, run_message(str(task_id), limits.get(queue, limits["default"])))
            for task_id, _, queue in tasks
        ]

    def _due(self) -> Iterable[tuple[UUID, int, str]]:
        oldest = time.monotonic() - HAND_OVER_SECONDS
        while self._handed and next(iter(self._handed.values())) < oldest:
            self._handed.popitem(last=False)
        queues = [name for name, policy in policies().items() if policy.transport == "djangoq"]
        attempts = Func(F("worker_ids"), function="jsonb_array_length", output_field=IntegerField())
        return (
            BackgroundTask.objects.due()
            .in_queues(queues)
            .order_by("-priority", "run_after", "enqueued_at")
            # As many as can be waiting in Django-Q's own queue, and as many again.
            .values_list("pk", attempts, "queue_name")[: Conf.QUEUE_LIMIT + 2 * Conf.BULK]
        )

    def ping(self) -> bool:
        """Always: what is away comes back."""
        return True

    def info(self) -> str:
        """For Django-Q's own monitor."""
        return "igloo's task table"


class TableBroker(IglooBroker, TableSource):
    """The default: PostgreSQL alone."""


class RedisBroker(IglooBroker, Redis):
    """Redis: quicker to hand over, and it forgets what was handed over when a worker dies."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """A client with time-outs: a Redis that hangs does not hang who enqueues."""
        return redis.from_url(Conf.REDIS, socket_connect_timeout=2, socket_timeout=5)


class SqsBroker(IglooBroker, Sqs):
    """SQS: keeps a message until it is acknowledged."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """A session whose clients give up soon: an SQS that hangs does not hang who enqueues."""
        session = Sqs.get_connection(list_key)
        # Longer than a receive waits for messages.
        limits = Config(connect_timeout=2, read_timeout=8, retries={"total_max_attempts": 1})
        session.resource = partial(session.resource, config=limits)
        return session
