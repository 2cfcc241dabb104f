"""Make `.venv` and install what requirements-dev.txt pins. Does nothing when that is done.

Run by whatever `python3` the machine has, so only the standard library, and nothing newer than
Python 3.6 knows, may be used here: it has to be able to say that Python is too old.
"""

import filecmp
import importlib.util
import os
import shutil
import subprocess
import sys
import time

OLDEST = (3, 11)
VENV = ".venv"
PYTHON = os.path.join(VENV, "bin", "python")  # noqa: PTH118
WANTED = "requirements-dev.txt"
# A copy of what was installed, written last: an install that was cut off is done again.
INSTALLED = os.path.join(VENV, WANTED)  # noqa: PTH118


def stop(text: str) -> None:
    """Say what is wrong and what to do, and end with status 1."""
    sys.exit("igloo: " + text)


def with_a_newer_python() -> None:
    """Go on in a Python that is new enough, if this machine has one, or say that it has none."""
    for minor in (11, 12, 13, 14):
        found = shutil.which(f"python3.{minor}")
        if found and works(found):
            os.execv(found, [found, *sys.argv])  # noqa: S606
    stop(
        f"this is Python {sys.version.split()[0]}, and igloo needs 3.11 or newer. Install it "
        "(Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python), "
        "or name one: make PYTHON=/path/to/python3.11 run"
    )


def works(python: str) -> bool:
    """Whether it starts: after an upgrade of the system's Python a `.venv` may point nowhere."""
    try:
        command = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.call(command, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


QUIET = ("Requirement already satisfied", "Ignoring ", "Looking in ", "Using cached")


def run(step: str, command: list, hint: str) -> None:
    """Run one step, shown as it goes, with the time it took in seconds."""
    print("igloo: " + step + " …", flush=True)
    started = time.time()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout or ():
            # pip says one line for each package and each mirror; what moves is enough.
            if not line.lstrip().startswith(QUIET):
                print(line, end="", flush=True)
    status = process.returncode
    if status:
        stop(f"{step}: this failed with exit status {status}. {hint}")
    print(f"igloo: … done in {time.time() - started:.0f} s", flush=True)


def main() -> None:
    """Install what is missing."""
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))  # noqa: PTH100, PTH118, PTH120
    if works(PYTHON):
        if os.path.exists(INSTALLED) and filecmp.cmp(WANTED, INSTALLED, shallow=False):  # noqa: PTH110
            return
    else:
        if sys.version_info < OLDEST:
            with_a_newer_python()
        for module in ("venv", "ensurepip"):
            if importlib.util.find_spec(module) is None:
                stop(
                    f"this Python ({sys.executable}) lacks `{module}`. Debian and Ubuntu: "
                    "apt install python3-venv"
                )
        run(
            "making .venv",
            [sys.executable, "-m", "venv", "--clear", VENV],
            "Remove the folder .venv and try again; see that the disk is not full.",
        )
    run(
        "installing what requirements-dev.txt pins (900 MB on disk; minutes on a slow line)",
        [
            PYTHON, "-m", "pip", "install", "--require-hashes", "--no-input",
            "--disable-pip-version-check", "-r", WANTED,
        ],
        "See pip's message above; most often the network is away, and running this again goes on.",
    )  # fmt: skip
    shutil.copyfile(WANTED, INSTALLED)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("stopped while installing; the next start goes on.")
