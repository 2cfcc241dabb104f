"""The id of the task being run, for the log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from apps.common.request_id import as_request

_current: ContextVar[str] = ContextVar("task_id", default="-")


@contextmanager
def as_task(task_id: str, request_id: str) -> Iterator[None]:
    """Until the end, log lines carry this task and the request that caused it."""
    token = _current.set(task_id)
    try:
        with as_request(request_id):
            yield
    finally:
        _current.reset(token)


class TaskIdFilter(logging.Filter):
    """Gives every log record a `task_id`; `-` outside a task."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id; no record is dropped."""
        record.task_id = _current.get()
        return True
