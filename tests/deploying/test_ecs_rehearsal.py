"""A stage's life on ECS, from an empty account on, against a stand-in that runs its containers.

first deploy → a migration that fails → one that takes away → the second version → one that does not
get healthy → a look. What the stand-in is, and is not, is in ecs_stand_in.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploying import deployer, ecs_needs, ecs_person, stacks
from tests.deploying.ecs_person import EcsPerson

# What moto's CloudFormation does not make, it only tells of.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Tried to parse AWS"),
    pytest.mark.usefixtures("django_db_setup"),
]

MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("posts", "LAST")]
    operations = [OPERATION]
"""


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EcsPerson]:
    with ecs_person.ready(tmp_path) as who:
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, who.variables[name])
        monkeypatch.setenv("AWS_DEFAULT_REGION", who.variables["AWS_DEFAULT_REGION"])
        who.tell()
        yield who


def migration(person: EcsPerson, operation: str) -> Path:
    path = person.folder / "apps/posts/migrations/9999_next.py"
    last = max(found.stem for found in path.parent.glob("[0-9]*.py") if found != path)
    text = MIGRATION.replace("LAST", last).replace("OPERATION", operation)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_life_of_a_stage(person: EcsPerson) -> None:
    first = person.commit()
    # Only a look: nothing is there afterwards.
    looked = person.deploy("--dry-run", noting=False)
    assert looked.returncode == 0, looked.stdout
    assert "3 AWS::ECS::TaskDefinition" in looked.stdout
    assert person.client("cloudformation").describe_stacks()["Stacks"] == []
    assert not person.server.shim.images.exists()

    # The database is empty: nothing would be healthy before it is migrated.
    made = person.deploy(noting=False)
    assert made.returncode == 0, made.stdout
    assert f"production runs commit {first} on ECS" in made.stdout
    assert "Applying posts.0001_" in made.stdout
    assert person.health()["commit"] == first
    before = person.parameters()
    assert before["Image"].startswith("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/igloo@sha")
    assert (before["OneOffImage"], before["Services"]) == ("", "true")
    assert person.server.keys(stacks.NAMES["StaticBucket"])

    # A migration fails: nothing that serves was touched, and its lines tell why.
    migration(person, "migrations.RunSQL('SELECT 1/0', hints={'expands': True})")
    person.commit()
    failed = person.deploy()
    assert failed.returncode == 1
    assert "division by zero" in failed.stdout
    assert "`migrate --no-input` ended with status 1 (Essential container" in failed.stdout
    assert f"production is back at commit {first}, which answers.\n" in failed.stdout
    assert person.parameters() == before

    # One that the running version would not survive is not run, but for CONTRACT=1.
    migration(person, "migrations.RunSQL('SELECT 1', 'SELECT 1')")
    second = person.commit()
    refused = person.deploy()
    assert refused.returncode == 1
    assert "would not survive this: posts.9999_next.RunSQL" in refused.stdout
    assert person.parameters() == before
    assert not [line for line in person.server.shim.commands[-1:] if "migrate" in line]
    allowed = person.deploy("--contract")
    assert allowed.returncode == 0, allowed.stdout
    # What the refused deploy has pushed is not built again.
    assert f"ECR has {second} already" in allowed.stdout
    assert "Applying posts.9999_next" in allowed.stdout
    assert person.health()["commit"] == second
    assert person.parameters()["Image"] != before["Image"]
    before = person.parameters()

    settings = person.folder / "igloo" / "settings.py"
    # The web server can't start, though commands can.
    text = settings.read_text(encoding="utf-8")
    bad = "import sys\nif 'gunicorn' in sys.argv[0]:\n    raise RuntimeError('bad day')\n"
    settings.write_text(f"{text}\n{bad}", encoding="utf-8")
    person.commit()
    unhealthy = person.deploy()
    assert unhealthy.returncode == 1
    assert (
        "CloudFormation ended in the state UPDATE_ROLLBACK_COMPLETE: Web: ECS Deployment Circuit "
        "Breaker was triggered.\n" in unhealthy.stdout
    )
    back = f"production is back at commit {second}, which answers. Migrations stay: they only add."
    assert back in unhealthy.stdout
    assert person.health()["commit"] == second
    assert person.parameters() == before

    # Only a look, once more: the change set is gone, and so is nothing else.
    settings.write_text(text, encoding="utf-8")
    person.tell(WebMax=20)
    template = person.folder / "deploy" / "ecs.yaml"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("StopTimeout: 120", "StopTimeout: 119", 1), encoding="utf-8")
    third = person.commit()
    images = person.client("ecr").describe_images(repositoryName="igloo")["imageDetails"]
    looked = person.deploy("--dry-run")
    assert looked.returncode == 0, looked.stdout
    assert (
        f"would build and push 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/igloo:{third}"
        in looked.stdout
    )
    assert "igloo:   Modify WebTask (AWS::ECS::TaskDefinition), replaced\n" in looked.stdout
    assert person.parameters() == before
    assert person.health()["commit"] == second
    cloudformation = person.client("cloudformation")
    assert cloudformation.list_change_sets(StackName="igloo-ecs-production")["Summaries"] == []
    assert person.client("ecr").describe_images(repositoryName="igloo")["imageDetails"] == images

    assert_the_deployers_role_is_enough(person)


# What the deployer may do and a deploy here does not: with a reason for each.
NOT_CALLED = {
    # An update, or a command, that takes too long.
    "Stack cloudformation:CancelUpdateStack",
    "OneOffTasks ecs:StopTask",
}


def assert_the_deployers_role_is_enough(person: EcsPerson) -> None:
    """All that the deploys after the first called is granted to GitHub's deployer, and nothing
    else is. The first makes the stack, and so roles and a network: a person does that."""
    found = deployer.policies(
        person.server, StaticBucket=stacks.NAMES["StaticBucket"], OnEcs="true"
    )
    more = [deployer.Need(*need) for need in (*ecs_needs.of_builder(), *ecs_needs.of_release())]
    needs = {*deployer.noted(person.calls), *more}
    assert deployer.refused(found["ecs"] + found["static"], needs) == set()
    assert deployer.unused(found["ecs"], needs) == NOT_CALLED
