"""One instance of the function: a process, and the Runtime API that its client asks for events.

Source: "Using the Lambda runtime API" in the AWS Lambda developer guide.
"""

import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import psutil

from igloo.laptop import programs
from igloo.laptop.aws_lambda.runtime import Runtime
from igloo.laptop.children import ending, say

# Of an event, and of a result ("Lambda quotas").
PAYLOAD_BYTES = 6 * 1024 * 1024
TIMED_OUT = "Sandbox.Timedout"
EXITED = "Runtime.ExitError"
TOO_LARGE = "Function.ResponseSizeTooLarge"
_API = "/2018-06-01/runtime"
_RESULT_PATH = re.compile(rf"{_API}/invocation/([^/]+)/(response|error)")


@dataclass(frozen=True)
class Settings:
    """What a function is deployed with."""

    name: str
    handler: str
    # The unpacked package.
    task_root: Path
    runtime: Runtime
    # Variables of the function's own.
    environment: dict[str, str]
    memory_mb: int
    region: str

    @property
    def arn(self) -> str:
        """The function's name for AWS, in an account of examples."""
        return f"arn:aws:lambda:{self.region}:123456789012:function:{self.name}"


@dataclass(frozen=True)
class Result:
    """What came of an event: the handler's result, or an error, both as JSON."""

    payload: bytes
    # Empty, or the error's type.
    error: str = ""

    @classmethod
    def of_error(cls, error: str, message: str) -> "Result":
        """An error that the platform, not the handler, reports."""
        return cls(json.dumps({"errorType": error, "errorMessage": message}).encode(), error)


@dataclass
class _Invocation:
    event: bytes
    seconds: float
    request_id: str = field(default_factory=lambda: str(uuid4()))
    result: Result | None = None
    is_over: threading.Event = field(default_factory=threading.Event)

    def end(self, result: Result) -> None:
        """The first result counts."""
        if not self.is_over.is_set():
            self.result = result
            self.is_over.set()


