"""What ends an attempt at a task, or keeps one from being enqueued."""

from django_tasks.exceptions import InvalidTaskError


class PermanentError(Exception):
    """Raise it, or a subclass, in a task that can never succeed: it is not tried again.

    Every other exception is retryable: storage was away, a provider was busy, a row was locked.
    """


class InvalidArguments(InvalidTaskError):
    """The arguments can't be kept as JSON, or are too long."""


class UnknownTask(InvalidTaskError):
    """A worker would not find the task by its path."""


class TransportError(Exception):
    """A transport took the task but said that it did not start it."""


class LeaseExpired(Exception):
    """The worker did not renew its lease: it was killed, or lost the database for too long."""


class NeverStarted(Exception):
    """The container that was asked for never began the task."""


class TaskCancelled(Exception):
    """An operator cancelled it."""


class UnstorableResult(PermanentError):
    """The task is done, but what it returned is not JSON. Running it again would not help."""


class Interruption(BaseException):
    """Raised into a running task. Not an Exception, so that no `except Exception` holds it."""


class TimeLimitExceeded(Interruption):
    """The attempt ran longer than its queue allows."""


class LeaseLost(Interruption):
    """Another worker has the task by now, or an operator cancelled it: this run is void."""
