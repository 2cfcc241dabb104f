"""How each queue's tasks are run: see TASK_QUEUES in the settings."""

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class QueuePolicy:
    """What holds for every task of a queue. All times are in seconds."""

    # djangoq, zappa, ecs or inline: who runs it.
    transport: str
    # A worker that was not heard of for this long is taken for dead. A running task renews it.
    lease: float
    # An attempt that takes longer is interrupted.
    time_limit: float
    # Runs, the first one included. Then the task is dead, until an operator runs it again.
    max_attempts: int
    # Before the second attempt; twice as long before each further one, up to the cap.
    backoff: float
    backoff_cap: float
    # A message that nobody picked up is sent again after this long.
    resend_after: float

    def pause_after(self, attempt: int) -> dt.timedelta:
        """How long to wait after the attempt of this number (from 1).

        Between half and the whole of the exponential pause, at random: tasks that failed together
        don't come back together.
        """
        longest = min(self.backoff_cap, self.backoff * 2 ** min(attempt - 1, 32))
        return dt.timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311


def policies() -> Mapping[str, QueuePolicy]:
    """The policy of each queue, by its name."""
    return {name: QueuePolicy(**values) for name, values in settings.TASK_QUEUES.items()}


def policy_of(queue: str) -> QueuePolicy:
    """The policy of a queue; a queue that is gone from the settings has that of `default`."""
    return QueuePolicy(**settings.TASK_QUEUES.get(queue, settings.TASK_QUEUES["default"]))
