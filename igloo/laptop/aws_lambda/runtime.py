"""The interpreter that a package is for, and what Lambda's runtime adds to the package."""

import hashlib
import json
import platform
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from igloo.laptop.aws_lambda.package import add_runtime
from igloo.laptop.children import say
from igloo.laptop.places import LaptopError
from igloo.packaging import PackagingError, environment, programs, rules

# On Lambda in /var/runtime: its client, and boto3 with what that needs. requirements-dev.txt pins
# them.
DISTRIBUTIONS = {
    *("awslambdaric", "simplejson", "snapshot-restore-py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"),
}
_OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_REQUIREMENT = re.compile(r"([a-z0-9-]+)==")


@dataclass(frozen=True)
class Runtime:
    """What an instance runs with."""

    python: str
    # As in "python3.12", without the name.
    version: str
    # The folder of the runtime's modules.
    modules: Path


def of_package(task_root: Path, folder: Path) -> Runtime:
    """The runtime that an unpacked package names, or else the one of this process.

    Args:
        folder: made here, for the modules, where this process has the right ones itself.

    Raises:
        LaptopError: it can't be had on this machine.
    """
    version = _version_of(task_root)
    if version == _OWN_VERSION:
        add_runtime(folder)
        return Runtime(sys.executable, version, folder)
    # AWS's client has wheels for Linux alone, and a package its libraries for x86-64.
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise LaptopError(
            f"The package is for Python {version} on Linux with x86-64, and this machine is "
            f"{platform.system()} with {platform.machine()}. Run it in a container of that kind."
        )
    try:
        python = environment.python_for(f"python{version}")
        return Runtime(_itself(python), version, _modules(version, python))
    except PackagingError as error:
        raise LaptopError(str(error)) from error


def _version_of(task_root: Path) -> str:
    info = task_root / "package_info.json"
    if not info.exists():
        return _OWN_VERSION
    try:
        runtime = json.loads(info.read_text(encoding="utf-8"))["runtime"]
    except (KeyError, TypeError, ValueError) as error:
        raise LaptopError("package_info.json of the package does not say the runtime.") from error
    if runtime not in rules.RUNTIMES:
        raise LaptopError(f"The package is for {runtime!r}; known are {', '.join(rules.RUNTIMES)}.")
    return str(runtime).removeprefix("python")


def _itself(python: str) -> str:
    """The interpreter behind a script of pyenv, which needs its own variables."""
    return programs.output([python, "-I", "-c", "import sys; print(sys.executable)"]) or python


def _modules(version: str, python: str) -> Path:
    """DISTRIBUTIONS for another version than this process has, installed once."""
    pins = _pins((environment.ROOT / "requirements-dev.txt").read_text(encoding="utf-8"))
    key = hashlib.sha256(pins.encode()).hexdigest()[:16]
    folder = environment.cache() / f"runtime-{version}-{key}"
    if folder.exists():
        return folder
    say(f"igloo: installing what Lambda's runtime for Python {version} has …")
    # Renamed when it is whole, as the libraries of a package are.
    with tempfile.TemporaryDirectory(dir=environment.cache(), prefix="making-") as temporary:
        made = Path(temporary, "runtime")
        requirements = Path(temporary, "requirements.txt")
        requirements.write_text(pins, encoding="utf-8")
        command = [
            *programs.uv(), "pip", "install", "--quiet", "--target", str(made),
            "--python", python, "--python-version", version, "--compile-bytecode",
            "--only-binary", ":all:", "--require-hashes", "--no-deps",
            "--requirement", str(requirements),
        ]  # fmt: skip
        variables = {"UV_CACHE_DIR": str(environment.cache() / "uv")}
        try:
            # What is pinned and was fetched before needs no index.
            programs.run(command, "", variables | {"UV_OFFLINE": "1"})
        except PackagingError:
            problem = f"Lambda's runtime for Python {version} can't be installed"
            programs.run(command, problem, variables)
        try:
            made.rename(folder)
        except OSError:
            if not folder.exists():  # or another process was faster
                raise
    return folder


def _pins(requirements: str) -> str:
    """Of a requirements.txt made by uv: DISTRIBUTIONS with their hashes.

    Raises:
        LaptopError: one is not pinned.
    """
    lines: dict[str, list[str]] = {}
    name = ""
    for line in requirements.splitlines():
        if found := _REQUIREMENT.match(line):
            name = found[1]
        if name in DISTRIBUTIONS and not line.lstrip().startswith("#"):
            lines.setdefault(name, []).append(line)
    if missing := sorted(DISTRIBUTIONS - lines.keys()):
        raise LaptopError(f"requirements-dev.txt does not pin {', '.join(missing)}.")
    return "".join(f"{line}\n" for name in lines for line in lines[name])
