"""One function as Lambda starts it, and what `inside` tells of it."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from igloo.laptop.aws_lambda.gateway import GATEWAYS, Request
from igloo.laptop.aws_lambda.runtime import Runtime
from igloo.laptop.places import LaptopError

_INSIDE = Path(__file__).with_name("inside.py")
_HOST = "api.igloo.example"
_HEADERS = (
    ("Accept", "*/*"),
    ("Host", _HOST),
    ("User-Agent", "igloo/1.0.0 (iPhone)"),
)
_SECONDS = 120
Way = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """Seconds of CPU: when the first answer was there; each call's, by round and way."""

    first: float
    rounds: list[list[float]]
    log: str


@dataclass(frozen=True)
class Function:
    """`task_root`: the unpacked package; `environment`: its variables beside Lambda's own."""

    name: str
    task_root: Path
    runtime: Runtime
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        ways: Sequence[Way],
        *,
        rounds: int = 0,
        calls: int = 0,
        options: Sequence[str] = (),
    ) -> Told:
        """A fresh process answers by each way once, then `calls` times by each in every round.

        Args:
            ways: of `by_handler` and `by_wsgi`.
            options: of the interpreter, beside `-I -S -B`.

        Raises:
            LaptopError: it ended, or an answer was not 200.
        """
        order = {
            "task_root": str(self.task_root),
            "runtime": str(self.runtime.modules),
            "ways": list(ways),
            "rounds": rounds,
            "calls": calls,
        }
        # -B: on Lambda the package can't be written, so that nothing compiled there is kept.
        command = [self.runtime.python, "-I", "-S", "-B", *options, str(_INSIDE)]
        done = subprocess.run(
            [*command, json.dumps(order)],
            capture_output=True,
            cwd=self.task_root,
            env={
                "PATH": os.defpath,
                "LANG": "C.UTF-8",
                "TZ": ":UTC",
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_REGION": "ap-northeast-2",
                "AWS_DEFAULT_REGION": "ap-northeast-2",
                "AWS_LAMBDA_FUNCTION_NAME": "bench",
                "LAMBDA_TASK_ROOT": str(self.task_root),
                **self.environment,
            },
            text=True,
            timeout=_SECONDS,
        )
        if done.returncode:
            raise LaptopError(f"{self.name} ended:\n{done.stderr[-2000:]}")
        # Zappa's log is on standard output too.
        told = json.loads(done.stdout.splitlines()[-1])
        if told["statuses"] != [200]:
            raise LaptopError(f"{self.name} answered {told['statuses']}:\n{done.stderr[-2000:]}")
        return Told(told["first"], told["rounds"], done.stderr)


def by_handler(target: str, path: str, *, api: str) -> Way:
    """A GET by a handler, as API Gateway's event: `api` is v1 or v2."""
    request = Request("GET", path, "", _HEADERS, b"", "203.0.113.7", 443)
    return {"target": target, "event": GATEWAYS[api].event(request)}


def by_wsgi(target: str, path: str) -> Way:
    """The same GET by a WSGI application, as a server would call it."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": _HOST,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.version": [1, 0],
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers = {name.lower(): value for name, value in _event_headers(path).items()}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"] = value
    return {"target": target, "environ": environ}


def _event_headers(path: str) -> Mapping[str, str]:
    """What the gateway makes of the client's headers, so that Django reads the same ones."""
    headers: dict[str, str] = by_handler("", path, api="v2")["event"]["headers"]
    return headers
