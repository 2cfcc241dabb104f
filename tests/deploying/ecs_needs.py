"""What a deploy to ECS needs of IAM, as (action, resource, service that a role is passed to).

Sources: Service Authorization Reference; "IAM permissions for pushing", Amazon ECR user guide;
"AWS-specific parameter types", AWS CloudFormation user guide; of what CloudFormation calls in the
deployer's name, the permissions of the handlers in its resource schemas, which cfn-lint has.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import cfnlint
from moto.core import DEFAULT_ACCOUNT_ID

from tests.deploying import stacks
from tests.media.s3 import REGION

# boto3's name: IAM's.
SERVICES = {"ecr": "ecr", "ecs": "ecs", "elbv2": "elasticloadbalancing", "logs": "logs"}
_ACCOUNT = f"{REGION}:{DEFAULT_ACCOUNT_ID}"
_ECS = f"arn:aws:ecs:{_ACCOUNT}"
_REPOSITORY = f"arn:aws:ecr:{_ACCOUNT}:repository/igloo"
_ROLES = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role"
_CONTAINERS = ("igloo-production-execution", "igloo-production-task")
_BALANCER = "igloo-ecs-production-BalancerRole-1A2B3C"
# Those that know no resources.
_EVERYTHING = {
    "ecr:GetAuthorizationToken",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeTargetHealth",
}
_PUSH = (
    "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "InitiateLayerUpload",
    "PutImage", "UploadLayerPart",
)  # fmt: skip
_PARAMETERS = {
    "AWS::EC2::VPC::Id": "ec2:DescribeVpcs",
    "List<AWS::EC2::Subnet::Id>": "ec2:DescribeSubnets",
}
Need = tuple[str, str, str]


def of_call(service: str, operation: str, parameters: dict[str, str]) -> Iterator[Need]:
    """Of a call that was noted."""
    action = f"{SERVICES[service]}:{operation}"
    resource = _resource(action)
    if operation == "RunTask":
        resource = parameters["taskDefinition"]
        yield from (
            ("iam:PassRole", f"{_ROLES}/{role}", "ecs-tasks.amazonaws.com") for role in _CONTAINERS
        )
    if operation == "GetLogEvents":
        resource = (
            f"arn:aws:logs:{_ACCOUNT}:log-group:{parameters['logGroupName']}"
            f":log-stream:{parameters['logStreamName']}"
        )
    yield action, resource, ""


def of_builder() -> Iterator[Need]:
    """Of docker and the like, which push by HTTP."""
    yield from ((f"ecr:{name}", _REPOSITORY, "") for name in _PUSH)


def of_release() -> Iterator[Need]:
    """Of CloudFormation: other task definitions, and services that take them."""
    replaced = ("create", "read", "delete")
    for action in _handled("AWS::ECS::TaskDefinition", *replaced):
        if action.startswith("iam:"):
            passed = "ecs-tasks.amazonaws.com" if action == "iam:PassRole" else ""
            yield from ((action, f"{_ROLES}/{role}", passed) for role in _CONTAINERS)
        elif action in _EVERYTHING:
            yield action, "*", ""
        else:
            yield action, f"{_ECS}:task-definition/igloo-production-web:7", ""
    for action in _handled("AWS::ECS::Service", "update", "read"):
        yield action, _resource(action), ""
    # It hands on the role that changes over between blue and green, as when it was made.
    yield "iam:PassRole", f"{_ROLES}/{_BALANCER}", "ecs.amazonaws.com"
    kinds = {what["Type"] for what in stacks.template("ecs.yaml")["Parameters"].values()}
    yield from ((action, "*", "") for kind, action in _PARAMETERS.items() if kind in kinds)


def _resource(action: str) -> str:
    service, _, name = action.partition(":")
    if action in _EVERYTHING:
        return "*"
    if service == "ecr":
        return _REPOSITORY
    if name in ("DescribeTasks", "StopTask"):
        return f"{_ECS}:task/igloo-production/1f6e"
    if name in ("DescribeServiceDeployments", "StopServiceDeployment"):
        return f"{_ECS}:service-deployment/igloo-production/web/1f6e"
    return f"{_ECS}:service/igloo-production/web"


def _handled(kind: str, *handlers: str) -> set[str]:
    folder = Path(cfnlint.__file__).parent / "data" / "schemas" / "resources"
    for path in folder.glob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        if schema.get("typeName") == kind:
            found = (schema["handlers"][name]["permissions"] for name in handlers)
            return {action for permissions in found for action in permissions}
    raise LookupError(kind)
