"""The Django-Q cluster, ended with care."""

import os
import signal
import threading
import time
from types import FrameType

from django_q.cluster import Cluster

from apps.tasks.worker import entry

_LOOK_SECONDS = 1.0


class TaskCluster(Cluster):
    """Ends as Django-Q does, but begins no further task once it was told to."""

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """TERM, INT: what runs may end; what only waits in the cluster's queue is left."""
        entry.stopping.set()
        super().sig_handler(signum, frame)


def run_cluster(supervisor: int | None) -> None:
    """Run until a signal, or until the supervisor, where there is one, is gone.

    `supervisor` is its pid. Asked for here, it could be that of whoever inherits its children.
    """
    parent = supervisor or os.getppid()
    cluster = TaskCluster()
    cluster.start()
    threading.Thread(target=_end_with, args=[parent], daemon=True).start()
    while cluster.sentinel.is_alive():
        time.sleep(_LOOK_SECONDS / 5)


def _end_with(parent: int) -> None:
    """A supervisor that was killed can't end its cluster, and the next one brings its own."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.killpg(0, signal.SIGKILL)
