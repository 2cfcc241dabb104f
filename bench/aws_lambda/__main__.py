"""`python -m bench.aws_lambda [start | warm | secrets | sizes]`."""

import argparse
import sys

from bench.aws_lambda import measure
from igloo.laptop.places import LaptopError


def main() -> int:
    """Measure one part or all, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.aws_lambda")
    parser.add_argument(
        "name", nargs="?", choices=["start", "warm", "secrets", "sizes"], help="measure this alone"
    )
    arguments = parser.parse_args()
    try:
        measure.run(arguments.name)
    except LaptopError as error:
        print(f"bench: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
