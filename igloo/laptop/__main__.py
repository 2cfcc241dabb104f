"""`python -m igloo.laptop [run | demo | clean]`: what the Makefile calls.

PORT (8000) and HOST (127.0.0.1; 0.0.0.0 lets the network in) come from the environment.
"""

import argparse
import io
import os
import shutil
import sys

from igloo.laptop import places, postgres
from igloo.laptop.places import LaptopError


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise LaptopError(f"PORT={text} is not a port: it is a number from 1 to 65535.")


def clean() -> int:
    """Delete this checkout's database, uploads and collected files for good."""
    with places.only_one(places.folder()):
        deleted = postgres.delete_data()
    local = places.CHECKOUT / ".local"
    if local.exists():
        shutil.rmtree(local)
        deleted.append(local)
    for path in deleted:
        print(f"igloo: removed {path}")
    return 0


def main() -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no Korean is no error
    parser = argparse.ArgumentParser(prog="python -m igloo.laptop")
    parser.add_argument("command", nargs="?", default="run", choices=["run", "demo", "clean"])
    command = parser.parse_args().command
    try:
        if command == "clean":
            return clean()
        # Here, since it needs what .venv holds, and `clean` works without.
        from igloo.laptop.launcher import Launcher

        launcher = Launcher(
            host=os.environ.get("HOST") or "127.0.0.1",
            port=_port(os.environ.get("PORT") or "8000"),
        )
        return launcher.run() if command == "run" else launcher.demo()
    except (LaptopError, OSError) as error:
        print(f"igloo: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
