"""How a task's id reaches what runs it.

Each module here has one function, `send(deliveries)`. A transport may fail, hang until its
time-out, lose a message or bring it twice: the row is what counts, and the sweeper sends it again.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import groupby
from typing import Any

from django.db import transaction

from apps.tasks.errors import TransportError
from apps.tasks.policies import policy_of

logger = logging.getLogger(__name__)

# A transport that did not answer is left in peace for so many seconds: a request that enqueues ten
# tasks waits for one time-out, not for ten. The sweeper sends what was not sent.
_REST_SECONDS = 10.0
# A failure that took longer was one to wait for.
_SLOW_SECONDS = 1.0
_away_until: dict[str, float] = {}
NAMES = ("djangoq", "zappa", "ecs", "inline")


@dataclass(frozen=True)
class Delivery:
    """What is sent: the id, and the number of the attempt that it asks for (from 1)."""

    task_id: str
    attempt: int


def send_on_commit(rows: Iterable[Any]) -> None:
    """Hand tasks to their transports once the transaction is committed; never if it is not.

    Those for later are left to the sweeper.
    """
    from apps.tasks.models import Resending  # the backend is made before models are loaded

    to_send = [row for row in rows if needs_sending(policy_of(row.queue_name).transport)]
    Resending.objects.bulk_create(
        Resending(task=row, times=0, next_at=row.run_after) for row in to_send if row.deferred
    )
    for transport, deliveries in _by_transport(row for row in to_send if not row.deferred):
        transaction.on_commit(partial(_send_unless_away, transport, deliveries))


def send(transport: str, deliveries: Sequence[Delivery]) -> bool:
    """Hand tasks to a transport now. Whether it took them; its errors are logged, not raised."""
    started = time.monotonic()
    try:
        import_module(f"apps.tasks.transports.{transport}").send(deliveries)
    except Exception as error:
        # Whatever it is: the rows are written, and the sweeper will send them again.
        logger.exception("transport %s did not take %d tasks", transport, len(deliveries))
        hung = isinstance(error, TimeoutError) or time.monotonic() - started > _SLOW_SECONDS
        if hung and not isinstance(error, TransportError):
            _away_until[transport] = time.monotonic() + _REST_SECONDS
        return False
    return True


def _send_unless_away(transport: str, deliveries: Sequence[Delivery]) -> None:
    if time.monotonic() >= _away_until.get(transport, 0):
        send(transport, deliveries)


def needs_sending(transport: str) -> bool:
    """Whether a task has to be sent at all, or is found in its table by a worker."""
    if transport == "djangoq":
        from apps.tasks.transports import djangoq

        return not djangoq.reads_the_table()
    return True


def _by_transport(rows: Iterable[Any]) -> list[tuple[str, list[Delivery]]]:
    pairs = [
        (policy_of(row.queue_name).transport, Delivery(str(row.pk), row.attempt + 1))
        for row in rows
    ]
    pairs.sort(key=lambda pair: pair[0])
    return [
        (transport, [delivery for _, delivery in group])
        for transport, group in groupby(pairs, key=lambda pair: pair[0])
    ]
