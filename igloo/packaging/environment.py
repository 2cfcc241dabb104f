"""The libraries of the package: exactly what requirements.txt pins, for Lambda, ready to be zipped.

They are installed into a folder of their own, whatever virtual environment is active, and kept in
`.local/lambda` until requirements.txt or the rules change.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from igloo.packaging import PackagingError, elf, rules
from igloo.packaging.programs import output, run, uv

ROOT = Path(__file__).resolve().parents[2]
# Where Lambda unpacks a package: what tracebacks say.
TASK_ROOT = "/var/task"
# Seconds after which the libraries of other requirements are deleted.
_STALE = 24 * 3600
_REQUIREMENT = re.compile(r"([a-z0-9-]+)==")
_VIA = re.compile(r"    #(?: via|  ) (\S.*)")


def cache() -> Path:
    """Where builds keep what they can use again; IGLOO_PACKAGE_CACHE names another folder."""
    folder = Path(os.environ.get("IGLOO_PACKAGE_CACHE") or ROOT / ".local" / "lambda")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def libraries(runtime: str) -> Path:
    """The folder of the libraries as they go into the package, made if it is not there.

    Args:
        runtime: Lambda's name of it, a key of `rules.RUNTIMES`.

    Raises:
        PackagingError: a wheel or a Python is missing.
    """
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    python = python_for(runtime)
    built_by = [Path(__file__), Path(elf.__file__), Path(rules.__file__)]
    key = hashlib.sha256(
        "\0".join(
            [
                requirements,
                runtime,
                version_of(python),
                *(path.read_text("utf-8") for path in built_by),
            ]
        ).encode()
    ).hexdigest()[:16]
    folder = cache() / f"{runtime}-{key}"
    if not folder.exists():
        click.echo(f"igloo: installing the libraries for {runtime} …")
        # In a folder of its own, renamed when it is whole: a build that was cut off leaves nothing
        # that looks finished, and two builds don't meet.
        with tempfile.TemporaryDirectory(dir=cache(), prefix="making-") as temporary:
            made = Path(temporary, "libraries")
            installed = Path(temporary, "installed")
            _install(shipped(requirements), installed, runtime=runtime, python=python)
            _lean_copy(installed, made)
            compile_folder(made, python=python, beside=True)
            for source in made.rglob("*.py"):
                # Python takes the byte code in its place. With the sources the package would pass
                # its limit; tracebacks still name a library's file, line and function.
                source.unlink()
            try:
                made.rename(folder)
            except OSError:
                if not folder.exists():  # or another build was faster
                    raise
        _delete_stale(folder)
    return folder


def _delete_stale(current: Path) -> None:
    for other in cache().glob("python*-*"):
        if other != current and time.time() - other.stat().st_mtime > _STALE:
            shutil.rmtree(other, ignore_errors=True)


def shipped(requirements: str) -> str:
    """Of a requirements.txt made by uv, with its `# via` comments: what the package takes.

    Without `rules.STAY_BEHIND` and what only they, and nothing else, require.
    """
    lines: dict[str, list[str]] = {}
    wanted_by: dict[str, set[str]] = {}
    name = ""
    for line in requirements.splitlines():
        if found := _REQUIREMENT.match(line):
            name = found[1]
        lines.setdefault(name, []).append(line)
        if found := _VIA.match(line):
            wanted_by.setdefault(name, set()).add(found[1].strip())
    behind = set(rules.STAY_BEHIND)
    if unknown := sorted(behind - lines.keys()):
        raise PackagingError(
            f"requirements.txt has no {', '.join(unknown)}, which STAY_BEHIND of "
            "igloo/packaging/rules.py leaves out. Take the name away there."
        )
    while more := {name for name, by in wanted_by.items() if name not in behind and by <= behind}:
        behind |= more
    return "".join(f"{line}\n" for name in lines if name not in behind for line in lines[name])


def _install(requirements: str, folder: Path, *, runtime: str, python: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(requirements)
        file.flush()
        sources = [word for name in rules.WITHOUT_WHEEL for word in ("--no-binary", name)]
        command = [
            *uv(), "pip", "install", "--quiet", "--target", str(folder), "--python", python,
            "--python-version", runtime.removeprefix("python"),
            "--python-platform", rules.RUNTIMES[runtime],
            "--only-binary", ":all:", *sources, "--require-hashes", "--no-deps",
            "--requirement", file.name,
        ]  # fmt: skip
        variables = {
            # Where libvips' headers are, pyvips would compile for this machine.
            "PKG_CONFIG": "false",
            # Of its own, so that no wheel that was built with other settings is found.
            "UV_CACHE_DIR": str(cache() / "uv"),
        }
        try:
            # What is pinned and was fetched before needs no index.
            run(command, "", variables | {"UV_OFFLINE": "1"})
        except PackagingError:
            run(command, "The libraries of the package can't be installed", variables)
    for name in rules.WITHOUT_WHEEL:
        (wheel,) = folder.glob(f"{name.replace('-', '_')}-*.dist-info/WHEEL")
        if "Root-Is-Purelib: true" not in wheel.read_text(encoding="utf-8"):
            raise PackagingError(f"{name} was compiled for this machine, which is not Lambda.")


def _lean_copy(installed: Path, made: Path) -> None:
    """Copy what the rules keep."""
    paths = (path for path in installed.rglob("*") if path.is_file())
    names = (path.relative_to(installed).as_posix() for path in paths)
    files = {name: (installed / name).read_bytes() for name in names if rules.is_library_file(name)}
    needed = rules.named_libraries(files)
    for name, data in files.items():
        if name.partition("/")[0].endswith(".libs") and name not in needed:
            continue
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(elf.loaded_part(data) if elf.is_elf(data) else data)


def compile_folder(folder: Path, *, python: str, beside: bool = False) -> None:
    """Compile each source to byte code that Python takes without a look at the source's date.

    Zappa gives all files the same date, so that ordinary byte code counts as stale, and /var/task
    can't be written: every cold start would compile everything. The same sources give the same
    bytes: one process, files in order, no trace of where the folder lies.

    Args:
        beside: the byte code in the source's place, else in `__pycache__`.
    """
    run(
        [
            python, "-I", "-W", "ignore", "-m", "compileall", "-q", "-f",
            *(["-b"] if beside else []), "--invalidation-mode", "unchecked-hash",
            "-s", str(folder), "-p", TASK_ROOT, str(folder),
        ],
        "The package can't be compiled",
    )  # fmt: skip


# --- Programs -----------------------------------------------------------------------------------
def python_for(runtime: str) -> str:
    """A Python of the runtime's version on this machine; byte code is of one version alone.

    Raises:
        PackagingError: there is none, and none can be had.
    """
    version = runtime.removeprefix("python")
    for candidate in _pythons(version):
        if version_of(candidate).startswith(f"{version}."):
            return candidate
    raise PackagingError(
        f"The package for {runtime} is compiled by Python {version}, which is not on this machine. "
        f"Install it, for one with: {' '.join(uv())} python install {version}"
    )


def _pythons(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python")))
    # uv knows of more places, and can bring one.
    own = {"UV_PYTHON_INSTALL_DIR": str(cache() / "python")}
    for command in ("find", "install", "find"):
        if command == "install":
            click.echo(f"igloo: looking for Python {version} to compile with …")
            output([*uv(), "python", "install", "--quiet", "--no-bin", version], **own)
        elif found := output([*uv(), "python", "find", "--system", "--no-project", version], **own):
            yield found


def version_of(python: str) -> str:
    """Its full version: `3.12.1 (main, …) [GCC 12.2.0]`. Empty when it does not start."""
    return output([python, "-I", "-c", "import sys; print(sys.version)"])
