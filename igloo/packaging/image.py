"""`python -m igloo.packaging.image FOLDER`: what the Dockerfile copies of this checkout.

By the same rules as the package for Lambda, with the cluster of background work.
"""

import sys
from pathlib import Path

from igloo.packaging import PackagingError
from igloo.packaging.project import project_files

_CHECKOUT = Path(__file__).resolve().parents[2]
# Of `deploy/`: what a container runs by.
FILES = ("deploy/gunicorn.conf.py",)


def copy(folder: Path, root: Path = _CHECKOUT) -> None:
    """Copy it, readable by any account.

    Raises:
        PackagingError: a file is there that is neither for an image nor known as left out.
    """
    files = project_files(root, container=True)
    files |= {name: (root / name).read_bytes() for name in FILES}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    try:
        copy(Path(sys.argv[1]))
    except PackagingError as error:
        sys.exit(f"igloo: {error}")