class Instance:
    """A process that handles one event at a time. It starts with `start`."""

    def __init__(self, number: int, settings: Settings) -> None:
        self.number = number
        self.settings = settings
        self._most_memory = 0
        self._events: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._current: _Invocation | None = None
        self._init_error: Result | None = None
        # What ended it, where that was not its own doing.
        self._reason = ""
        self._is_gone = threading.Event()
        # How long the start took, until that was reported.
        self._init_ms = 0.0
        self._is_started = False
        self._began = 0.0
        self._server = _RuntimeServer(self)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it can take an event."""
        return self._process is not None and not self._is_gone.is_set()

    def start(self) -> None:
        """Start the process. The thread that calls this must outlive it.

        On Linux the process ends with that thread: so says prctl(2) of PR_SET_PDEATHSIG.
        """
        self._began = time.monotonic()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        bootstrap = Path(__file__).with_name("bootstrap.py")
        settings = self.settings
        command = [settings.runtime.python, "-I", "-S", str(bootstrap)]
        command += [str(settings.task_root), str(settings.runtime.modules), settings.handler]
        self._process = subprocess.Popen(
            programs.leashed(command, signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment(),
            process_group=0,
        )
        threading.Thread(target=self._show, args=[self._process.stdout], daemon=True).start()
        threading.Thread(target=self._watch, args=[self._process], daemon=True).start()

    def _environment(self) -> dict[str, str]:
        """Source: "Defined runtime environment variables" in the AWS Lambda developer guide."""
        settings = self.settings
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            **settings.environment,
            "AWS_DEFAULT_REGION": settings.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{settings.runtime.version}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": settings.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{settings.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid4().hex}",
            "AWS_LAMBDA_RUNTIME_API": self._server.address,
            "AWS_REGION": settings.region,
            "LAMBDA_RUNTIME_DIR": str(settings.runtime.modules),
            "LAMBDA_TASK_ROOT": str(settings.task_root),
            "_HANDLER": settings.handler,
        }

    def invoke(self, event: bytes, seconds: float) -> Result:
        """Have an event handled; after so many seconds the instance is killed."""
        invocation = _Invocation(event, seconds)
        self._current = invocation
        self._events.put(invocation)
        if self._is_gone.is_set():
            self._end_current()
        if not invocation.is_over.wait(seconds):
            invocation.end(
                Result.of_error(
                    TIMED_OUT,
                    f"RequestId: {invocation.request_id} Error: Task timed out after "
                    f"{seconds:.2f} seconds",
                )
            )
            self.kill(f"took longer than {seconds:.2f} s")
        self._current = None
        result = invocation.result
        if result is None:
            raise AssertionError("it is over, so there is a result")
        if result.error == TOO_LARGE:
            # The client gives up over it.
            self.kill("had a result that is too large")
        return result

    def kill(self, reason: str) -> None:
        """End it at once, and what it started."""
        self._reason = self._reason or reason
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie
                os.killpg(self._process.pid, signal.SIGKILL)
            self._is_gone.wait(5)

    def look_at_memory(self) -> None:
        """Kill it where it has more memory than it was given."""
        if (used := self._memory()) > self.settings.memory_mb:
            self.kill(f"used {used} MB of memory, and has {self.settings.memory_mb}")

    def _memory(self) -> int:
        """What it uses, in MB."""
        used = 0
        if self._process is not None:
            with suppress(psutil.Error):
                used = psutil.Process(self._process.pid).memory_info().rss // (1024 * 1024)
        self._most_memory = max(self._most_memory, used)
        return used

    # --- What its threads do ---
    def _show(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                # The client parts the lines of a traceback by \r.
                for part in line.decode(errors="replace").rstrip().split("\r"):
                    say(f"lambda {self.number} | {part}")

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        status = process.wait()
        # What it started itself, and left.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._reason = self._reason or f"ended by itself ({ending(status)})"
        say(f"lambda {self.number} | instance {self._reason}")
        self._is_gone.set()
        self._end_current()
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _end_current(self) -> None:
        if invocation := self._current:
            invocation.end(
                self._init_error
                or Result.of_error(
                    EXITED,
                    f"RequestId: {invocation.request_id} Error: Runtime exited: {self._reason}",
                )
            )

    # --- The Runtime API ---
    def next(self) -> _Invocation | None:
        """Wait for an event; None when the process is gone."""
        if not self._is_started:
            self._is_started = True
            self._init_ms = (time.monotonic() - self._began) * 1000
        invocation = self._events.get()
        if invocation is not None:
            self._began = time.monotonic()
            say(f"lambda {self.number} | START RequestId: {invocation.request_id}")
        return invocation

    def finish(self, request_id: str, result: Result) -> bool:
        """Take a result; whether it is that of the current event."""
        invocation = self._current
        if invocation is None or invocation.request_id != request_id:
            return False
        milliseconds = (time.monotonic() - self._began) * 1000
        self._memory()
        report = f"REPORT RequestId: {request_id} Duration: {milliseconds:.2f} ms"
        report += f" Memory Size: {self.settings.memory_mb} MB"
        report += f" Max Memory Used: {self._most_memory} MB"
        if self._init_ms:
            report += f" Init Duration: {self._init_ms:.2f} ms"
            self._init_ms = 0
        invocation.end(result)
        say(f"lambda {self.number} | {report}")
        return True

    def fail_to_start(self, payload: bytes) -> None:
        """Take the error of a start; the process ends after it."""
        self._init_error = Result(payload, "Runtime.InitError")


class _RuntimeServer(ThreadingHTTPServer):
    """The Runtime API of one instance, on a port of its own."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        super().__init__(("127.0.0.1", 0), _RuntimeHandler)

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that is killed in the middle of a call is no news."""


class _RuntimeHandler(BaseHTTPRequestHandler):
    """Three calls: the next event, its result or error, the error of a start."""

    server: _RuntimeServer
    protocol_version = "HTTP/1.1"
    # Head and body are two packets, and the second would wait 40 ms.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """The next event."""
        if self.path != f"{_API}/invocation/next":
            self._answer(404)
            return
        invocation = self.server.instance.next()
        if invocation is None:
            self._answer(410)
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.server.instance.settings.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]}",
        }
        self._answer(200, invocation.event, headers)

    def do_POST(self) -> None:
        """A result, or an error."""
        payload = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == f"{_API}/init/error":
            self.server.instance.fail_to_start(payload)
            self._answer(202)
            return
        match = _RESULT_PATH.fullmatch(self.path)
        if match is None:
            self._answer(404)
            return
        request_id, kind = match.groups()
        status = 202
        if kind == "error":
            error = self.headers.get("Lambda-Runtime-Function-Error-Type") or "Unhandled"
            result = Result(payload, error)
        elif len(payload) > PAYLOAD_BYTES:
            status = 413
            result = Result.of_error(
                TOO_LARGE,
                f"Response payload size ({len(payload)} bytes) exceeded maximum allowed payload "
                f"size ({PAYLOAD_BYTES} bytes).",
            )
        else:
            result = Result(payload)
        known = self.server.instance.finish(request_id, result)
        self._answer(status if known else 400)

    def _answer(
        self, status: int, body: bytes = b"{}", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""
