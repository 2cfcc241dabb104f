"""`manage.py task_worker` as real processes: starting it, finding its family, killing, counting."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import dj_database_url
import psutil
import redis
from django.conf import settings
from django.db import connection
from django_tasks.base import Task, TaskResultStatus

from apps.tasks.models import BackgroundTask, WorkerPulse
from apps.tasks.services import enqueue_many
from igloo.laptop import postgres, programs
from tests.processes import free_port

# How long a test waits for what must happen. It goes on at once when it has happened.
PATIENCE_SECONDS = 90.0
_LOOK_SECONDS = 0.05
_LINES = 60
# In the environment of every process of a worker, whatever becomes of its parents and groups.
_MARK = "KILL_TEST_MARK"
# With these, what was interrupted runs again after some seconds.
QUICK = {
    "TASK_LEASE": "4",
    "TASK_BACKOFF": "1",
    "TASK_RESEND_AFTER": "1",
    "TASK_SWEEP_SECONDS": "1",
    # So that no test is helped by a cluster that is started anew for another reason.
    "TASK_FROZEN_SECONDS": "300",
    "TASK_WORKERS": "2",
    "TASK_BROKER": "table",
    "LOG_LEVEL": "INFO",
}


def wait_until(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so, or fail."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {PATIENCE_SECONDS:.0f} s: {what}"
        time.sleep(_LOOK_SECONDS)


class Ledger:
    """The runs of the tasks of `kill_samples`, as they noted them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lines(self) -> list[tuple[int, str, int]]:
        """(number, "begin" or "end", pid), in order."""
        with suppress(FileNotFoundError):
            found = (self.folder / "ledger").read_text().splitlines()
            split = [line.split() for line in found]
            return [(int(number), phase, int(pid)) for number, phase, pid in split]
        return []

    def begun(self) -> Counter[int]:
        """How often each number began."""
        return Counter(number for number, phase, _ in self.lines() if phase == "begin")

    def ended(self) -> Counter[int]:
        """How often each number ended."""
        return Counter(number for number, phase, _ in self.lines() if phase == "end")

    def pids(self, number: int) -> list[int]:
        """The processes in which a number began."""
        return [pid for this, phase, pid in self.lines() if (this, phase) == (number, "begin")]

    def wait_for(self, *numbers: int, phase: str = "begin", times: int = 1) -> None:
        """Wait until each of these numbers has begun (or ended) so often."""

        def is_there() -> bool:
            notes = [line[:2] for line in self.lines()]
            return all(notes.count((number, phase)) >= times for number in numbers)

        wait_until(is_there, f"{numbers} {phase}, {times} times")

    def wait_until_busy(self, workers: int = 2) -> set[int]:
        """Wait until so many tasks have begun; their numbers."""
        wait_until(lambda: len(self.begun()) == workers, f"{workers} tasks have begun")
        return set(self.begun())

    def go(self, pid: int | None = None) -> None:
        """Let the held tasks end: all, or the one of this process."""
        (self.folder / ("go" if pid is None else f"go-{pid}")).touch()

    def fail(self, pid: int) -> None:
        """Let the held task of this process fail."""
        (self.folder / f"fail-{pid}").touch()


