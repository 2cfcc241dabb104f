"""A process that enqueues: `python -m bench.tasks.client MODULE`, one JSON order a line.

Every contestant has one of its own, since Django takes one set of settings in a process. The
module offers `send(task, number)`, and `send_many(task, numbers)` if it can.
"""

import json
import os
import sys
import time
from importlib import import_module
from typing import Any


def _answer(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def main() -> None:
    """Obey until the input ends."""
    if "DJANGO_SETTINGS_MODULE" in os.environ:
        import django

        django.setup()
    sender = import_module(sys.argv[1])
    _answer({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        numbers = range(order["first"], order["first"] + order["count"])
        began, cpu_began = time.monotonic(), time.process_time()
        if order["bulk"]:
            sender.send_many(order["task"], numbers)
        else:
            for number in numbers:
                sender.send(order["task"], number)
        cpu = time.process_time() - cpu_began
        _answer({"began": began, "ended": time.monotonic(), "cpu": cpu})


if __name__ == "__main__":
    main()
