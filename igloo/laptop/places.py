"""Where this checkout keeps its data on a laptop, and the lock that lets one `make run` have it.

The data is kept outside the checkout, in a folder of the account, one per checkout:

- an ordinary user: `~/.local/share/igloo/<name>-<hash of the checkout's path>`. A checkout may lie
  on a disk where PostgreSQL can't run or must not (a Windows drive under WSL, a folder that iCloud
  or Dropbox copies while it is written). XDG_DATA_HOME is not heeded: some editors change it in
  their own terminals, and the same checkout would then have two databases.
- root: `/var/lib/igloo/…`. PostgreSQL refuses to run as root and runs as `nobody`, who must be able
  to reach the data; /root is closed to others, and should stay so.

`IGLOO_HOME` names another folder. A moved checkout is a new one, with new data.
"""

import fcntl
import hashlib
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

CHECKOUT = Path(__file__).resolve().parents[2]

# The last part of the folder of every embedded server's socket: how such a URL is known.
SOCKET_FOLDER = "igloo-postgres"
# Bytes that a socket's path may have: 104 with its final zero on macOS, 108 on Linux.
SOCKET_PATH_BYTES = 103


class LaptopError(Exception):
    """Something the person has to know or do; the message is whole sentences for them."""


def _digest(path: Path) -> str:
    # macOS hands out the same Korean name both composed and decomposed.
    return hashlib.sha256(unicodedata.normalize("NFC", str(path)).encode()).hexdigest()[:10]


def home() -> Path:
    """The folder that holds the data of all checkouts of this account."""
    if chosen := os.environ.get("IGLOO_HOME"):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/igloo")
    account = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises without a home
    if not account.is_absolute():
        return Path(tempfile.gettempdir(), f"igloo-{os.geteuid()}")
    return account / ".local" / "share" / "igloo"


def folder() -> Path:
    """The folder that holds this checkout's data."""
    name = re.sub(r"[^A-Za-z0-9_]+", "-", CHECKOUT.name).strip("-")[:20] or "checkout"
    return home() / f"{name}-{_digest(CHECKOUT)}"


def socket_folder(data_folder: Path) -> Path:
    """Where the server whose data is in `data_folder` has its socket.

    Beside the data, or in /tmp when that path is too long for a socket.
    """
    beside = data_folder / SOCKET_FOLDER
    if len(os.fsencode(beside / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES:
        return beside
    # /tmp, not the temporary folder of the environment: it must be short, and the same in each
    # shell.
    short = Path("/tmp")  # noqa: S108 - the server checks who owns the folder it finds there
    return short / f"igloo-{os.geteuid()}-{_digest(data_folder)}" / SOCKET_FOLDER


def make_folder(path: Path, *, mode: int = 0o755) -> None:
    """Make a folder, and those above it, that belongs to this account and nobody can have planted.

    Raises:
        LaptopError: the folder is another account's, or is a link.
        OSError: it can't be made.
    """
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.geteuid():
        raise LaptopError(
            f"The folder {path} is a link or belongs to another account, so it can't be used. "
            "Remove it, or name another folder: IGLOO_HOME=/some/folder make run"
        )


class RunFile:
    """`run.json` of a data folder: locked while in use, it says who runs and what they started."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def read(self) -> dict[str, Any]:
        """What the holder, or the one before it, wrote; empty when nothing of use is there."""
        self._file.seek(0)
        try:
            value = json.loads(self._file.read())
        except ValueError:  # empty, or cut off by a crash
            return {}
        return value if isinstance(value, dict) else {}

    def write(self, value: dict[str, Any]) -> None:
        """Replace what is written."""
        self._file.seek(0)
        self._file.truncate()
        json.dump(value, self._file)
        self._file.flush()


@contextmanager
def only_one(data_folder: Path) -> Iterator[RunFile]:
    """Hold the data folder for this process alone. The system lets go of it if the process dies.

    Raises:
        LaptopError: another process holds it.
        OSError: the folder can't be written.
    """
    make_folder(data_folder)
    with (data_folder / "run.json").open("a+", encoding="utf-8") as file:
        run_file = RunFile(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = run_file.read()
            pid = holder.get("pid", "unknown")
            raise LaptopError(
                f"It is already running from this checkout: process {pid}"
                + (f", at {holder['address']}" if holder.get("address") else "")
                + f". Stop it with Ctrl-C in its terminal, or: kill {pid}"
            ) from None
        yield run_file