class Tasks:
    """What a test enqueued, by number."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder)
        self.ids: dict[int, str] = {}

    def enqueue(self, task: Task, numbers: Iterable[int]) -> None:
        """Enqueue one for each number, in one transaction."""
        wanted = list(numbers)
        ids = enqueue_many(task, [[str(self.ledger.folder), number] for number in wanted])
        self.ids.update(zip(wanted, ids, strict=True))

    def row(self, number: int) -> BackgroundTask:
        """The row of a number."""
        return BackgroundTask.objects.get(pk=self.ids[number])

    def with_status(self, status: str) -> set[int]:
        """The numbers whose rows have it."""
        numbers = {task_id: number for number, task_id in self.ids.items()}
        rows = BackgroundTask.objects.filter(pk__in=numbers, status=status)
        return {numbers[str(pk)] for pk in rows.values_list("pk", flat=True)}

    def wait_until_done(self, numbers: Iterable[int] | None = None) -> None:
        """Wait until all of them, or these, succeeded."""
        wanted = set(self.ids if numbers is None else numbers)

        def left() -> set[int]:
            return wanted - self.with_status(TaskResultStatus.SUCCESSFUL)

        wait_until(lambda: not left(), f"{len(wanted)} tasks succeeded")

    def assert_runs(self, *, twice: Iterable[int] = ()) -> None:
        """Every task ended once; it began once, or twice where it is one of these."""
        once = Counter(self.ids.keys())
        assert self.ledger.begun() == once + Counter(twice)
        assert self.ledger.ended() == once


@dataclass(frozen=True)
class Cluster:
    """The processes of a Django-Q cluster that has just started: none was replaced yet."""

    main: psutil.Process
    guard: psutil.Process
    workers: list[psutil.Process]
    monitor: psutil.Process
    pusher: psutil.Process

    def is_gone(self) -> bool:
        """Whether none of them lives."""
        family = [self.main, self.guard, *self.workers, self.monitor, self.pusher]
        return not any(map(is_alive, family))

    def kill(self) -> None:
        """Kill all of them."""
        os.killpg(self.main.pid, signal.SIGKILL)

    def kill_workers(self) -> None:
        """Kill the workers, and wait until Django-Q has put others in their places.

        If they were idle, one of them was waiting for a message, and held the lock of the queue.
        """
        for worker in self.workers:
            worker.kill()
        wait_until(
            lambda: (
                not any(map(is_alive, self.workers))
                and len(children(self.guard)) == len(self.workers) + 2
            ),
            "Django-Q has replaced the workers",
        )


class TaskWorker:
    """One `manage.py task_worker` and all that it starts."""

    def __init__(self, folder: Path, options: Iterable[str], environment: dict[str, str]) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.environment = QUICK | {"TASK_WORKER_NAME": f"kills-{self.id}"} | environment
        self.name = self.environment["TASK_WORKER_NAME"]
        self.alone = "--cluster" in options
        self.path = folder / f"worker-{self.id}.log"
        with self.path.open("wb") as log:
            command = [sys.executable, "manage.py", "task_worker", *options]
            self.process = subprocess.Popen(
                programs.leashed(command, signal.SIGKILL),
                cwd=settings.BASE_DIR,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def _environ(self) -> dict[str, str]:
        return os.environ | {"DATABASE_URL": database_url()} | self.environment | {_MARK: self.id}

    def log(self) -> str:
        """What it has said so far."""
        return self.path.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str) -> None:
        """Wait until it has said this."""
        wait_until(lambda: words in self.log(), f"it says {words!r}")

    def wait_for_pulse(self) -> None:
        """Wait until a worker process takes what it is given."""
        pulses = WorkerPulse.objects.filter(name=self.name)
        earlier = list(pulses.values_list("beat_at", flat=True))
        wait_until(lambda: pulses.exclude(beat_at__in=earlier).exists(), f"a pulse of {self.name}")

    def main(self) -> psutil.Process:
        """Wait until its cluster was started; its first process, which may not be up yet."""
        root = psutil.Process(self.process.pid)
        found: list[psutil.Process] = [root] if self.alone else []

        def look() -> bool:
            for child in children(root):  # Python's own imports start programs, too
                with suppress(psutil.NoSuchProcess):
                    if "--cluster" in child.cmdline():
                        found.append(child)
            return bool(found)

        wait_until(look, "the cluster is started")
        return found[0]

    def cluster(self) -> Cluster:
        """Wait until its cluster is complete, and name the processes.

        Django-Q gives them no names. It starts the workers, then the monitor, then the pusher.
        """
        found: list[Cluster] = []

        def look() -> bool:
            with suppress(psutil.NoSuchProcess, ValueError):
                main = self.main()
                [guard] = children(main)
                *workers, monitor, pusher = children(guard)
                if len(workers) == int(self.environment["TASK_WORKERS"]):
                    found.append(Cluster(main, guard, workers, monitor, pusher))
            return bool(found)

        wait_until(look, "the cluster is complete")
        return found[0]

    def family(self) -> list[psutil.Process]:
        """Every live process of it, orphans as well."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(_MARK) == self.id and is_alive(process):
                    found.append(process)
        return found

    def wait_until_gone(self) -> None:
        """Wait until nothing of it is left."""
        wait_until(lambda: not self.family(), f"nothing of {self.name} is left")

    def ends(self) -> int:
        """Wait for the end, and return the exit status."""
        wait_until(lambda: self.process.poll() is not None, "task_worker ends")
        return self.process.wait()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command in the worker's environment."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self._environ() | {_MARK: ""},
            capture_output=True,
            text=True,
        )

    def kill(self) -> None:
        """Kill all that is left, and show what it said; pytest prints that of a failed test."""
        # Again and again: one that is about to die may start another.
        while family := self.family():
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(_LOOK_SECONDS)
        self.process.wait()
        tail = self.log().splitlines()[-_LINES:]
        print(f"--- {self.name}", *tail, sep="\n")


