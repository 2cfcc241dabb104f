"""Which Python makes the names of the static files, where more than one is about."""

import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from django.conf import settings

from igloo.packaging import PackagingError
from igloo.packaging.static_names import python_of


def environment(folder: Path, *, assets: str = "") -> Path:
    """A virtual environment with all that this one has; `assets` is another version of theirs."""
    venv.create(folder, symlinks=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "rest.pth").write_text(sysconfig.get_path("purelib"))
    if assets:
        metadata = own / f"drf_spectacular_sidecar-{assets}.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(
            f"Metadata-Version: 2.1\nName: drf-spectacular-sidecar\nVersion: {assets}\n"
        )
    return folder / "bin" / "python"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout, as far as this reads it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(settings.BASE_DIR / "requirements-dev.txt", folder)
    return folder


def test_the_checkouts_own_is_taken_and_not_the_active_one(root: Path) -> None:
    assert python_of(root) == Path(sys.executable)
    own = environment(root / ".venv")
    assert python_of(root) == own


def test_one_with_other_files_than_the_pinned_is_not_taken(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(root / ".venv", assets="2025.12.1")
    assert python_of(root) == Path(sys.executable)

    monkeypatch.setattr(sys, "executable", str(environment(tmp_path / "active", assets="1.0")))
    with pytest.raises(PackagingError, match=r"drf-spectacular-sidecar as .* make install"):
        python_of(root)
