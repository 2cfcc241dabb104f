"""What AWS refuses, in sentences, and waiting for what it does later."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")

# The services spell it differently.
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_WHAT = re.compile(
    r"(\S+) is not authorized to perform: (\S+?)(?: on resource: (\S+?))?(?:[.\s]|$)"
)
# Seconds between two looks, at most.
_PAUSE = 15.0


def explained(error: Exception) -> str:
    """What went wrong; of a call that IAM denied, what to grant to whom."""
    if not isinstance(error, ClientError) or error.response["Error"]["Code"] not in _DENIED:
        return str(error)
    message = error.response["Error"].get("Message", "")
    found = _WHAT.search(message)
    who, action, resource = found.groups() if found else ("whoever deploys", None, None)
    return (
        f"AWS denies {error.operation_name}: grant {action or error.operation_name} on "
        f"{resource or 'what it is about'} to {who}. deploy/deployer-role.json, with OnEcs=true, "
        f"grants GitHub what a release needs. AWS says: {message}"
    )


def until(ask: Callable[[], T | None], seconds: float) -> T | None:
    """Ask until something comes back, ever more slowly; None when that takes too long."""
    end = time.monotonic() + seconds
    pause = 0.5
    while (found := ask()) is None:
        left = end - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _PAUSE)
    return found
