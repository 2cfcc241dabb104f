"""How AWS refuses, in sentences."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from apps.ops.traffic import Denied, TrafficError

# Seconds. These calls may be sent twice: they read, or set what is already so.
CONFIG = Config(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
)
# The services spell it differently.
_DENIED = {"AccessDenied", "AccessDeniedException"}


@contextmanager
def asking(service: str, resource: str) -> Iterator[None]:
    """Around calls.

    Args:
        service: IAM's prefix of its actions.
        resource: the ARN that a policy would name.

    Raises:
        Denied: by IAM.
        TrafficError: whatever else was wrong.
    """
    try:
        yield
    except ClientError as error:
        action = f"{service}:{error.operation_name}"
        message = error.response["Error"].get("Message", "")
        if error.response["Error"]["Code"] in _DENIED:
            raise Denied(action, resource, message) from error
        raise TrafficError(f"{action} failed: {message}") from error
    except BotoCoreError as error:
        raise TrafficError(f"AWS could not be asked ({service}): {error}") from error
