"""The id of the request being answered, for answers, logs and the tasks that it causes."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from apps.common.ids import uuid7

_current: ContextVar[str] = ContextVar("request_id", default="-")
# What a caller may choose: nothing that could forge a line of a log.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9_-]{8,64}")


def current_request_id() -> str:
    """The id of the request that this thread answers or last answered; `-` before the first."""
    return _current.get()


def start_request(offered: str | None) -> str:
    """Take the caller's id where it is harmless, else a new one; it is current from here on."""
    request_id = offered if offered and _ACCEPTABLE.fullmatch(offered) else str(uuid7())
    _current.set(request_id)
    return request_id


@contextmanager
def as_request(request_id: str) -> Iterator[None]:
    """Until the end, this is the current id: work that an earlier request caused is done."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)


class RequestIdFilter(logging.Filter):
    """Gives every log record a `request_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id; no record is dropped."""
        record.request_id = current_request_id()
        return True
