"""Start everything that igloo needs on a laptop, keep it together, and stop all of it.

A signal only sets a flag; every wait looks at it. So nothing is ever cut off between two steps,
and there is one way out, which stops what was started in the reverse order.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

import psutil

from igloo.laptop import places, postgres, programs
from igloo.laptop.children import (
    STOP_SECONDS,
    WORKER_STOP_SECONDS,
    Child,
    end_children,
    ending,
    say,
)
from igloo.laptop.places import LaptopError
from igloo.laptop.providers.start import start_providers

# Seconds.
READY_SECONDS = 60.0  # until the web server answers
LONGEST_PAUSE = 30.0  # before a worker that ended is started anew
FORGET_SECONDS = 300.0  # how long an end counts for the next pause
FORCE_AFTER = 1.0  # between two signals; `make` passes on a TERM that its whole group got

WEB = [
    "runserver",
    "--noreload",
    "--insecure",  # DEBUG is off on a laptop too, and the admin still needs its static files
    "--skip-checks",  # migrate has just run them
]
WORKER = ["task_worker", "--skip-checks"]


class Stopped(Exception):
    """The person asked for the end."""


def manage(*arguments: str) -> list[str]:
    """The command line of a management command of this checkout."""
    return [sys.executable, str(places.CHECKOUT / "manage.py"), *arguments]


class Launcher:
    """One `make run`, or the part of it that `make demo` needs."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.run_file: places.RunFile | None = None
        self.server: postgres.Server | None = None
        self.children: list[Child] = []
        self.environment = os.environ | {
            "DJANGO_RUNSERVER_HIDE_WARNING": "true",  # "do not use in production": here it is right
            "PORT": str(port),
            "PYTHONUNBUFFERED": "1",  # shown as it happens, not when 8 KB are full
            "DEMO_EMAIL_BACKEND": "igloo.laptop.mail.ReadableBackend",
        }
        self._stop_asked_at: float | None = None
        self._worker_ends: list[float] = []
        self._worker_due: float | None = None

    # --- what is asked for ----------------------------------------------------------------------
    def run(self) -> int:
        """`make run`: start everything, and stay until stopped.

        Returns:
            The exit status: 0 when the person stopped it, 1 when something failed.
        """
        started = time.monotonic()

        def work(stack: ExitStack) -> None:
            self._check_port()
            self._connect(stack)
            self._fill_database()
            stack.callback(self._stop_children)
            self._start_children()
            logins = self._capture(manage("demo", "--show-logins"))
            self._wait_until_ready()
            say(self._welcome(logins, time.monotonic() - started))
            while True:
                self._look_after()
                time.sleep(0.1)

        return self._hold(work)

    def demo(self) -> int:
        """`make demo`: bring the database up to date and fill it with the demo data."""

        def work(stack: ExitStack) -> None:
            self._connect(stack)
            self._fill_database()

        return self._hold(work)

    # --- the frame round both -------------------------------------------------------------------
    def _hold(self, work: Callable[[ExitStack], None]) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup HUP is ignored, and stays so.
            if signal.getsignal(number) is not signal.SIG_IGN or number is signal.SIGINT:
                signal.signal(number, self._on_signal)
        status = 0
        stack = ExitStack()
        try:
            with stack:
                self.run_file = stack.enter_context(places.only_one(places.folder()))
                end_children(self.run_file.read())
                self._record()
                work(stack)
        except Stopped:
            pass
        except (LaptopError, OSError) as error:
            say(f"\nigloo: {_sentence(error)}")
            status = 1
        if self._stop_asked_at is not None:
            say("igloo: everything is stopped.")
        return status

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._stop_asked_at is None:
            self._stop_asked_at = now
        elif now - self._stop_asked_at > FORCE_AFTER:
            for child in self.children:
                child.signal(signal.SIGKILL)
            if self.server and self.server.process:
                self.server.process.send_signal(signal.SIGQUIT)
            os.write(1, b"\nigloo: stopped by force.\n")
            os._exit(1)

    def _tick(self) -> None:
        if self._stop_asked_at is not None:
            raise Stopped

    def _record(self) -> None:
        """Write down who runs, for a second `make run` and for the one after a kill."""
        if self.run_file is None:
            return
        self.run_file.write(
            {
                "pid": os.getpid(),
                "address": self._address(),
                "children": [
                    [child.process.pid, psutil.Process(child.process.pid).create_time()]
                    for child in self.children
                ],
            }
        )

    # --- the steps ------------------------------------------------------------------------------
    def _check_port(self) -> None:
        hint = f"Choose another one: PORT={self.port + 1} make run"
        in_use = f"Port {self.port} of {self.host} is in use by another program. {hint}"
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise LaptopError(f"HOST={self.host} is not an address: {error.strerror}.") from error
        family, kind, protocol, _, address = found[0]
        # macOS lets a program bind 127.0.0.1 beside another's 0.0.0.0, so see who answers, too.
        with socket.socket(family, kind, protocol) as client:
            client.settimeout(1)
            if client.connect_ex((self._reached_at(), self.port)) == 0:
                raise LaptopError(in_use)
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except PermissionError as error:
                raise LaptopError(
                    f"Port {self.port} is kept for the system. Choose one above 1023: "
                    "PORT=8000 make run"
                ) from error
            except OSError as error:
                raise LaptopError(
                    in_use
                    if "in use" in str(error)
                    else f"Can't listen on {self.host}, port {self.port}: {error.strerror}. {hint}"
                ) from error

    def _connect(self, stack: ExitStack) -> None:
        """Start the embedded PostgreSQL, or see that the one of DATABASE_URL is there."""
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.db import OperationalError, connections

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
        try:
            database = settings.DATABASES["default"]
        except ImproperlyConfigured as error:
            raise LaptopError(str(error)) from error
        embedded = str(places.socket_folder(places.folder()))
        if database.get("OPTIONS", {}).get("host") == embedded:
            with self._step(f"PostgreSQL, embedded (data in {places.folder()})"):
                self.server = stack.enter_context(postgres.running(self._tick))
            return
        where = f"{database.get('HOST') or 'a local socket'}, database {database.get('NAME')}"
        with self._step(f"PostgreSQL of DATABASE_URL ({where})"):
            try:
                connections["default"].ensure_connection()
            except OperationalError as error:
                reason = str(error).strip().splitlines()[0]
                raise LaptopError(
                    f"The PostgreSQL of DATABASE_URL ({where}) can't be used: {reason}. Start it "
                    "or create the database, or leave DATABASE_URL out and igloo brings a "
                    "PostgreSQL of its own."
                ) from error
            finally:
                connections.close_all()

    def _fill_database(self) -> None:
        with self._step("Tables (manage.py migrate)"):
            self._follow(manage("migrate", "--no-input"))
        with self._step("Demo data (manage.py demo)"):
            self._follow(manage("demo"))

    def _follow(self, command: list[str]) -> None:
        """Run a command to its end, its output shown as it comes."""
        self._finish(command, None)

    def _capture(self, command: list[str]) -> str:
        """Run a command to its end and return what it prints."""
        return self._finish(command, subprocess.PIPE)

    def _finish(self, command: list[str], output: int | None) -> str:
        with subprocess.Popen(
            programs.leashed(command, signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=output,
            cwd=places.CHECKOUT,
            env=self.environment,
            process_group=0,  # Ctrl-C is for the launcher
        ) as process:
            while True:
                try:
                    printed, _ = process.communicate(timeout=0.05)
                    break
                except subprocess.TimeoutExpired:
                    try:
                        self._look_after()
                    except BaseException:
                        os.killpg(process.pid, signal.SIGKILL)  # its transaction is undone
                        raise
        if process.returncode != 0:
            raise LaptopError(
                f"`{' '.join(['manage.py', *command[2:]])}` failed with exit status "
                f"{process.returncode}; what it said is above. Everything else is stopped."
            )
        return (printed or b"").decode(errors="replace")

    def _start_children(self) -> None:
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        self.children.append(start_providers(self.environment, self._address()))
        web = [*WEB, f"{bracketed}:{self.port}"]
        for name, arguments in (("web", web), ("worker", WORKER)):
            say(f"igloo: {name}: manage.py {' '.join(arguments)}")
        self.children.append(Child("web", manage(*web), self.environment, STOP_SECONDS))
        self._record()
        self.children.append(self._worker())
        self._record()

    def _worker(self) -> Child:
        return Child("worker", manage(*WORKER), self.environment, WORKER_STOP_SECONDS)

    def _plan_worker(self, ended: Child, how: str) -> None:
        """A worker ends when the database is away, and the web server answers on: start it anew,
        after a pause that grows while it ends again and again."""
        now = time.monotonic()
        self._worker_ends = [at for at in self._worker_ends if now - at < FORGET_SECONDS] + [now]
        pause = min(2.0 ** (len(self._worker_ends) - 1), LONGEST_PAUSE)
        say(f"igloo: the worker stopped by itself ({how}): starting anew in {pause:.0f} s.")
        self.children.remove(ended)
        self._worker_due = now + pause
        self._record()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        answer = "nothing"
        with self._step(f"Web server ({self._address()}/readyz)"):
            while time.monotonic() < deadline:
                self._look_after()
                # http.client heeds no proxy of the environment.
                connection = http.client.HTTPConnection(self._reached_at(), self.port, timeout=10)
                try:
                    connection.request("GET", "/readyz")
                    response = connection.getresponse()
                    answer = f"{response.status} {response.read(500).decode(errors='replace')}"
                    if response.status == 200:
                        return
                except (OSError, http.client.HTTPException) as error:
                    answer = str(error)
                finally:
                    connection.close()
                time.sleep(0.1)
            raise LaptopError(
                f"The web server was not ready after {READY_SECONDS:.0f} s. The last answer of "
                f"{self._address()}/readyz was: {answer}"
            )

    def _look_after(self) -> None:
        """See that nobody asked for the end and that all that was started is still there."""
        self._tick()
        if self._worker_due is not None and time.monotonic() >= self._worker_due:
            self._worker_due = None
            self.children.append(self._worker())
            self._record()
        for child in self.children:
            status = child.process.poll()
            if status is not None:
                child.finish()
                if child.name == "worker":
                    self._plan_worker(child, ending(status))
                    return
                raise LaptopError(
                    f"The {child.name} process stopped by itself ({ending(status)}). Everything "
                    "else is stopped too. Its last lines:\n" + "\n".join(child.last_lines)
                )
        if self.server and self.server.process:
            status = self.server.process.poll()
            if status is not None:
                raise LaptopError(
                    f"PostgreSQL stopped by itself ({ending(status)}). Everything else is "
                    f"stopped too. Its last lines:\n{self.server.log_tail()}"
                )

    def _stop_children(self) -> None:
        if self._stop_asked_at is not None:
            say("\nigloo: stopping (Ctrl-C once more forces it) …")
        for child in self.children:
            child.signal(signal.SIGTERM)
        asked = time.monotonic()
        for child in self.children:
            if not child.wait(max(0, asked + child.stop_seconds - time.monotonic())):
                say(f"igloo: {child.name} did not stop in {child.stop_seconds:.0f} s: killed.")
            child.finish()
        self.children.clear()

    # --- what is shown --------------------------------------------------------------------------
    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        say(f"igloo: {name} …")
        started = time.monotonic()
        yield
        self._tick()
        say(f"igloo: … done in {time.monotonic() - started:.1f} s")

    def _reached_at(self) -> str:
        """The host at which this machine itself reaches the web server."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    def _address(self) -> str:
        host = self._reached_at()
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def _welcome(self, logins: str, seconds: float) -> str:
        address = self._address()
        network = ""
        if self.host != self._reached_at() and (own := _address_in_network()):
            network = f"  from a phone    http://{own}:{self.port}\n"
        return (
            f"\nigloo is up after {seconds:.1f} s. Ctrl-C stops it; the data is kept.\n\n"
            f"  API docs        {address}/api/docs\n"
            f"  admin           {address}/admin/\n"
            f"  social login    {address}/demo/login\n"
            f"  the providers   {self.environment['DEMO_PROVIDERS_URL']}\n"
            f"  health          {address}/healthz, {address}/readyz\n"
            f"{network}"
            f"  try             curl {address}/api/v1/posts\n\n"
            f"Demo logins:\n{textwrap.indent(logins.rstrip(), '  ')}\n"
        )


def _sentence(error: Exception) -> str:
    if isinstance(error, LaptopError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.filename} can't be used: {error.strerror}. Make room or rights there, or "
            "keep the data elsewhere: IGLOO_HOME=/some/folder make run"
        )
    return str(error)


def _address_in_network() -> str | None:
    """This machine's own address in its network; nothing is sent to find it."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address for documentation, RFC 5737
        return str(probe.getsockname()[0])
    return None
