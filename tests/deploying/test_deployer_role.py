"""What GitHub may do on AWS in a stage's name: deploy/deployer-role.json.

The calls of real deploys are compared with it at the end of test_rehearsal.py; here is the rest.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import yaml
from django.conf import settings
from zappa.core import Zappa

from tests.deploying import deployer
from tests.deploying.deployer import Need
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

FUNCTION = "igloo-production"
LAMBDA_ARN = f"arn:aws:lambda:{REGION}:123456789012:function:{FUNCTION}"
FUNCTIONS_ROLE = "arn:aws:iam::123456789012:role/igloo-lambda"
RULES = f"arn:aws:events:{REGION}:123456789012:rule"
ECS = f"arn:aws:ecs:{REGION}:123456789012"
ROLES = "arn:aws:iam::123456789012:role"
LOGS = f"arn:aws:logs:{REGION}:123456789012:log-group"
STAGINGS = Zappa.get_hashed_lambda_name("igloo-staging")[:16]


# "Actions defined by Amazon ECR", "… by Amazon ECS", Service Authorization Reference.
WITHOUT_RESOURCES = {"ecr:GetAuthorizationToken", "ecs:DeregisterTaskDefinition"}


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    started = S3Server()
    started.start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def policies(server: S3Server) -> dict[str, list[dict[str, Any]]]:
    return deployer.policies(server, OnEcs="true")


def template() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(deployer.TEMPLATE.read_text(encoding="utf-8"))
    return found


def test_cloudformation_understands_it() -> None:
    program = "from cfnlint.runner import main; main()"
    words = [sys.executable, "-c", program, str(deployer.TEMPLATE), "--regions", REGION]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


def test_only_a_deploy_of_this_stage_and_repository_takes_the_role() -> None:
    role = template()["Resources"]["Role"]["Properties"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    # StringEquals: a pattern would let a pull request or a branch in.
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": {
                "Fn::Sub": "repo:${Repository}:environment:${Stage}"
            },
        }
    }
    _, made, there = statement["Principal"]["Federated"]["Fn::If"]
    assert made == {"Ref": "Provider"}
    assert there["Fn::Sub"].endswith(":oidc-provider/token.actions.githubusercontent.com")
    provider = template()["Resources"]["Provider"]
    assert provider["DeletionPolicy"] == "Retain"  # other stages need it
    assert provider["Properties"] == {
        "Url": "https://token.actions.githubusercontent.com",
        "ClientIdList": ["sts.amazonaws.com"],
    }


def test_its_environment_is_the_one_that_the_workflow_names() -> None:
    text = (settings.BASE_DIR / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    job = yaml.safe_load(text)["jobs"]["deploy"]
    assert job["environment"] == "${{ needs.stage.outputs.stage }}"
    stages = json.loads((settings.BASE_DIR / "zappa_settings.json").read_text(encoding="utf-8"))
    parameters = template()["Parameters"]
    stage = parameters["Stage"]["Default"]
    base = stages["base"]
    assert set(parameters["Stage"]["AllowedValues"]) == stages.keys() - {"base"}
    assert parameters["FunctionRole"]["Default"] == base["role_name"]
    assert parameters["ApiGateway"]["Default"] == base["apigateway_version"]
    assert deployer.PARAMETERS["PackagesBucket"] == stages[stage]["s3_bucket"]


def test_the_rules_of_each_stage_can_be_named() -> None:
    """Of a long rule's name Zappa replaces the function's with as many digits as there is room."""
    stages = json.loads((settings.BASE_DIR / "zappa_settings.json").read_text(encoding="utf-8"))
    digits = template()["Mappings"]["LongRules"]
    assert digits.keys() == stages.keys() - {"base"}
    zappa = Zappa(load_credentials=False)
    for stage in digits:
        known = digits[stage]["Digits"]
        function = f"{stages['base']['project_name']}-{stage}"
        for event in stages["base"]["events"]:
            name = zappa.get_scheduled_event_name(event, event["function"], function)
            assert name.startswith((f"{function}-", known)), name
        assert not function.startswith(known)


def test_a_policy_for_each_kind_of_stage(server: S3Server) -> None:
    found = deployer.policies(server)
    assert set(found) == {"deploy", "http-api", "static", "vpc"}
    # "Giving Lambda functions access to resources in an Amazon VPC": of whoever sets it up. moto
    # asks for none of them, so no call can be noted.
    looks = {"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"}
    assert deployer.unused(found["vpc"], ()) == {f"SubnetsAndGroups {action}" for action in looks}
    rest = deployer.policies(server, ApiGateway="v1", InVpc="false")
    assert set(rest) == {"deploy", "rest-api", "static"}
    # What it may on ECS is compared with the calls in test_ecs_rehearsal.py.
    both = deployer.policies(server, OnEcs="true")
    assert set(both) == {*found, "ecs"}
    # "IAM quotas": all inline policies of a role, in characters but for white space.
    assert len(json.dumps(both, separators=(",", ":"))) < 10_240


@pytest.mark.parametrize(("version", "policy"), [("v1", "rest-api"), ("v2", "http-api")])
def test_what_cloudformation_does_for_zappa_is_granted(
    server: S3Server, version: str, policy: str
) -> None:
    session = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    zappa = Zappa(boto_session=session)
    zappa.credentials_arn = FUNCTIONS_ROLE
    made = zappa.create_stack_template(
        LAMBDA_ARN, FUNCTION, False, False, None,
        apigateway_version=version, stage_name="production", lambda_qualifier="snapstart",
    )  # fmt: skip
    kinds = {resource.resource_type for resource in made.resources.values()}
    needs = set(deployer.of_resources(kinds, FUNCTION, FUNCTIONS_ROLE))
    found = deployer.policies(server, ApiGateway=version)
    assert deployer.refused(found["deploy"] + found[policy], needs) == set()
    assert deployer.unused(found[policy], needs) == set()


@pytest.mark.parametrize(
    "need",
    [
        Need("lambda:InvokeFunction", LAMBDA_ARN.replace("production", "staging")),
        Need("lambda:UpdateFunctionCode", LAMBDA_ARN + "-other"),
        Need("lambda:DeleteFunction", LAMBDA_ARN),
        Need("s3:GetObject", "arn:aws:s3:::igloo-packages-staging/igloo-production-template-1"),
        Need("s3:GetObject", "arn:aws:s3:::igloo-packages-production/igloo-production.zip"),
        Need("s3:GetObject", "arn:aws:s3:::igloo-originals/originals/1"),
        Need("s3:GetObject", "arn:aws:s3:::igloo-secrets/production.json"),
        Need("s3:DeleteObject", "arn:aws:s3:::igloo-static/staticfiles.json"),
        Need("iam:PassRole", FUNCTIONS_ROLE + "-admin", "lambda.amazonaws.com"),
        Need("iam:PassRole", FUNCTIONS_ROLE, "ec2.amazonaws.com"),
        Need("iam:PutRolePolicy", FUNCTIONS_ROLE),
        Need("iam:CreateRole", FUNCTIONS_ROLE),
        Need("events:PutRule", f"{RULES}/igloo-staging-prune-apps.tasks.events.fire"),
        Need(
            "events:PutRule", f"{RULES}/{STAGINGS}-purge-unattached-uploads-apps.tasks.events.fire"
        ),
        Need(
            "cloudformation:UpdateStack",
            f"arn:aws:cloudformation:{REGION}:123456789012:stack/igloo-role-production/1",
        ),
        Need(
            "cloudformation:UpdateStack",
            f"arn:aws:cloudformation:{REGION}:123456789012:stack/igloo-ecs-staging/1",
        ),
        Need(
            "cloudformation:CreateStack",
            f"arn:aws:cloudformation:{REGION}:123456789012:stack/igloo-ecs-production/1",
        ),
        Need("ecr:PutImage", f"arn:aws:ecr:{REGION}:123456789012:repository/other"),
        Need("ecs:RunTask", f"{ECS}:task-definition/igloo-staging-one-off:1"),
        Need("ecs:RunTask", f"{ECS}:task-definition/igloo-production-web:1"),
        Need("ecs:UpdateService", f"{ECS}:service/igloo-staging/web"),
        Need("ecs:DeleteService", f"{ECS}:service/igloo-production/web"),
        Need("iam:PassRole", f"{ROLES}/igloo-production-task", "ec2.amazonaws.com"),
        Need("iam:PassRole", f"{ROLES}/igloo-staging-task", "ecs-tasks.amazonaws.com"),
        Need("logs:GetLogEvents", f"{LOGS}:/igloo/production/web:log-stream:x"),
    ],
    ids=lambda need: f"{need.action} {need.resource.rpartition(':')[2]} {need.passed_to}",
)
def test_what_it_must_not_do(policies: dict[str, list[dict[str, Any]]], need: Need) -> None:
    everything = [statement for found in policies.values() for statement in found]
    assert deployer.refused(everything, [need]) == {need}


def test_everything_is_named_where_aws_can_tell_things_apart(
    policies: dict[str, list[dict[str, Any]]],
) -> None:
    for statement in (statement for found in policies.values() for statement in found):
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        if statement["Resource"] == "*":
            for action in set(statement["Action"]) - WITHOUT_RESOURCES:
                assert action.partition(":")[2].startswith(("List", "Describe")), statement
