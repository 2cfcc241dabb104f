"""A mail may hold the only way back into an account: an outage of the mail server loses none."""

import inspect

import pytest
from django_tasks.base import Task

from apps.members import tasks
from apps.tasks.policies import policy_of

OF_MAILS = {
    name: task
    for name, task in inspect.getmembers(tasks, lambda found: isinstance(found, Task))
    if name.startswith("mail_") or name == "send_consent_notice"
}
# Enqueues one of the others for each mail.
del OF_MAILS["mail_deletion_links"]


@pytest.mark.parametrize("name", OF_MAILS)
def test_a_mail_is_tried_for_hours(name: str) -> None:
    policy = policy_of(OF_MAILS[name].queue_name)
    pauses = [
        policy.pause_after(attempt).total_seconds() for attempt in range(1, policy.max_attempts)
    ]
    assert sum(pauses) > 3 * 3600


def test_a_mail_that_failed_is_soon_tried_again() -> None:
    """As most outages are short."""
    policy = policy_of("mail")
    assert sum(policy.pause_after(attempt).total_seconds() for attempt in range(1, 5)) <= 150