Start = Callable[..., TaskWorker]


@contextmanager
def starter(folder: Path) -> Iterator[Start]:
    """A function that starts a worker; at the end of the block all of them are killed.

    It takes options of the command, and variables of the environment by name.
    """
    with ExitStack() as stack:

        def start(*options: str, **environment: str) -> TaskWorker:
            worker = TaskWorker(folder, options, environment)
            stack.callback(worker.kill)
            return worker

        yield start


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that only waits for its parent to be told does not."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def children(process: psutil.Process) -> list[psutil.Process]:
    """The live children, in the order in which they were started."""
    live = [child for child in process.children() if is_alive(child)]
    return sorted(live, key=lambda child: (child.create_time(), child.pid))


# --- Where the rows and the messages are ---------------------------------------------------------


def database_url() -> str:
    """The URL of the database that this process uses now."""
    database = connection.settings_dict
    host = database.get("OPTIONS", {}).get("host") or database["HOST"]
    user, password, name, where = (
        quote(str(part), safe="")
        for part in (database["USER"], database["PASSWORD"], database["NAME"], host)
    )
    return f"postgresql://{user}:{password}@:{database['PORT'] or 5432}/{name}?host={where}"


class Postgres:
    """A PostgreSQL that may be killed, with igloo's tables. It writes as one does that is kept."""

    def __init__(self, folder: Path) -> None:
        self._server = postgres.Server(folder, postgres.SETTINGS, throw_away=True)

    def start(self) -> None:
        """Start, on the data that there is."""
        self._server.start()
        self._server.ensure_database()

    def kill(self) -> None:
        """Kill the server and its helpers at once, as a power cut does."""
        connection.close()
        process = self._server.process
        assert process is not None
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()
        wait_until(lambda: not any(map(is_alive, family)), "PostgreSQL is dead")

    def stop(self) -> None:
        """End it for good."""
        self._server.stop()

    @contextmanager
    def used(self) -> Iterator[None]:
        """This process and the workers that it starts use this server, rather than the tests'."""
        database = connection.settings_dict
        before = dict(database)
        found = dj_database_url.parse(self._server.url())
        try:
            connection.close()
            database.update(
                {key: found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
            )
            database["OPTIONS"] = before.get("OPTIONS", {}) | found["OPTIONS"]
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"],
                cwd=settings.BASE_DIR,
                env=os.environ | {"DATABASE_URL": database_url()},
                check=True,
            )
            yield
        finally:
            connection.close()
            database.clear()
            database.update(before)


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A server of the test's own, in use for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="igloo-kills-") as folder:
        Path(folder).chmod(0o755)  # as root, the server runs as another account
        server = Postgres(Path(folder))
        server.start()
        try:
            with server.used():
                yield server
        finally:
            server.stop()


class Redis:
    """A Redis that keeps nothing, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        options = {"port": self._port, "bind": "127.0.0.1", "save": "", "dir": self._folder}
        command = [str(shutil.which("redis-server"))]
        command += [str(part) for key, value in options.items() for part in (f"--{key}", value)]
        self.process = subprocess.Popen(
            programs.leashed(command, signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, "Redis answers")

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP: it hangs. SIGCONT: it goes on."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it, and what it holds with it."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def flush(self) -> int:
        """Make it forget everything; how many messages it held."""
        with redis.Redis.from_url(self.url) as client:
            held = sum(client.llen(key) for key in client.keys("django_q:*:q"))
            client.flushall()
        return held
