"""What tests of the command share."""

import datetime as dt
import re
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.ops.cost.builders import FOLDER


@pytest.fixture
def prices_folder(tmp_path: Path, settings: Settings) -> Path:
    """A project with the committed prices, all read today, and no measured container."""
    settings.BASE_DIR = tmp_path
    folder = tmp_path / "deploy" / "prices"
    folder.mkdir(parents=True)
    today = dt.datetime.now(dt.UTC).date()
    for path in FOLDER.glob("*-*-[0-9].toml"):
        text = re.sub(r"(?m)^date = .*$", f"date = {today}", path.read_text(encoding="utf-8"))
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder
