"""The commands of docs/ecs.md fit the templates."""

import re

import pytest
from django.conf import settings

from tests.deploying import stacks


@pytest.mark.parametrize("file", ["data.yaml", "ecs.yaml"])
def test_a_command_gives_what_a_template_asks_for(file: str) -> None:
    text = (settings.BASE_DIR / "docs" / "ecs.md").read_text(encoding="utf-8")
    [command] = re.findall(
        rf"^aws cloudformation deploy --template-file deploy/{file} .*?^```$", text, re.M | re.S
    )
    parameters = stacks.template(file)["Parameters"]
    _, _, overrides = command.partition("--parameter-overrides")
    given = set(re.findall(r"(\w+)=", overrides.replace("arn:aws", "")))
    assert given <= set(parameters)
    assert {name for name, what in parameters.items() if "Default" not in what} <= given
    # Whoever names a role has to say so more loudly.
    names = any("RoleName" in item["Properties"] for item in _roles(file))
    assert f"--capabilities CAPABILITY_{'NAMED_' if names else ''}IAM " in command.replace(
        "\n", " "
    )


def _roles(file: str) -> list[dict[str, dict[str, object]]]:
    resources = stacks.template(file)["Resources"].values()
    return [item for item in resources if item["Type"] == "AWS::IAM::Role"]
