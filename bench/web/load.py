"""Requests over kept connections: as fast as answers come, or at a pace."""

import http.client
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from igloo.laptop.places import LaptopError

CONNECTIONS = 4


@dataclass(frozen=True)
class Percentiles:
    """Of answer times, in ms."""

    p50: float
    p95: float
    p99: float


def get(connection: http.client.HTTPConnection, path: str) -> bytes:
    """One answer's body.

    Raises:
        LaptopError: it was not 200.
    """
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise LaptopError(f"{path} was answered {answer.status}: {body[:300]!r}")
    return body


def as_fast_as_possible(port: int, path: str, requests: int) -> float:
    """Answers per second (wall time), each connection asking again when it was answered."""
    each = requests // CONNECTIONS
    began = time.perf_counter()
    _at_once(port, lambda connection, _: [get(connection, path) for _ in range(each)])
    return each * CONNECTIONS / (time.perf_counter() - began)


def at_a_pace(port: int, path: str, per_second: float, seconds: float) -> Percentiles:
    """Requests at their times, whether the last one was answered or not: from when each was due."""
    times: list[float] = []
    interval = CONNECTIONS / per_second
    start = time.perf_counter() + 0.1

    def send(connection: http.client.HTTPConnection, number: int) -> None:
        for turn in range(int(seconds / interval)):
            due = start + turn * interval + number * interval / CONNECTIONS
            time.sleep(max(0.0, due - time.perf_counter()))
            get(connection, path)
            times.append((time.perf_counter() - due) * 1000)

    _at_once(port, send)
    cuts = statistics.quantiles(times, n=100)
    return Percentiles(cuts[49], cuts[94], cuts[98])


def _at_once(port: int, work: Callable[[http.client.HTTPConnection, int], object]) -> None:
    errors: list[Exception] = []

    def run(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            work(connection, number)
        except (LaptopError, OSError, http.client.HTTPException) as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise LaptopError(f"a request failed: {errors[0]}")
