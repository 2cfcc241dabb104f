"""The two roles of containers (deploy/data.yaml) grant what is called, and nothing else.

What a photo's life on S3 takes is measured in tests/aws_lambda/test_role.py, which holds the
function's role to it. A container runs the same code: its role is held to the function's.
"""

import json
from typing import Any

import boto3
import pytest

from tests.aws_lambda.test_role import OF_BILL, OF_MAIL, OF_TRANSPORTS, PARAMETERS, called, granted
from tests.aws_lambda.test_role import statements as of_function  # noqa: F401 - a fixture
from tests.deploying import stacks
from tests.media.s3 import S3Server

# What moto's CloudFormation does not make, it only tells of.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")

STARTS = "igloo-production-execution"
RUNS = "igloo-production-task"


@pytest.fixture
def roles(of_function: Any, account: S3Server) -> dict[str, list[dict[str, Any]]]:  # noqa: F811
    """What CloudFormation makes of the template: the statements of each role."""
    mail = {"MailFrom": PARAMETERS["MailFrom"]}
    parameters = stacks.NAMES | mail | {"Vpc": stacks.network()["vpc"]}
    stacks.write("create", "igloo-data", "data.yaml", parameters)
    iam = boto3.client("iam")
    found = {}
    for role in (STARTS, RUNS):
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        [statement] = trust["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        assert len(names) == (2 if role == RUNS else 1)
        documents = [
            iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names
        ]
        found[role] = [statement for document in documents for statement in document["Statement"]]
    return found


def on(statements: list[dict[str, Any]], bucket: str) -> set[tuple[str, str]]:
    """(action, what of the bucket) that is granted."""
    found = set()
    for statement in statements:
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            name, slash, key = resource.removeprefix("arn:aws:s3:::").partition("/")
            if name == bucket:
                found |= {(action, slash + key) for action in statement["Action"]}
    return found


@pytest.mark.parametrize("name", ["MediaBucket", "OriginalsBucket"])
def test_of_photos_a_container_may_what_the_function_may(
    roles: dict[str, list[dict[str, Any]]],
    of_function: list[dict[str, Any]],  # noqa: F811
    name: str,
) -> None:
    functions = on(of_function, PARAMETERS[name])
    assert functions
    assert on(roles[RUNS], stacks.NAMES[name]) == functions
    assert not on(roles[STARTS], stacks.NAMES[name])


def test_it_reads_no_secrets_and_writes_no_static_files(
    roles: dict[str, list[dict[str, Any]]],
) -> None:
    for name in ("SecretsBucket", "StaticBucket"):
        assert not on(roles[RUNS], stacks.NAMES[name])
    assert not on(roles[STARTS], stacks.NAMES["StaticBucket"])


def test_it_sends_mails_as_the_function_does(
    roles: dict[str, list[dict[str, Any]]],
    of_function: list[dict[str, Any]],  # noqa: F811
) -> None:
    def of_mail(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [statement for statement in statements if statement["Sid"] == "Mail"]

    assert len(of_mail(of_function)) == 1
    assert of_mail(roles[RUNS]) == of_mail(of_function)
    assert of_mail(roles[STARTS]) == []


def test_it_starts_heavy_tasks_sends_mails_reads_metrics_and_nothing_else(
    roles: dict[str, list[dict[str, Any]]],
) -> None:
    assert called("ecs.py") == set(OF_TRANSPORTS["ecs.py"])
    wanted = OF_BILL.union(*OF_TRANSPORTS["ecs.py"].values(), *OF_MAIL.values())
    everything = granted(roles[RUNS])
    assert {action for action in everything if not action.startswith("s3:")} == wanted
    [run] = [item for item in roles[RUNS] if "ecs:RunTask" in item["Action"]]
    # ECS_TASK_DEFINITION of deploy/ecs.yaml.
    family = stacks.template("ecs.yaml")["Resources"]["OneOffTask"]["Properties"]["Family"]
    name = family["Fn::Sub"].replace("${Stage}", "production")
    assert run["Resource"].endswith(f":123456789012:task-definition/{name}:*")
    [passing] = [item for item in roles[RUNS] if "iam:PassRole" in item["Action"]]
    assert set(passing["Resource"]) == {
        f"arn:aws:iam::123456789012:role/{role}" for role in (STARTS, RUNS)
    }
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    }


def test_ecs_gets_the_image_the_logs_and_the_environment_file(
    roles: dict[str, list[dict[str, Any]]],
) -> None:
    """Source: "Amazon ECS task execution IAM role", and its part on environment files."""
    assert granted(roles[STARTS]) == {
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        "ecr:GetAuthorizationToken",
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("s3:GetBucketLocation", "s3:GetObject"),
    }
    assert on(roles[STARTS], stacks.NAMES["SecretsBucket"]) == {
        ("s3:GetObject", "/production.env"),
        ("s3:GetBucketLocation", ""),
    }


def test_nothing_is_granted_on_everything_where_aws_can_tell_things_apart(
    roles: dict[str, list[dict[str, Any]]],
) -> None:
    for statement in [*roles[STARTS], *roles[RUNS]]:
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        # ecr:GetAuthorizationToken and cloudwatch:GetMetricData know no resources.
        everywhere = statement["Sid"] in ("Registry", "Metrics")
        assert ('"*"' in json.dumps(statement)) == everywhere
