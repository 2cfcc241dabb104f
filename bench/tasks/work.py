"""What the tasks do, whoever runs them."""

import os
import signal
import time

from bench.tasks.ledger import note

NAP_SECONDS = 0.2


def noop(number: int) -> None:
    """Nothing."""
    note("end", number)


def nap(number: int) -> None:
    """Take `NAP_SECONDS`, in which it can be killed."""
    note("begin", number)
    time.sleep(NAP_SECONDS)
    note("end", number)


def die(number: int) -> None:
    """Kill the process that runs it, as the out-of-memory killer or a fault in C would."""
    note("begin", number)
    os.kill(os.getpid(), signal.SIGKILL)
