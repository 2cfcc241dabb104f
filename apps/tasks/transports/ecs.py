"""A one-off Fargate task per background task: what may take longer than Lambda's 15 minutes."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from apps.tasks.errors import TransportError
from apps.tasks.transports import Delivery

_CONNECT_SECONDS = 2
_READ_SECONDS = 5


def send(deliveries: Sequence[Delivery]) -> None:
    """Start a container for each, with `manage.py run_task <id>` as its command.

    Raises:
        TransportError: ECS has no room, or can't start it, and why.
        botocore's errors: it could not be reached within 2 s, or did not answer within 5 s.
    """
    client = _client()
    for delivery in deliveries:
        answer = client.run_task(
            cluster=settings.ECS["cluster"],
            taskDefinition=settings.ECS["task_definition"],
            launchType="FARGATE",
            # ECS starts one container per token, for a day: sent twice, run once. The next attempt
            # has another number, and so another token.
            clientToken=f"{delivery.task_id}-{delivery.attempt}",
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": settings.ECS["subnets"],
                    "securityGroups": settings.ECS["security_groups"],
                    "assignPublicIp": settings.ECS["public_ip"],
                }
            },
            overrides={
                "containerOverrides": [
                    {
                        "name": settings.ECS["container"],
                        "command": ["python", "manage.py", "run_task", delivery.task_id],
                    }
                ]
            },
        )
        if answer["failures"]:
            reasons = ", ".join(str(failure.get("reason")) for failure in answer["failures"])
            raise TransportError(f"ECS did not start task {delivery.task_id}: {reasons}")


def _client() -> Any:
    # Here: a request that enqueues nothing imports no boto3.
    import boto3
    from botocore.config import Config

    return boto3.client(
        "ecs",
        region_name=settings.AWS_REGION,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 1},
        ),
    )
