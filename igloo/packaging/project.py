"""Which files of a checkout are deployed."""

import os
from collections.abc import Iterator
from pathlib import Path

from igloo.packaging import PackagingError, rules


def project_files(root: Path, *, container: bool = False) -> dict[str, bytes]:
    """What goes into the package of the checkout at `root`; with `container`, into the image.

    Raises:
        PackagingError: a file is in its folders that is neither for Lambda nor known as left out.
    """
    taken: dict[str, bytes] = {}
    strange = []
    for path in walk(root):
        name = path.relative_to(root).as_posix()
        # A link may lead to anything.
        if rules.is_secret(name) or path.is_symlink():
            strange.append(name)
        elif rules.is_taken(name, container=container):
            taken[name] = path.read_bytes()
        elif not rules.is_left(name, container=container):
            strange.append(name)
    refuse(strange)
    return taken


def walk(root: Path) -> Iterator[Path]:
    for folder in rules.PROJECT_FOLDERS:
        for parent, folders, names in os.walk(root / folder):
            # A link to a folder is not followed, and is named as a file is.
            links = [name for name in folders if Path(parent, name).is_symlink()]
            yield from (Path(parent, name) for name in [*links, *names])
    yield from (path for name in rules.PROJECT_FILES if (path := root / name).is_file())


def refuse(strange: list[str]) -> None:
    """Raises PackagingError where there are any."""
    if strange:
        raise PackagingError(
            "These must not get into a package or an image: "
            + ", ".join(sorted(strange))
            + ". Take them "
            "away, or say in igloo/packaging/rules.py that they belong there."
        )
