"""Tasks whose runs are counted outside of the system: a line for each beginning and each end.

A row, a log or a message may be lost with what is killed. A line that was appended is there.
"""

import os
import signal
import time
from pathlib import Path

from django_tasks import task

_LOOK_SECONDS = 0.02


def note(folder: str, number: int, phase: str) -> None:
    """Append a line to the ledger in the folder, in one write."""
    ledger = os.open(Path(folder) / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(ledger, f"{number} {phase} {os.getpid()}\n".encode())
    finally:
        os.close(ledger)


@task()
def quick(folder: str, number: int) -> int:
    """Begin and end; the process that did."""
    note(folder, number, "begin")
    note(folder, number, "end")
    return os.getpid()


@task()
def held(folder: str, number: int) -> int:
    """Begin, and end when the test says so to all or to this process; the process that did."""
    note(folder, number, "begin")
    words = [Path(folder) / "go", Path(folder) / f"go-{os.getpid()}"]
    while not any(word.exists() for word in words):
        if (Path(folder) / f"fail-{os.getpid()}").exists():
            raise RuntimeError("as the test wants it")
        time.sleep(_LOOK_SECONDS)
    note(folder, number, "end")
    return os.getpid()


@task()
def deadly(folder: str, number: int) -> None:
    """Kill the worker that runs it, as the kernel does with one that has taken all memory."""
    note(folder, number, "begin")
    os.kill(os.getpid(), signal.SIGKILL)
