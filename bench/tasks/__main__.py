"""`python -m bench.tasks [throughput | enqueue | kills] [--write FILE]`."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from bench.tasks import enqueue, kills, throughput
from igloo.laptop.places import LaptopError

_ENDS = (signal.SIGINT, signal.SIGTERM)


def _end(number: int, frame: FrameType | None) -> None:
    """Once: a second Ctrl-C would cut short the ending of what was started."""
    for other in _ENDS:
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Measure one part or all, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.tasks")
    parser.add_argument(
        "name", nargs="?", choices=["throughput", "enqueue", "kills"], help="measure this alone"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table of kills there")
    arguments = parser.parse_args()
    for number in _ENDS:
        signal.signal(number, _end)
    try:
        if arguments.name in (None, "enqueue"):
            enqueue.run()
        if arguments.name in (None, "throughput"):
            throughput.run()
        if arguments.name in (None, "kills"):
            results = kills.run()
            if arguments.write:
                arguments.write.write_text(kills.markdown(results) + "\n", encoding="utf-8")
    except LaptopError as error:
        print(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
