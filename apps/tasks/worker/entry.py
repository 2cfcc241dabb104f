"""What the processes of a Django-Q cluster call."""

import logging
import multiprocessing
import time

from django.conf import settings
from django.db import Error
from django.db.models.functions import Now

from apps.tasks.models import WorkerPulse
from apps.tasks.runner import run_task

logger = logging.getLogger(__name__)

# Set when the cluster is to end. Made before it forks, so that all of its processes share it.
stopping = multiprocessing.Event()
# Seconds between two signs of life.
PULSE_SECONDS = 5.0
_beat_due = 0.0


def run(task_id: str) -> None:
    """Run a task, unless the cluster is about to end: then it is left to the next one."""
    if stopping.is_set():
        return
    beat()
    try:
        run_task(task_id)
    except Error:
        # Django-Q would want to write its failure to the same database. The row waits.
        logger.exception("task %s could not be claimed, or its end not be written", task_id)


def beat() -> None:
    """Note that a worker of this cluster takes what it is given; each process now and then."""
    global _beat_due
    if time.monotonic() < _beat_due:
        return
    _beat_due = time.monotonic() + PULSE_SECONDS / 2
    try:
        WorkerPulse.objects.bulk_create(
            [WorkerPulse(name=settings.TASK_WORKER_NAME, beat_at=Now())],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["beat_at"],
        )
    except Error as error:
        logger.warning("the worker's pulse could not be written: %s", str(error).strip())
