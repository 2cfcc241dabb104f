"""What really ran: a file to which each task appends a line when it begins and when it ends.

A file, since it outlives whatever is killed: worker, Redis, PostgreSQL. One write of a short line
to a file opened for appending is never mixed with another's.
"""

import os
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

PATH_VARIABLE = "BENCH_LEDGER"

Kind = Literal["begin", "end"]


@cache
def _file(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def note(kind: Kind, number: int) -> None:
    """Say that task `number` begins or ends, in this process, now."""
    # The monotonic clock is one for all processes of a machine.
    line = f"{kind} {number} {os.getpid()} {time.monotonic()}\n"
    os.write(_file(os.environ[PATH_VARIABLE]), line.encode())


@dataclass(frozen=True)
class Note:
    """One line; `at` in seconds of `time.monotonic`."""

    kind: str
    number: int
    pid: int
    at: float


class Ledger:
    """The notes so far, for those who count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[Note] = []
        path.touch()
        self._file = path.open("rb")
        self._rest = b""

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self) -> "Ledger":
        """Take in what was written since the last time."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            kind, number, pid, at = line.split()
            self.notes.append(Note(kind.decode(), int(number), int(pid), float(at)))
        return self

    def begun(self) -> Counter[int]:
        """How often each task began. Numbers below 0 are of the warm-up and not counted."""
        return Counter(n.number for n in self.notes if n.kind == "begin" and n.number >= 0)

    def ended(self) -> Counter[int]:
        """How often each task ended."""
        return Counter(n.number for n in self.notes if n.kind == "end" and n.number >= 0)

    def last(self, kind: Kind) -> Note:
        """The newest note of this kind."""
        return max((n for n in self.notes if n.kind == kind), key=lambda n: n.at)

    def all_ended_at(self) -> float:
        """When the last of the tasks ended for its first time."""
        first: dict[int, float] = {}
        for n in self.notes:
            if n.kind == "end":
                first[n.number] = min(n.at, first.get(n.number, n.at))
        return max(first.values())
