"""Lambda: each task is one more, asynchronous invocation of this same function.

The event is the one that `zappa.asynchronous` sends. That module itself is not used for sending:
it makes four boto clients when it is imported, with time-outs of a minute, so that a request in a
VPC without a way out would hang until API Gateway gives up.
"""

import json
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings

from apps.tasks.errors import TransportError
from apps.tasks.transports import Delivery

# Calls at the same time, for a fan-out.
_PARALLEL = 10
# Of what one commit enqueued. A request has seconds; the sweeper, each minute, sends the rest.
_MOST = 500
_CONNECT_SECONDS = 2
_READ_SECONDS = 5


def send(deliveries: Sequence[Delivery]) -> None:
    """Invoke the function once per task.

    Raises:
        TransportError: Lambda did not accept one.
        botocore's errors: it could not be reached within 2 s, or did not answer within 5 s.
    """
    client = _client()
    now = deliveries[:_MOST]
    if len(now) == 1:
        _invoke(client, now[0])
        return
    away = threading.Event()
    with ThreadPoolExecutor(_PARALLEL) as pool:
        calls = [pool.submit(_invoke_unless, away, client, delivery) for delivery in now]
    # One that is refused holds back no other; the first error is raised here.
    for call in calls:
        call.result()


def event_of(task_id: str) -> dict[str, Any]:
    """The event with which Zappa's handler calls `run_task`."""
    return {
        "command": "zappa.asynchronous.route_lambda_task",
        "task_path": "apps.tasks.runner.run_task",
        "capture_response": False,
        "response_id": None,
        "args": [task_id],
        "kwargs": {},
    }


def _invoke_unless(away: threading.Event, client: Any, delivery: Delivery) -> None:
    """Invoke, unless Lambda was found not to answer: each further try would hang as long."""
    if away.is_set():
        return
    try:
        _invoke(client, delivery)
    except TransportError:
        raise
    except Exception:
        away.set()
        raise


def _invoke(client: Any, delivery: Delivery) -> None:
    from botocore.exceptions import ClientError

    try:
        answer = client.invoke(
            FunctionName=settings.TASK_LAMBDA_FUNCTION,
            InvocationType="Event",
            Payload=json.dumps(event_of(delivery.task_id)).encode(),
        )
    except ClientError as error:
        raise TransportError(f"Lambda refused {delivery.task_id}: {error}") from error
    if answer["StatusCode"] != 202:
        raise TransportError(f"Lambda answered {answer['StatusCode']} for {delivery.task_id}")


def _client() -> Any:
    # Here: a request that enqueues nothing imports no boto3.
    import boto3
    from botocore.config import Config

    return boto3.client(
        "lambda",
        region_name=settings.AWS_REGION,
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL_LAMBDA"),
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            # The sweeper tries again; a request does not wait for it.
            retries={"total_max_attempts": 1},
            max_pool_connections=_PARALLEL,
        ),
    )
