"""One contestant: its workers, a client that enqueues, and what it has left to do."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import psutil

from bench.data import CHECKOUT
from bench.tasks.ledger import PATH_VARIABLE, Ledger
from bench.tasks.stores import Stores
from igloo.laptop import programs
from igloo.laptop.places import LaptopError

# In the environment of every process of a contestant, whatever becomes of its parents and groups:
# how all of them are found, and nothing else. Who started them, which contestant, which part.
MARK_VARIABLE = "BENCH_MARK"
_OWNER = f"{os.getpid()}@{psutil.Process().create_time():.0f}"
# Set to end all that is under way, in whichever thread.
interrupted = threading.Event()
READY_SECONDS = 60.0
ENQUEUE_SECONDS = 60.0
WARM_UP = 40


@dataclass(frozen=True)
class Enqueued:
    """When enqueueing began and ended, on the monotonic clock, and its seconds of CPU."""

    began: float
    ended: float
    cpu: float


class System(ABC):
    """What is measured. Used in `running`; a new object for each experiment."""

    name: str
    # The module that enqueues, see `client`.
    sender: str
    # Where its queue lives.
    store: Literal["redis", "postgres"]

    def __init__(self, stores: Stores, *, workers: int) -> None:
        self.stores = stores
        self.workers = workers
        stores.redis.empty()
        self.id = f"{_OWNER}-{uuid.uuid4().hex[:12]}"
        self.ledger = Ledger(stores.folder / f"ledger-{self.id}")
        self._log = (stores.folder / f"log-{self.id}").open("ab")
        self._client: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """What its processes need beside the common environment."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command that runs its workers."""

    @abstractmethod
    def left(self) -> int:
        """How many tasks its store still holds: waiting, or handed out and not done with."""

    # --- Processes ---

    @contextmanager
    def running(self) -> Iterator["System"]:
        """Its client and workers, which have run some tasks, for as long as the block runs."""
        try:
            self.start_client()
            self.start_workers()
            self.warm_up()
            yield self
        finally:
            self.stop()

    def start_client(self) -> None:
        """Start the process that enqueues, and wait until it can."""
        self._client = self._spawn(
            [sys.executable, "-m", "bench.tasks.client", self.sender], "client", piped=True
        )
        self._client_says(READY_SECONDS)

    def start_workers(self) -> None:
        """Start the workers; they are not waited for."""
        self._worker = self._spawn(self.command(), "worker")

    def warm_up(self) -> None:
        """Run tasks until each worker may be expected to have had some."""
        self.enqueue("noop", WARM_UP, first=-WARM_UP)
        self.wait(lambda: len(self.ledger.notes) >= WARM_UP and not self.left(), READY_SECONDS)

    def kill_workers(self) -> None:
        """`kill -9` for everything but the client, until nothing of it is left."""
        self._kill_all("worker")
        if self._worker:
            self._worker.wait()
            self._worker = None

    def stop(self) -> None:
        """End every process, wherever it has got to."""
        self.kill_workers()
        self._kill_all("client")
        if self._client:
            self._client.wait()
            self._client = None
        self.ledger.close()
        self._log.close()

    def worker_pids(self) -> list[int]:
        """The live processes that have run a task."""
        pids = {note.pid for note in self.ledger.read().notes}
        return [pid for pid in pids if psutil.pid_exists(pid)]

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that its processes wrote."""
        text = (self.stores.folder / f"log-{self.id}").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _spawn(self, command: list[str], role: str, *, piped: bool = False) -> Any:
        marks = {
            PATH_VARIABLE: str(self.ledger.path),
            MARK_VARIABLE: f"{self.id}-{role}",
            # setproctitle, where it is installed, would write over the mark.
            "SPT_NOENV": "1",
        }
        return subprocess.Popen(
            programs.leashed(command, signal.SIGKILL),
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else self._log,
            stderr=self._log,
            cwd=CHECKOUT,
            env={**_own_environment(), **self.environment(), **marks},
            process_group=0,
        )

    def _kill_all(self, role: str) -> None:
        # Again and again, since one that is about to die may start another.
        while found := _marked(f"{self.id}-{role}"):
            for process in found:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(found, timeout=0.2)

    # --- Tasks ---

    def enqueue(self, task: str, count: int, *, first: int = 0, bulk: bool = False) -> Enqueued:
        """Have the client enqueue tasks, numbered on from `first`."""
        if self._client is None or self._client.stdin is None:
            raise RuntimeError("the client is not started")
        order = {"task": task, "first": first, "count": count, "bulk": bulk}
        self._client.stdin.write(json.dumps(order).encode() + b"\n")
        self._client.stdin.flush()
        return Enqueued(**self._client_says(ENQUEUE_SECONDS))

    def _client_says(self, seconds: float) -> dict[str, Any]:
        answers = self._client.stdout if self._client else None
        if answers is None or not select.select([answers], [], [], seconds)[0]:
            raise LaptopError(f"{self.name}: the client does not answer\n{self.log_tail()}")
        line = answers.readline()
        if not line:
            raise LaptopError(f"{self.name}: the client ended\n{self.log_tail()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def wait(self, until: Callable[[], bool], seconds: float, *, pause: float = 0.005) -> None:
        """Read the ledger until this is so.

        Raises:
            LaptopError: it is not within `seconds`, with the end of the log.
        """
        deadline = time.monotonic() + seconds
        self.ledger.read()
        while not until():
            if time.monotonic() > deadline:
                raise LaptopError(
                    f"{self.name}: not within {seconds:.0f} s; {len(self.ledger.notes)} notes,"
                    f" {self.left()} tasks left\n{self.log_tail()}"
                )
            self.sleep(pause)
            self.ledger.read()

    def sleep(self, seconds: float) -> None:
        """Let time pass. Raises LaptopError where all is to end."""
        if interrupted.wait(seconds):
            raise LaptopError("interrupted")


def _own_environment() -> dict[str, str]:
    """This process's environment, but for what would set up a contestant otherwise.

    Celery, for one, takes a project with DJANGO_SETTINGS_MODULE for one of Django's.
    """
    foreign = ("DJANGO_", "CELERY_", "Q_CLUSTER_", "TASK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def end_leftovers() -> None:
    """End what a benchmark that was itself killed has left behind."""
    for mark, process in _all_marked():
        pid, created = mark.split("-")[0].split("@")
        with suppress(psutil.NoSuchProcess):
            if abs(psutil.Process(int(pid)).create_time() - int(created)) < 2:
                continue  # it is at work
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _marked(mark: str) -> list[psutil.Process]:
    """The live processes with this mark."""
    return [process for found, process in _all_marked() if found == mark]


def _all_marked() -> list[tuple[str, psutil.Process]]:
    return [
        (mark, process)
        for process in psutil.process_iter(["environ", "status"])
        if (mark := (process.info["environ"] or {}).get(MARK_VARIABLE))
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
