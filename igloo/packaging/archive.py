"""The zip: the same bytes for the same checkout, and nothing in it that should not be there."""

import base64
import hashlib
import json
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from igloo.packaging import PackagingError, rules
from igloo.packaging.environment import compile_folder
from igloo.packaging.project import project_files, refuse

# The first moment that a zip can name.
_DATE = (1980, 1, 1, 0, 0, 0)
# A regular file that anyone may read: Lambda runs as another account than the one that unpacks.
_MODE = 0o100644 << 16
_UNIX = 3
_MIB = 1024 * 1024


def write(
    path: Path,
    *,
    root: Path,
    libraries: Path,
    python: str,
    runtime: str,
    settings: bytes,
    static_names: bytes,
    commit: str = "",
) -> None:
    """Write the package to `path`, and check what was written.

    Args:
        root: the checkout.
        libraries: the folder of `environment.libraries`.
        python: of the runtime's version, to compile with.
        settings: `zappa_settings.py`, as Zappa makes it of the stage.
        static_names: `staticfiles.json`, as `make_static_names` makes it.
        commit: what the code will say that it is; empty where nobody knows. No part of the version.

    Raises:
        PackagingError: the package would hold what it must not, or lack what it needs.
    """
    files = _with_byte_code(project_files(root) | {"zappa_settings.py": settings}, python)
    files |= {
        file.relative_to(libraries).as_posix(): file.read_bytes()
        for file in libraries.rglob("*")
        if file.is_file()
    }
    files["staticfiles.json"] = static_names
    info = {"runtime": runtime, "version": _digest(files)} | ({"commit": commit} if commit else {})
    files["package_info.json"] = json.dumps(info, sort_keys=True).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            package.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    verify(path, libraries)


def _with_byte_code(sources: Mapping[str, bytes], python: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, data in sources.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        compile_folder(folder, python=python)
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }


def _digest(files: Mapping[str, bytes]) -> str:
    """One name for this content, whatever zlib packed it."""
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def verify(path: Path, libraries: Path) -> None:
    """Check a package by itself, as if another had built it.

    Raises:
        PackagingError: a file should not be there, one is missing, or it is too large.
    """
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
    known = {file.relative_to(libraries).as_posix() for file in libraries.rglob("*")}
    refuse(rules.strangers(names, known))
    missing = sorted({*rules.PROJECT_FILES, *rules.MADE, *rules.NEEDED} - set(names))
    if missing:
        raise PackagingError("The package lacks: " + ", ".join(missing) + ".")
    size = path.stat().st_size
    if size > rules.MAX_ZIP:
        raise PackagingError(
            f"The package has {size / _MIB:.1f} MiB, and {rules.MAX_ZIP / _MIB:.0f} are allowed. "
            f"The largest: {_largest(path)}."
        )


def checksum(path: Path) -> str:
    """The SHA-256 of a package as Lambda tells it of a deployed one: `CodeSha256`, base64."""
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


# --- Sizes --------------------------------------------------------------------------------------
_PACKAGE = re.compile(r"_?([A-Za-z0-9_]+)")


def sizes(path: Path) -> dict[str, int]:
    """Bytes in the zip by package, largest first. A package's `*.libs` count with it."""
    found: Counter[str] = Counter()
    with zipfile.ZipFile(path) as package:
        for entry in package.infolist():
            top = entry.filename.partition("/")[0]
            # `_pi_heif.cpython-312-x86_64-linux-gnu.so`, `pi_heif.libs`, `pi_heif-1.4.0.dist-info`.
            match = _PACKAGE.match(top)
            found[match[1].lower() if match else top] += entry.compress_size
    return dict(found.most_common())


def _largest(path: Path) -> str:
    largest = list(sizes(path).items())[:6]
    return ", ".join(f"{name} {size / _MIB:.1f} MiB" for name, size in largest)
