"""The commands and parameters of docs/ecs.md fit the templates."""

import json
import re

from django.conf import settings

from igloo.deploying.ecs import parameters
from tests.deploying import stacks

TEXT = (settings.BASE_DIR / "docs" / "ecs.md").read_text(encoding="utf-8")


def refuse_unfit(file: str, given: set[str], set_elsewhere: frozenset[str]) -> None:
    """Fail where a template is given what it does not know, or not what it asks for."""
    known = stacks.template(file)["Parameters"]
    assert given <= set(known)
    needed = {name for name, what in known.items() if "Default" not in what}
    assert needed - set_elsewhere <= given


def test_the_command_gives_what_data_yaml_asks_for() -> None:
    [command] = re.findall(
        r"^aws cloudformation deploy --template-file deploy/data.yaml .*?^```$", TEXT, re.M | re.S
    )
    _, _, overrides = command.partition("--parameter-overrides")
    refuse_unfit("data.yaml", set(re.findall(r"(\w+)=", overrides)), frozenset())
    # Whoever names a role has to say so more loudly.
    assert any("RoleName" in item["Properties"] for item in _roles("data.yaml"))
    assert "--capabilities CAPABILITY_NAMED_IAM " in command.replace("\n", " ")
    assert not any("RoleName" in item["Properties"] for item in _roles("ecs.yaml"))


def test_the_file_of_parameters_says_what_ecs_yaml_asks_for() -> None:
    [block] = re.findall(r"^```json\n(.*?)^```$", TEXT, re.M | re.S)
    refuse_unfit("ecs.yaml", set(json.loads(block)), parameters.SET)


def _roles(file: str) -> list[dict[str, dict[str, object]]]:
    resources = stacks.template(file)["Resources"].values()
    return [item for item in resources if item["Type"] == "AWS::IAM::Role"]
