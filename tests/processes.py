"""Servers of the tests' own: a port to listen on, and waiting until they answer."""

import socket
import time
import urllib.request


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def wait_for_answer(url: str, seconds: float = 60) -> None:
    """Wait until the server answers 200, or fail."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, f"{url} did not answer in {seconds} s"
            time.sleep(0.1)
        else:
            return
