"""What the stack is given: what it has, what deploy/parameters/ says, and what a deploy sets."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode import decode_str

from igloo.deploying import DeployError
from igloo.deploying.ecs.stack import State

# Of a deploy alone.
SET = frozenset({"Image", "OneOffImage", "Services", "Stage"})


def file_of(root: Path, stage: str) -> Path:
    """Where a person writes them."""
    return root / "deploy" / "parameters" / f"{stage}.json"


def gather(root: Path, stage: str, template: str, state: State | None) -> dict[str, str]:
    """All that the template asks for, but for the images.

    The file wins over what the stack has; the template's defaults fill in the rest.

    Raises:
        DeployError: something is missing, or is no parameter of the template.
    """
    asked = _section(template, "Parameters")
    path = file_of(root, stage)
    place = path.relative_to(root)
    written = _written(path, str(place))
    if own := sorted(written.keys() & SET):
        raise DeployError(f"{place} says {', '.join(own)}, which a deploy sets itself.")
    if unknown := sorted(written.keys() - asked.keys()):
        raise DeployError(f"deploy/ecs.yaml has no {', '.join(unknown)}, of which {place} speaks.")
    had = state.parameters if state else {}
    found = {name: value for name, value in had.items() if name in asked} | written
    missing = [
        name
        for name, what in asked.items()
        if name not in SET and name not in found and "Default" not in what
    ]
    if missing:
        raise DeployError(
            f"The stack of {stage} has to be told {', '.join(missing)}: write the values into "
            f"{place}, and commit it. docs/ecs.md says where each comes from."
        )
    return found | {"Stage": stage}


def resource_types(template: str) -> list[str]:
    """Of all that the template makes."""
    return [what["Type"] for what in _section(template, "Resources").values()]


def _section(template: str, name: str) -> Mapping[str, Mapping[str, Any]]:
    decoded, errors = decode_str(template)
    if errors or decoded is None:
        raise DeployError(f"deploy/ecs.yaml can't be read: {'; '.join(map(str, errors))}")
    found: Mapping[str, Mapping[str, Any]] = decoded[name]
    return found


def _written(path: Path, place: str) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DeployError(f"{place} is not valid JSON: {error}") from error
    if not isinstance(found, dict) or not all(
        isinstance(value, str | int | list) for value in found.values()
    ):
        raise DeployError(f"{place} must hold one JSON object of names and values.")
    return {name: _text(value) for name, value in found.items()}


def _text(value: Any) -> str:
    """As CloudFormation takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
