"""The servers that are compared, each in a process of its own on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.data import CHECKOUT
from igloo.laptop import programs
from igloo.laptop.places import LaptopError

MEDIA = "https://media.igloo.example/"
_READY_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """`name` for the table; `url` of its only page that is measured."""

    name: str
    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system together, of all its processes."""
        family = [self.process, *self.process.children(recursive=True)]
        times = [process.cpu_times() for process in family]
        return sum(each.user + each.system for each in times)


def gunicorn(database_url: str) -> tuple[list[str], Mapping[str, str]]:
    """igloo as a container runs it, with one process."""
    command = [
        sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "igloo.wsgi",
    ]  # fmt: skip
    return command, {
        "DATABASE_URL": database_url,
        "DB_CONN_MAX_AGE": "600",
        "HOST": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        # Photos on S3: their addresses are made, and nothing is asked for.
        "MEDIA_BUCKET": "igloo-media",
        "MEDIA_URL": MEDIA,
        "STAGE": "local",
        "WEB_CONCURRENCY": "1",
    }


def uvicorn(database_url: str) -> tuple[list[str], Mapping[str, str]]:
    """FastAPI and SQLAlchemy, with uvloop and httptools, one process."""
    command = [
        sys.executable, "-m", "uvicorn", "bench.web.peer:app", "--no-access-log", "--loop",
        "uvloop", "--http", "httptools", "--port", "{port}",
    ]  # fmt: skip
    return command, {
        "BENCH_MEDIA_URL": MEDIA,
        "BENCH_SQLALCHEMY_URL": database_url.replace("postgresql://", "postgresql+asyncpg://"),
    }


@contextmanager
def running(name: str, command: list[str], variables: Mapping[str, str]) -> Iterator[Server]:
    """Start it, and stop it at the end of the block.

    Raises:
        LaptopError: it does not answer.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    words = [word.format(port=port) for word in command]
    process = subprocess.Popen(
        programs.leashed(words, signal.SIGKILL),
        cwd=CHECKOUT,
        env=os.environ | dict(variables) | {"PORT": str(port)},
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}/healthz")
        yield Server(name, port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - on loopback
        except urllib.error.HTTPError as error:
            error.close()
            return  # it answers, if only that there is no such page
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise LaptopError(f"{url} does not answer")
