"""Runs tasks at once, in the process that committed them. For tests and scripts."""

from collections.abc import Sequence

from apps.tasks.runner import run_task
from apps.tasks.transports import Delivery


def send(deliveries: Sequence[Delivery]) -> None:
    """Run each. One that is to be tried again waits for the sweeper."""
    for delivery in deliveries:
        run_task(delivery.task_id)
