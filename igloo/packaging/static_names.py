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


def make_static_names(root: Path) -> bytes:
    """The file's content, the same for the same checkout and requirements.

    Raises:
        PackagingError: the checkout's environment is not made, or a static file names another
            that is not there.
    """
    candidates = [Path(sys.executable), root / ".venv" / "bin" / "python"]
    python = next((path for path in candidates if _has_assets(path)), None)
    if python is None:
        raise PackagingError(
            "The names of the static files are made with what requirements-dev.txt installs. "
            "Make .venv with: make install"
        )
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "staticfiles.json")
        run(
            [str(python), "-m", "igloo.packaging.static_names", str(made)],
            "The names of the static files can't be made",
            # Not the stage's: where its files go makes no difference to their names.
            {"STAGE": "local", "STATIC_BUCKET": "", "PYTHONPATH": str(root)},
            folder=root,
        )
        return made.read_bytes()


def _has_assets(python: Path) -> bool:
    return bool(
        output([str(python), "-c", "import django, drf_spectacular_sidecar as it; print(it)"])
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
