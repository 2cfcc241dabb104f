"""Which code this is, for whoever has to be sure of it: a deploy, before and after."""

import json
import os
from functools import cache

from igloo.config import BASE_DIR


@cache
def version() -> str:
    """The version of the Lambda package, else IGLOO_VERSION (a container's), else "local"."""
    try:
        # igloo/packaging/archive.py writes it: a hash of the package's content.
        packaged = (BASE_DIR / "package_info.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return os.environ.get("IGLOO_VERSION") or "local"
    found: str = json.loads(packaged)["version"]
    return found
