"""Programs that a build runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from igloo.packaging import PackagingError

_CHECKOUT = Path(__file__).resolve().parents[2]


def output(command: list[str], **variables: str) -> str:
    """What a command says; nothing where it fails, or is not there."""
    try:
        process = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, env=os.environ | variables
        )
    except OSError:
        return ""
    return "" if process.returncode else process.stdout.strip()


def uv() -> list[str]:
    """uv: of this environment, of the checkout's, or of the machine."""
    if find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    checkouts = _CHECKOUT / ".venv" / "bin" / "python"
    if checkouts.exists():
        return [str(checkouts), "-m", "uv"]
    if found := shutil.which("uv"):
        return [found]
    raise PackagingError("uv installs the libraries of the package. Make .venv with: make install")


def run(
    command: list[str],
    problem: str,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a command, with more variables, in a folder.

    Raises:
        PackagingError: it failed; the `problem`, and all that it said.
    """
    environment = os.environ | dict(variables or {})
    process = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    if process.returncode:
        said = "\n".join(part.strip() for part in (process.stdout, process.stderr) if part.strip())
        raise PackagingError(f"{problem}:\n{said}")
