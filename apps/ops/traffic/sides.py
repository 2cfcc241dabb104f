"""Whether both sides may share requests: the same commit, and a database that is ready for it.

A commit names its migrations, and /readyz is 200 where the database has every one of them.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from apps.ops.traffic import TrafficError

# Seconds; a function that has slept needs a few.
_TIMEOUT = 30


def refuse_unequal(addresses: Mapping[str, str]) -> None:
    """Ask both sides at their own addresses.

    Raises:
        TrafficError: one can't be asked, is not ready, tells no commit, or another one.
    """
    commits = {}
    for side, address in addresses.items():
        if urlsplit(address).scheme not in ("http", "https"):
            raise TrafficError(f"{address!r} is no address of {side}: https://…")
        commits[side] = _commit(side, f"{address.rstrip('/')}/healthz")
        _get(side, f"{address.rstrip('/')}/readyz")
    for side, commit in commits.items():
        if not commit:
            raise TrafficError(
                f"{side} does not tell which commit it runs: deploy it with `make deploy`, or its "
                "image with IGLOO_COMMIT."
            )
    if len(set(commits.values())) > 1:
        told = ", ".join(f"{side} {commit}" for side, commit in commits.items())
        raise TrafficError(f"The sides run different commits: {told}. Deploy the same to both.")


def _commit(side: str, url: str) -> str | None:
    try:
        told = json.loads(_get(side, url))
    except ValueError as error:
        raise TrafficError(f"What answers {url} is not igloo.") from error
    commit: str | None = told.get("commit") if isinstance(told, dict) else None
    return commit


def _get(side: str, url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - http(s) alone
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(500).decode(errors="replace")
        raise TrafficError(f"{side} answers {url} with {error.code}: {text}") from error
    except OSError as error:
        raise TrafficError(f"{side} does not answer {url}: {error}") from error
    return body
