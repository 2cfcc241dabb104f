"""`staticfiles.json` of a deployed stage: under which name `collectstatic` puts each static file.

With it in the package, a page makes its links without a client of S3, and without a call to it.
`python -m igloo.packaging.static_names FILE` writes it, where Django and the docs page's assets are
installed; `make_static_names` finds such a Python.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from igloo.packaging import PackagingError
from igloo.packaging.programs import output, run

# Whose static files there are beside this checkout's own: another version has other files.
_WITH_FILES = ("django", "djangorestframework", "drf-spectacular-sidecar")
_VERSIONS = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


def make_static_names(root: Path) -> bytes:
    """The file's content, the same for the same checkout and requirements.

    Raises:
        PackagingError: no Python has what is pinned, or a static file names another that is not
            there.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "staticfiles.json")
        run(
            [str(python_of(root)), "-m", "igloo.packaging.static_names", str(made)],
            "The names of the static files can't be made",
            # Not the stage's: where its files go makes no difference to their names.
            {"STAGE": "local", "STATIC_BUCKET": "", "PYTHONPATH": str(root)},
            folder=root,
        )
        return made.read_bytes()


def python_of(root: Path) -> Path:
    """The Python with the static files that the checkout at `root` pins.

    The checkout's own, or else the one that runs this, which Zappa may be of: in another version
    of Django the same file has other content, and so a name that `collectstatic` did not give.

    Raises:
        PackagingError: neither has these versions.
    """
    for python in (root / ".venv" / "bin" / "python", Path(sys.executable)):
        # -E: PYTHONPATH is another's.
        if versions := output([str(python), "-E", "-c", _VERSIONS, *_WITH_FILES]):
            pins = (root / "requirements-dev.txt").read_text("utf-8")
            found = zip(_WITH_FILES, versions.split(), strict=True)
            if all(f"\n{name}=={version} " in f"\n{pins}" for name, version in found):
                return python
    raise PackagingError(
        f"The names of the static files are made with {', '.join(_WITH_FILES)} as "
        "requirements-dev.txt pins them. Make .venv with: make install"
    )


def write(path: Path) -> None:
    """Collect the static files, with hashes in their names, and keep the list of names alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
    import django
    from django.conf import settings
    from django.core.management import call_command

    with tempfile.TemporaryDirectory() as folder:
        settings.STORAGES["staticfiles"] = {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
            "OPTIONS": {"location": folder},
        }
        django.setup()
        call_command("collectstatic", interactive=False, verbosity=0)
        names = json.loads(Path(folder, "staticfiles.json").read_text("utf-8"))
    path.write_text(json.dumps(names, sort_keys=True), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
