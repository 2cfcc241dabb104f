"""What an instance finds on its disk: the package, and what Lambda's runtime adds to it."""

import calendar
import importlib.util
import os
import shutil
import stat
import zipfile
from pathlib import Path

from igloo.laptop.places import LaptopError

# Of all files of a package together ("Lambda quotas" in the AWS Lambda developer guide).
UNPACKED_BYTES = 250 * 1024 * 1024
# The runtime's own, on Lambda in /var/runtime: its client, and boto3 with what that needs.
RUNTIME_MODULES = (
    *("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
)
_UNIX = 3


def unpack(package: Path, folder: Path) -> None:
    """Put the files of a zip, or of a folder, into a new folder, write-protected.

    Raises:
        LaptopError: AWS would refuse the package, or could not read a file of it.
    """
    if package.is_dir():
        shutil.copytree(package, folder)
    elif zipfile.is_zipfile(package):
        with zipfile.ZipFile(package) as file:
            _extract(file, folder)
    else:
        raise LaptopError(f"{package} is neither a zip nor a folder. `make package` makes the zip.")
    paths = list(folder.rglob("*"))
    size = sum(path.stat().st_size for path in paths if path.is_file())
    if size > UNPACKED_BYTES:
        raise LaptopError(f"{package} unpacks to {size:,} bytes; Lambda takes {UNPACKED_BYTES:,}.")
    for path in (folder, *paths):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def _extract(file: zipfile.ZipFile, folder: Path) -> None:
    folder.mkdir()
    for info in file.infolist():
        mode = info.external_attr >> 16
        if info.create_system == _UNIX and mode and not mode & stat.S_IROTH:
            raise LaptopError(f"{info.filename} of the package is closed to others (mode {mode:o})")
        # It takes `..` and a leading `/` out of the name.
        path = file.extract(info, folder)
        if mode & stat.S_IXUSR:
            os.chmod(path, 0o755)  # noqa: PTH101, S103 - write-protected later
        # A .pyc may name the time of its source.
        seconds = calendar.timegm((*info.date_time, 0, 0, 0))
        os.utime(path, (seconds, seconds))


def add_runtime(folder: Path) -> None:
    """Make a folder with RUNTIME_MODULES of this environment, and nothing else of it.

    Raises:
        LaptopError: one is not installed.
    """
    folder.mkdir()
    for name in RUNTIME_MODULES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise LaptopError(f"{name} is not installed, which Lambda's runtime has: make install")
        places = spec.submodule_search_locations
        path = Path(places[0] if places else spec.origin)
        (folder / path.name).symlink_to(path)


def remove(folder: Path) -> None:
    """Delete a folder that may be write-protected."""
    for path, _folders, _files in os.walk(folder):
        os.chmod(path, 0o700)  # noqa: PTH101
    shutil.rmtree(folder, ignore_errors=True)
