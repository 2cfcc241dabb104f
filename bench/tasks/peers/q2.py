"""Enqueue with plain django-q2."""

from django_q.brokers import get_broker
from django_q.tasks import async_task

# One for all, as its documentation advises: it would make a connection for each task otherwise.
_BROKER = get_broker()


def send(task: str, number: int) -> None:
    """Enqueue one."""
    async_task(f"bench.tasks.work.{task}", number, broker=_BROKER)
