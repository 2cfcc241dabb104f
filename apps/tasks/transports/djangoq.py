"""The Django-Q cluster of `manage.py task_worker`: a laptop, a container.

By default its broker reads the task table, and nothing has to be sent. Redis (REDIS_URL) and SQS
(TASK_BROKER=sqs) are told the ids.
"""

from collections.abc import Sequence

from django.conf import settings

from apps.tasks.transports import Delivery


def reads_the_table() -> bool:
    """Whether the cluster finds due tasks by itself."""
    return bool(settings.TASK_BROKER == "table")


def send(deliveries: Sequence[Delivery]) -> None:
    """Put the ids on the broker's queue."""
    if reads_the_table():
        return
    # Here: a web server that uses the table needs nothing of Django-Q.
    from django_q.brokers import get_broker

    from apps.tasks.worker.messages import run_message

    broker = get_broker()
    for delivery in deliveries:
        broker.enqueue(run_message(delivery.task_id))
