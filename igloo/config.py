"""Where a setting's value comes from: the environment, then `.secrets/`, then a default."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ImproperlyConfigured(f"{path} is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise ImproperlyConfigured(f"{path} must hold one JSON object of names and values.")
    return values


class Config:
    """The values of one stage.

    `secrets_dir` holds `base.json`, for every stage, and `<stage>.json`, which wins over it.
    A missing file or folder is an empty one, so that a bare clone runs. `values` are those of the
    files alone.
    """

    def __init__(self, stage: str, secrets_dir: Path) -> None:
        self.values = _read_json(secrets_dir / "base.json") | _read_json(
            secrets_dir / f"{stage}.json"
        )

    def _value(self, name: str, default: str) -> Any:
        """An empty value counts as missing; a 0 or a false of a secrets file does not."""
        if value := os.environ.get(name):
            return value
        value = self.values.get(name)
        return default if value in (None, "", []) else value

    def text(self, name: str, default: str = "") -> str:
        """The value as text; an empty value counts as missing."""
        return str(self._value(name, default))

    def flag(self, name: str, default: bool = False) -> bool:
        """The value as yes or no: 1/true/yes/on and 0/false/no/off, whatever the case."""
        value = self.text(name, str(default)).lower()
        if value in ("1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")

    def number(self, name: str, default: int) -> int:
        """The value as a whole number."""
        value = self.text(name, str(default))
        try:
            return int(value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from error

    def words(self, name: str, default: str = "") -> list[str]:
        """The value as a list: comma-separated, or a JSON list in a secrets file."""
        value = self._value(name, default)
        if isinstance(value, list):
            return [str(word) for word in value]
        return [word.strip() for word in str(value).split(",") if word.strip()]
