"""`python -m tests.fuzz [--minutes 10] [--seed N]`: make calls up until the time is over.

Each round is one run of `test_schema.py` as every role with another seed. The first round that
finds something ends it; the same seed finds it again.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
# Calls of each operation as each role: a round takes some minutes.
CALLS = "25"


def main() -> int:
    """Run the rounds; the exit status is the last one's."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=10, help="start no round after so long")
    parser.add_argument("--seed", type=int, help="one round with this seed")
    arguments = parser.parse_args()
    ends = time.monotonic() + arguments.minutes * 60
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "no:randomly"]
    while True:
        number = random.randrange(2**32) if arguments.seed is None else arguments.seed
        print(f"fuzz: seed {number}", flush=True)
        done = subprocess.run(
            [*command, "tests/fuzz/test_schema.py"],
            cwd=CHECKOUT,
            env=os.environ | {"FUZZ_SEED": str(number), "FUZZ_CALLS": CALLS},
            check=False,
        )
        if done.returncode:
            print(f"fuzz: to see it again: make fuzz SEED={number}")
        if done.returncode or arguments.seed is not None or time.monotonic() > ends:
            return done.returncode


if __name__ == "__main__":
    sys.exit(main())
