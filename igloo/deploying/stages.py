"""What zappa_settings.json says of a stage."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igloo.config import BASE_DIR, Config
from igloo.deploying import DeployError


@dataclass(frozen=True)
class Stage:
    """A stage, with what it extends already put in."""

    name: str
    settings: dict[str, Any]
    root: Path = BASE_DIR

    @property
    def function_name(self) -> str:
        """Zappa's name of the function: `igloo-production`."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.settings['project_name']}-{self.name}".lower())

    @property
    def region(self) -> str:
        """Where it is deployed."""
        return str(self.settings["aws_region"])

    @property
    def variables(self) -> dict[str, str]:
        """The function's own variables; secrets may be among them."""
        return dict(self.settings.get("aws_environment_variables", {}))

    def secrets(self) -> Config:
        """What the stage's `.secrets` hold on this machine; nothing, where they are not here."""
        return Config(self.name, self.root / ".secrets")

    def value(self, name: str) -> str:
        """A setting that the deployed code will have, where this machine can know it; or ''."""
        return self.variables.get(name) or self.secrets().text(name)


def read(name: str, root: Path = BASE_DIR) -> Stage:
    """The stage of this name.

    Raises:
        DeployError: there is none.
    """
    stages = json.loads((root / "zappa_settings.json").read_text(encoding="utf-8"))
    if name not in stages or name == "base":
        known = ", ".join(sorted(stages.keys() - {"base"}))
        raise DeployError(f"zappa_settings.json has no stage {name!r}; it has {known}.")
    settings: dict[str, Any] = {}
    following: str | None = name
    while following:
        settings = stages[following] | settings
        following = stages[following].get("extends")
    return Stage(name, settings, root)
