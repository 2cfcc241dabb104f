"""`manage.py task_worker`: a Django-Q cluster, and beside it what repairs what it can't see.

Django-Q mends a worker that dies while it works. It does not notice when one dies idle: the dead
process holds the lock of the queue, and the cluster stands still while all of it lives. And if its
own guard is killed, nothing starts another.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType

from django.conf import settings
from django.db import Error, close_old_connections, connection

from apps.tasks.health import is_frozen, longest_wait, running_tasks
from apps.tasks.periodic import fire_missed, sync_schedules
from apps.tasks.sweeper import sweep_tasks

logger = logging.getLogger(__name__)

# Seconds.
STOP_SECONDS = 110.0  # that running tasks have, once the end was asked for; ECS kills after 120
_LOOK_SECONDS = 0.2
_LONGEST_PAUSE = 30.0  # before a cluster that ended by itself is started anew
_TELL_SECONDS = 60.0  # between two lines about the longest wait; a metric's shortest period
_FORGET_SECONDS = 300.0  # how long an end counts for the next pause
# Sweeps that must find the cluster frozen, one after the other. One whose database has just come
# back needs a moment before it shows life.
_FROZEN_LOOKS = 3
# At the end, looks that must find none of its tasks running, a second apart.
_IDLE_LOOKS = 5


class Supervisor:
    """Starts the cluster, sweeps, restarts it where it ended or froze, ends it."""

    def __init__(self) -> None:
        self._cluster: subprocess.Popen[bytes] | None = None
        self._stop = False
        self._ends: list[float] = []
        self._start_at = 0.0
        self._sweep_at = 0.0
        self._tell_at = 0.0
        self._started_at = 0.0
        self._frozen_looks = 0
        self._synced = False

    def run(self) -> int:
        """Run until TERM or INT; 0 where all running tasks could end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            while not self._stop:
                self._look_after_cluster()
                self._repair()
                time.sleep(_LOOK_SECONDS)
            return self._end()
        finally:
            self._kill()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop = True

    def _look_after_cluster(self) -> None:
        now = time.monotonic()
        if self._cluster is not None and self._cluster.poll() is not None:
            logger.error("the cluster ended by itself (%s)", self._cluster.returncode)
            self._kill()
            self._plan_start(now)
        if self._cluster is None and now >= self._start_at:
            self._cluster = subprocess.Popen(
                [
                    *(sys.executable, sys.argv[0], "task_worker"),
                    *("--cluster", f"--supervisor={os.getpid()}"),
                ],
                stdin=subprocess.DEVNULL,
                # Connections are kept, and not asked before each task whether they still work:
                # run_task makes a new one where it finds the old one broken.
                env=os.environ | {"DB_CONN_MAX_AGE": "600", "DB_CONN_HEALTH_CHECKS": "no"},
                # A group of its own, so that all of it can be ended.
                process_group=0,
            )
            self._started_at = now
            self._frozen_looks = 0

    def _plan_start(self, now: float) -> None:
        self._ends = [at for at in self._ends if now - at < _FORGET_SECONDS] + [now]
        self._start_at = now + min(2.0 ** (len(self._ends) - 1) - 1, _LONGEST_PAUSE)

    def _repair(self) -> None:
        now = time.monotonic()
        if now < self._sweep_at:
            return
        self._sweep_at = now + settings.TASK_SWEEP_SECONDS
        try:
            close_old_connections()
            if not self._synced:
                for change in sync_schedules():
                    logger.info("schedule %s", change)
                self._synced = True
            sweep_tasks()
            fire_missed()
            frozen = is_frozen(settings.TASK_WORKER_NAME)
            self._tell(now)
        except Error as error:
            logger.warning("the database can't be asked: %s", str(error).strip())
            connection.close()
            return
        # One that has just started has not shown life yet.
        started = now - self._started_at >= settings.TASK_FROZEN_SECONDS
        self._frozen_looks = self._frozen_looks + 1 if frozen and started else 0
        if self._frozen_looks == _FROZEN_LOOKS:
            logger.error("the cluster is frozen: it is killed and started anew")
            self._kill()
            self._plan_start(now)

    def _tell(self, now: float) -> None:
        """Log the longest wait: deploy/ecs.yaml makes a metric of it, which scales the workers."""
        if settings.DEPLOYED and now >= self._tell_at:
            self._tell_at = now + _TELL_SECONDS
            logger.info("oldest_due_seconds %.1f", longest_wait())

    def _end(self) -> int:
        """Let running tasks end."""
        if self._cluster is None:
            return 0
        self._cluster.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        idle = 0
        while time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                self._cluster.wait(1)
                return 0
            idle = idle + 1 if self._runs_nothing() else 0
            if idle == _IDLE_LOOKS:
                logger.warning("nothing runs, and the cluster does not end: it is killed")
                return 0
        logger.error("tasks still run after %.0f s: they are cut off", STOP_SECONDS)
        return 1

    def _runs_nothing(self) -> bool:
        """Whether none of this worker's tasks is running.

        Django-Q waits for ever for a process that waits for the lock of one that was killed.
        """
        try:
            close_old_connections()
            return running_tasks(settings.TASK_WORKER_NAME) == 0
        except Error as error:
            logger.warning("the database can't be asked: %s", str(error).strip())
            connection.close()
            return False

    def _kill(self) -> None:
        """Kill what is left of the cluster's group: its guard may be gone, and its workers not."""
        if self._cluster is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie
            os.killpg(self._cluster.pid, signal.SIGKILL)
        self._cluster.wait()
        self._cluster = None
