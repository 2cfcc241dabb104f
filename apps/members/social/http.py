"""Calls to providers: short, small, and none while one is known to be down.

`http.client` heeds no proxy of the environment and follows no redirect: a provider's answer comes
from the address in the settings or not at all.
"""

import http.client
import logging
import math
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from django.core.cache import caches

from apps.members.errors import ProviderUnavailable, SocialTokenInvalid

logger = logging.getLogger(__name__)

CONNECT_SECONDS, READ_SECONDS = 2.0, 4.0
# Bytes: the largest answer, Google's or Apple's keys, has some 5,000.
LONGEST_ANSWER = 256 * 1024
# Seconds without a call after a failure: 2, then twice as long each time, up to this.
LONGEST_PAUSE = 60
# What is wrong with this service, not with the code: RFC 6749, 5.2, and Facebook's numbers of a
# wrong secret and a wrong id.
_CLIENT_REFUSED = ("invalid_client", "unauthorized_client", 1, 101)
# Seconds that failures are remembered for.
_REMEMBERED = 600


@dataclass(frozen=True)
class Answer:
    """A status, and the JSON object that came with it; empty where there was none."""

    status: int
    data: Mapping[str, Any]


def call(
    provider: str,
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A provider's answer below 500.

    Raises:
        ProviderUnavailable: it is down, overloaded, or answers what is not JSON.
    """
    failures = require_up(provider)
    try:
        status, body = _exchange(method, url, query, form, headers or {})
    except (OSError, http.client.HTTPException) as error:
        note_failure(provider, failures)
        # The address without its query, which may hold a token.
        logger.warning("%s does not answer at %s: %r", provider, url, error)
        raise unavailable() from error
    if failures:
        caches["shared"].delete(_down_key(provider))
    data = _object(body)
    if status >= 500 or status == http.HTTPStatus.TOO_MANY_REQUESTS:
        logger.warning("%s answers %s at %s", provider, status, url)
        raise unavailable()
    if 200 <= status < 400 and (data is None or status >= 300):
        logger.warning("%s answers %s at %s without a JSON object", provider, status, url)
        raise unavailable()
    return Answer(status, data or {})


def exchange_code(provider: str, url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    """What a provider gives for a code, by RFC 6749, 4.1.3.

    Raises:
        SocialTokenInvalid: the code is none, or is spent.
        ProviderUnavailable: also where it does not take this service for its client.
    """
    answer = call(provider, "POST", url, form={**form, "grant_type": "authorization_code"})
    # Naver says what is wrong with status 200.
    error = answer.data.get("error")
    cause = error.get("code") if isinstance(error, dict) else error
    if cause in _CLIENT_REFUSED:
        logger.error("%s refuses the client id or secret of the settings: %s", provider, cause)
        raise unavailable()
    if answer.status != http.HTTPStatus.OK or error is not None:
        raise SocialTokenInvalid
    return answer.data


def require_up(provider: str) -> int:
    """How often the provider failed lately; raises ProviderUnavailable in the pause after that."""
    state = caches["shared"].get(_down_key(provider))
    if state is None:
        return 0
    left = state["until"] - time.time()
    if left > 0:
        raise unavailable(left)
    failures: int = state["failures"]
    return failures


def note_failure(provider: str, failures_before: int) -> None:
    """Have all processes leave the provider alone for a while."""
    failures = failures_before + 1
    pause = min(LONGEST_PAUSE, 2**failures)
    state = {"until": time.time() + pause, "failures": failures}
    caches["shared"].set(_down_key(provider), state, _REMEMBERED)


def unavailable(seconds: float = 2) -> ProviderUnavailable:
    """The error, with a `Retry-After`."""
    return ProviderUnavailable(headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def _down_key(provider: str) -> str:
    return f"social-down-{provider}"


def _exchange(
    method: str,
    url: str,
    query: Mapping[str, str] | None,
    form: Mapping[str, str] | None,
    headers: Mapping[str, str],
) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)
    # http.client's own hook; socket.create_connection gives each address the whole time.
    connection._create_connection = _connected  # type: ignore[attr-defined]
    try:
        connection.connect()
        deadline = time.monotonic() + READ_SECONDS
        connection.sock.settimeout(READ_SECONDS)
        path = f"{parts.path}?{urlencode(query)}" if query else parts.path
        body = urlencode(form) if form is not None else None
        sent = {"Accept": "application/json", **headers}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded;charset=utf-8"
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return response.status, _read(response, deadline)
    finally:
        connection.close()


def _connected(address: tuple[str, int], timeout: float, *_source: object) -> socket.socket:
    """A connection to one of the first two addresses that a name has, within the time."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[:2]
    errors: list[Exception] = []
    for family, kind, protocol, _name, where in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(timeout / len(found))
        try:
            connection.connect(where)
        except OSError as error:
            connection.close()
            errors.append(error)
        else:
            return connection
    raise OSError(f"no address answers: {errors}")


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body; raises OSError past the deadline or the size."""
    body = b""
    while chunk := response.read1(LONGEST_ANSWER + 1):
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise OSError("the answer is too long")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer takes too long")
    return body


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None
