"""The processes that the launcher keeps: started in groups of their own, shown, ended."""

import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from typing import IO, Any

import psutil

from igloo.laptop import places, programs

# Seconds that a child has to end by itself. The worker lets tasks that run come to their end, and
# gives up by itself a little before.
STOP_SECONDS = 5.0
WORKER_STOP_SECONDS = 115.0

_say_lock = threading.Lock()


def say(text: str = "") -> None:
    """Tell the person. A terminal that is gone is no reason to leave children behind."""
    with _say_lock, suppress(OSError):  # whole lines, from whichever thread
        print(text, flush=True)


class Child:
    """A long-running child in a process group of its own, whose output is shown with its name."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], stop_seconds: float
    ) -> None:
        self.name = name
        self.stop_seconds = stop_seconds
        self.last_lines: deque[str] = deque(maxlen=20)
        self.process = subprocess.Popen(
            programs.leashed(command, signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=places.CHECKOUT,
            env=environment,
            process_group=0,
        )
        self._reader = threading.Thread(target=self._show, args=[self.process.stdout], daemon=True)
        self._reader.start()

    def _show(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode(errors="replace").rstrip()
                self.last_lines.append(text)
                say(f"{self.name:<6} | {text}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child and to what it started itself."""
        with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie
            os.killpg(self.process.pid, number)

    def wait(self, seconds: float | None) -> bool:
        """Wait for the end, at most so long; whether it came."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def finish(self) -> None:
        """Kill what is left of the group, and read the output to its end."""
        self.signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join(2)


def end_children(left: dict[str, Any]) -> None:
    """End what a killed launcher left behind, as its run file names it.

    On Linux the leash has done so already. A pid alone would not do: another program may have it
    by now, so the time at which it was started has to be the same.
    """
    found = []
    for pid, created in left.get("children", []):
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1:
                found += [process, *process.children(recursive=True)]
    for process in found:
        with suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)


def ending(status: int) -> str:
    """How a process ended, in words."""
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"
