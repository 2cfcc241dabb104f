"""The step that makes `.venv`: what it says to someone whose Python will not do."""

import sys
from pathlib import Path

import pytest

from igloo.laptop import install


def test_a_python_that_is_too_old_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "version", "3.9.2 (default)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"this is Python 3\.9\.2, and igloo needs 3\.11 or newer"):
        install.with_a_newer_python()


def test_a_venv_whose_python_is_gone_does_not_work(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(tmp_path / "removed")
    assert not install.works(str(tmp_path / "python"))
    assert install.works(sys.executable)


def test_a_failed_step_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"trying: this failed with exit status 3\. Do that"):
        install.run("trying", [sys.executable, "-c", "raise SystemExit(3)"], "Do that.")
    assert "trying" in capsys.readouterr().out
