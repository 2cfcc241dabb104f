"""The servers that the contestants keep their tasks in: a Redis and a PostgreSQL of our own."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import redis
from psycopg2 import sql

from bench.data import CHECKOUT
from igloo.laptop import postgres, programs
from igloo.laptop.places import LaptopError

START_SECONDS = 20.0
# Said when it is missing, and what needs it is left out.
NO_REDIS = (
    "redis-server is not installed, so nothing is measured against Celery and django-q2 on Redis"
    " (Debian and Ubuntu: apt install redis-server)."
)


def has_redis() -> bool:
    """Whether a Redis server can be started."""
    return shutil.which("redis-server") is not None


class Redis:
    """A Redis on a free port of the loopback address, in memory or with its log of writes."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.durable = durable
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, socket_timeout=2)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when it has read its log and answers."""
        found = shutil.which("redis-server")
        if found is None:
            raise LaptopError(NO_REDIS)
        settings = ["--save", "", "--appendonly", "yes" if self.durable else "no"]
        settings += ["--appendfsync", "everysec", "--daemonize", "no"]
        settings += ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                programs.leashed([found, *settings], signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.client.ping()
            except redis.RedisError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise LaptopError(f"redis-server did not start: {error}") from error
                time.sleep(0.02)
            else:
                return

    def empty(self) -> None:
        """Forget everything: what an experiment left is not the next one's."""
        if self.process:
            self.client.flushall()

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class Postgres:
    """A PostgreSQL as it comes: what it says is written is on the disk."""

    def __init__(self, folder: Path) -> None:
        # Thrown away in the end; fsync and synchronous_commit stay on all the same.
        self.server = postgres.Server(folder, postgres.SETTINGS, throw_away=True)
        self._made = 0
        self._templates: set[str] = set()

    def start(self) -> None:
        """Start, and return when queries are answered."""
        self.server.start()

    def stop(self) -> None:
        """End it in order."""
        self.server.stop()

    def kill(self) -> None:
        """End all of it at once, if it runs: the next start replays the log."""
        if self.server.process:
            with suppress(psutil.NoSuchProcess):
                # The main one first, so that it starts no other.
                main = psutil.Process(self.server.process.pid)
                for process in [main, *main.children(recursive=True)]:
                    process.kill()
            self.server.stop()

    def database(self, kind: str, migrate: Sequence[str], environment: Mapping[str, str]) -> str:
        """The URL of a new database of this kind, which `migrate` makes the first time."""
        if kind not in self._templates:
            self.server.ensure_database(kind)
            done = subprocess.run(
                migrate,
                cwd=CHECKOUT,
                env={**os.environ, **environment, "DATABASE_URL": self.server.url(kind)},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise LaptopError(f"{kind} could not be migrated:\n{done.stderr[-2000:]}")
            self._templates.add(kind)
        self._made += 1
        name = f"{kind}_{self._made}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(statement.format(sql.Identifier(name), sql.Identifier(kind)))
        # What copying left to be written is not to be written while something is measured.
        self._run(sql.SQL("CHECKPOINT"))
        return self.server.url(name)

    def _run(self, statement: sql.Composable) -> None:
        with closing(psycopg2.connect(self.server.url("postgres"))) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)


def count(url: str, query: str) -> int:
    """The one number that a query on this database gives."""
    with closing(psycopg2.connect(url, connect_timeout=2)) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        row: tuple[Any, ...] = cursor.fetchone() or (0,)
        return int(row[0])


class Stores:
    """A folder, and what runs in it: `postgres`, and `redis` where there is one."""

    def __init__(self, folder: Path, *, durable_redis: bool) -> None:
        self.folder = folder
        self.postgres = Postgres(folder)
        self.redis = Redis(folder, durable=durable_redis)


@contextmanager
def running(*, durable_redis: bool) -> Iterator[Stores]:
    """Both servers, for as long as the block runs; then nothing is left of them.

    Raises:
        LaptopError: one can't start.
    """
    # Named and locked as `postgres.temporary` does, which removes it after a `kill -9` of ours.
    folder = Path(tempfile.mkdtemp(prefix="igloo-test-"))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.geteuid() == 0:
            folder.chmod(0o755)  # PostgreSQL runs as another account
        stores = Stores(folder, durable_redis=durable_redis)
        try:
            stores.postgres.start()
            if has_redis():
                stores.redis.start()
            yield stores
        finally:
            stores.redis.kill()
            stores.postgres.stop()
            # The socket's folder is elsewhere where this one's path is long.
            for path in (folder, stores.postgres.server.socket_folder.parent):
                shutil.rmtree(path, ignore_errors=True)
