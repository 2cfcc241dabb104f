"""What one vCPU of the container serves, as a measurement wrote it down."""

import datetime as dt
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from apps.ops.cost.profile import ProfileError

FILE = "measured.toml"
HOW = f"""\
How many requests a second one vCPU of the container serves has not been measured, and no bill of
containers is made without it. `python -m bench web` measures it on this machine and writes it down.
Better, measure the image that is deployed: give the container one processor (`--cpus 1`), load it
with the requests that members make until its p95 passes what you would bear, and write what it
served then into deploy/prices/{FILE}:

    [container]
    rps_per_vcpu = …
    date = {{today}}
    how = "machine, command, which requests"

or try a figure with --rps-per-vcpu."""


@dataclass(frozen=True, slots=True)
class Container:
    """Requests a second for one vCPU, when and how that was measured."""

    rps_per_vcpu: Decimal
    date: dt.date
    how: str


def read_container(folder: Path, *, today: dt.date) -> Container:
    """Raises ProfileError where nobody has measured, or the file says it wrongly."""
    path = folder / FILE
    if not path.exists():
        raise ProfileError(HOW.format(today=today))
    try:
        with path.open("rb") as file:
            entry = tomllib.load(file, parse_float=Decimal)["container"]
        found = Container(Decimal(entry["rps_per_vcpu"]), entry["date"], str(entry["how"]))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ArithmeticError, ValueError) as error:
        raise ProfileError(f"{FILE} does not say what was measured: {error!r}.") from error
    if type(found.date) is not dt.date or not found.rps_per_vcpu > 0:
        raise ProfileError(f"{FILE} needs a date, and more than 0 requests a second.")
    return found
