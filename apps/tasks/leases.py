"""Holding a task while it runs: its lease is renewed, and its time limit kept."""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection

from apps.tasks.errors import Interruption, LeaseLost, TimeLimitExceeded
from apps.tasks.models import BackgroundTask, lease_end
from apps.tasks.policies import QueuePolicy

logger = logging.getLogger(__name__)

# Seconds between two looks at the leases of this process.
_LOOK = 0.2


class Lease:
    """The lease of one attempt that begins now."""

    def __init__(self, task: BackgroundTask, policy: QueuePolicy) -> None:
        self.lost = False
        # What was raised into the task, if anything was.
        self.interruption: Interruption | None = None
        self._task = task
        self._seconds = policy.lease
        self.time_limit = policy.time_limit
        self._interrupts = threading.current_thread() is threading.main_thread()
        self._renew_at = time.monotonic() + policy.lease / 3
        # Not for ever: a task that nothing can interrupt, deep in C code, loses it in the end.
        self._renew_until = time.monotonic() + policy.time_limit

    def is_due(self) -> bool:
        """Whether it is time to renew it."""
        return not self.lost and self._renew_at <= time.monotonic() < self._renew_until

    def renew(self) -> None:
        """Renew it, or find that the row is no longer this attempt's."""
        self._renew_at = time.monotonic() + self._seconds / 3
        try:
            renewed = BackgroundTask.objects.owned(self._task).update(
                run_after=lease_end(self._seconds)
            )
        except Error as error:  # away, or read-only for a while
            logger.warning("a lease could not be renewed: %s", str(error).strip())
            return
        self.lost = not renewed

    def interrupt(self) -> None:
        """End what runs, where it can be ended."""
        if self._interrupts:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)


class _Keeper:
    """Renews the leases of this process, from a thread that lives while there are any.

    One thread for all of them: one for each would cost a short task more than the task itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: set[Lease] = set()
        self._thread: threading.Thread | None = None

    def add(self, lease: Lease) -> None:
        """Renew the lease from now on."""
        with self._lock:
            self._leases.add(lease)
            # A fork takes no thread along.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
                self._thread.start()

    def drop(self, lease: Lease) -> None:
        """Renew it no longer. When this returns, it interrupts nothing any more."""
        with self._lock:
            self._leases.discard(lease)

    def _keep(self) -> None:
        while True:
            time.sleep(_LOOK)
            with self._lock:
                due = [lease for lease in self._leases if lease.is_due()]
                if not self._leases:
                    self._thread = None
                    return
            for lease in due:
                lease.renew()
                with self._lock:
                    if lease.lost and lease in self._leases:
                        lease.interrupt()
            if due:
                connection.close()  # this thread's own; the next renewal is far off


_keeper = _Keeper()


@contextmanager
def leased(lease: Lease) -> Iterator[None]:
    """Keep the lease while the block runs, and the block within its time limit.

    Signals reach the main thread alone, which is where workers and Lambda run tasks. Elsewhere
    (`inline`, in a web server's thread) nothing is interrupted.

    Raises:
        TimeLimitExceeded: it ran too long.
        LeaseLost: the row has become another attempt's, or was cancelled.
    """
    if threading.current_thread() is not threading.main_thread():
        _keeper.add(lease)
        try:
            yield
        finally:
            _keeper.drop(lease)
        return

    running = True

    def interrupt(number: int, frame: Any) -> None:
        if running:
            lease.interruption = (
                LeaseLost()
                if lease.lost
                else TimeLimitExceeded(f"longer than {lease.time_limit:g} s")
            )
            raise lease.interruption

    before = signal.signal(signal.SIGALRM, interrupt)
    # What remains of a limit outside of this one: Django-Q's, or that of a task that runs this one.
    remaining, _ = signal.setitimer(signal.ITIMER_REAL, lease.time_limit)
    began = time.monotonic()
    _keeper.add(lease)
    try:
        try:
            yield
        finally:
            running = False
    finally:
        # In this order: a signal that found its handler gone would end the process.
        _keeper.drop(lease)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if remaining:
            left = remaining - (time.monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
