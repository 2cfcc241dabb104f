"""Celery on Redis without a result backend; what differs between the rows comes in by JSON."""

import json
import os

from celery import Celery

from bench.tasks import work

app = Celery("bench", broker=os.environ["BENCH_REDIS_URL"])
app.conf.update(
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,  # the default, which has to be said to avoid a warning
    **json.loads(os.environ["BENCH_CELERY"]),
)
TASKS = {
    function.__name__: app.task(name=function.__name__)(function)
    for function in (work.noop, work.nap, work.die)
}


def send(task: str, number: int) -> None:
    """Enqueue one."""
    TASKS[task].delay(number)
