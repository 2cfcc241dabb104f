"""Which code this is, for whoever has to be sure of it: a deploy, before and after."""

import json
import os
from functools import cache

from igloo.config import BASE_DIR


@cache
def version() -> str:
    """The version of the Lambda package, else IGLOO_VERSION or the commit (a container's), else
    "local"."""
    # A hash of the package's content.
    return _packaged().get("version") or os.environ.get("IGLOO_VERSION") or commit() or "local"


@cache
def commit() -> str:
    """The commit that the Lambda package was built from, else IGLOO_COMMIT; empty: not known."""
    return _packaged().get("commit") or os.environ.get("IGLOO_COMMIT", "")


def _packaged() -> dict[str, str]:
    """What igloo/packaging/archive.py wrote; nothing outside of a package."""
    try:
        text = (BASE_DIR / "package_info.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    found: dict[str, str] = json.loads(text)
    return found
