"""Web servers as ECS would run them, and the balancer before them, on loopback."""

import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.processes import free_port

HOST = "api.igloo.example"
# Seconds that a web server has to get healthy.
_HEALTHY = 30


class Web:
    """A container of the web service."""

    def __init__(self, folder: Path, command: list[str], variables: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, *command[1:]],
            cwd=folder,
            env=variables | {"HOST": "127.0.0.1", "PORT": str(self.port)},
            stdout=self.log,
            stderr=self.log,
        )

    def healthy(self) -> bool:
        """Whether it gets there."""
        end = time.monotonic() + _HEALTHY
        while time.monotonic() < end and self.process.poll() is None:
            if self.get("/readyz")[0] == 200:
                return True
            time.sleep(0.2)
        return False

    def get(self, path: str) -> tuple[int, bytes]:
        """As the balancer asks; status 502 where nobody answers."""
        headers = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        call = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(call, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 502, b""

    def stop(self) -> None:
        """Stop it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)
        self.log.close()


class Balancer(ThreadingHTTPServer):
    """HTTPS for HOST, by whichever web server has the traffic."""

    def __init__(self, serving: Callable[[], Web | None], certificate: Path) -> None:
        self.serving = serving
        super().__init__(("127.0.0.1", 0), _Forward)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust the certificate is none of ours."""


class _Forward(BaseHTTPRequestHandler):
    server: Balancer

    def do_GET(self) -> None:
        web = self.server.serving()
        status, body = web.get(self.path) if web else (503, b"")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
