"""The deployer's role (deploy/deployer-role.json) as AWS would judge calls by it.

Which calls those are is noted by aws_calls/sitecustomize.py. Source of what a call needs: Service
Authorization Reference, and for what CloudFormation calls in the deployer's name the permissions
of the handlers in its resource schemas.
"""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from django.conf import settings
from moto.core import DEFAULT_ACCOUNT_ID

from tests.deploying import ecs_needs
from tests.media.s3 import ACCESS_KEY, ORIGINALS_BUCKET, REGION, SECRET_KEY, S3Server

TEMPLATE = settings.BASE_DIR / "deploy" / "deployer-role.json"
ROLE = "igloo-deployer-production"
PARAMETERS = {
    "Repository": "igloo-home/igloo",
    "PackagesBucket": "igloo-packages-production",
    "StaticBucket": "igloo-static",
    "OriginalsBucket": ORIGINALS_BUCKET,
    "InVpc": "true",
}
NOTING = Path(__file__).parent / "aws_calls"
_ACCOUNT = f"{REGION}:{DEFAULT_ACCOUNT_ID}"
# S3 and Lambda name some permissions otherwise than the call.
_NAMES = {
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "HeadObject"): "GetObject",
    ("s3", "GetBucketNotificationConfiguration"): "GetBucketNotification",
    ("s3", "PutBucketNotificationConfiguration"): "PutBucketNotification",
    ("lambda", "Invoke"): "InvokeFunction",
}
# What CloudFormation does to make, change, look at and take back a resource of Zappa's template.
# It hands the stack's tag on, and API Gateway asks for TagResource by name although the reference
# lists it not: "not authorized to perform: apigateway:TagResource", amplify-cli issue 12316.
_API = {"GET", "POST", "PATCH", "DELETE"}
OF_CLOUDFORMATION = {
    "AWS::ApiGateway::RestApi": ("restapis", _API | {"TagResource"}),
    "AWS::ApiGateway::Resource": ("restapis/x/resources", _API),
    "AWS::ApiGateway::Method": ("restapis/x/resources/y/methods/ANY", _API),
    "AWS::ApiGatewayV2::Api": ("apis", _API | {"TagResource"}),
    "AWS::ApiGatewayV2::Integration": ("apis/x/integrations", _API),
    "AWS::ApiGatewayV2::Route": ("apis/x/routes", _API),
    "AWS::ApiGatewayV2::Stage": ("apis/x/stages", _API | {"TagResource"}),
    "AWS::Lambda::Permission": ("", {"AddPermission", "GetPolicy", "RemovePermission"}),
}


@dataclass(frozen=True)
class Need:
    """A permission that a call asks for: an action on a resource, "*" where it has none."""

    action: str
    resource: str
    # iam:PassRole alone: the service that the role is for.
    passed_to: str = ""


def noted(file: Path) -> Iterator[Need]:
    """What the calls of a file need."""
    for line in file.read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        yield from _needs(call["service"], call["operation"], call["http"], call["parameters"])


def _needs(
    service: str, operation: str, http: list[str], parameters: dict[str, str]
) -> Iterator[Need]:
    if service == "sts":
        return  # who one is may be asked by anyone
    if service == "apigateway":
        # `{restapi_id}` is the parameter restApiId.
        known = {name.lower(): value for name, value in parameters.items()}
        path = re.sub(r"{(\w+)}", lambda match: known[match[1].replace("_", "").lower()], http[1])
        yield Need(f"apigateway:{http[0]}", f"arn:aws:apigateway:{REGION}::{path}")
        return
    if service in ecs_needs.SERVICES:
        for action, resource, passed_to in ecs_needs.of_call(service, operation, parameters):
            yield Need(action, resource, passed_to)
        return
    name = _NAMES.get((service, operation), operation)
    yield Need(f"{service}:{name}", _resource(service, operation, parameters))
    if service == "s3" and operation == "HeadObject":
        # Without it, what is not there is 403 and not 404.
        yield Need("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}")
    for key in ("Role", "RoleArn"):
        if key in parameters:
            yield Need("iam:PassRole", parameters[key], f"{service}.amazonaws.com")
    if "TemplateURL" in parameters:
        place = parameters["TemplateURL"].removeprefix("https://s3.amazonaws.com/")
        yield Need("s3:GetObject", f"arn:aws:s3:::{place}")
        yield Need("cloudformation:TagResource", _resource(service, operation, parameters))


def _resource(service: str, operation: str, parameters: dict[str, str]) -> str:
    if operation in ("ListRuleNamesByTarget", "ListEventSourceMappings"):
        return "*"
    if service == "s3":
        key = f"/{parameters['Key']}" if "Key" in parameters else ""
        return f"arn:aws:s3:::{parameters['Bucket']}{key}"
    if service == "lambda":
        name = parameters["FunctionName"].rpartition("function:")[2]
        qualifier = f":{parameters['Qualifier']}" if "Qualifier" in parameters else ""
        return f"arn:aws:lambda:{_ACCOUNT}:function:{name}{qualifier}"
    if service == "events":
        return f"arn:aws:events:{_ACCOUNT}:rule/{parameters.get('Rule') or parameters['Name']}"
    if service == "sqs":
        return f"arn:aws:sqs:{_ACCOUNT}:{parameters['QueueName']}"
    if service == "cloudformation":
        return f"arn:aws:cloudformation:{_ACCOUNT}:stack/{parameters['StackName']}/1f6e"
    assert service == "iam", f"which resource does {service} {operation} need?"
    return f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/{parameters['RoleName']}"


def of_resources(types: Iterable[str], function: str, role: str) -> Iterator[Need]:
    """What CloudFormation needs for resources of these types."""
    for kind in types:
        path, actions = OF_CLOUDFORMATION[kind]
        for action in actions:
            if not path:
                arn = f"arn:aws:lambda:{_ACCOUNT}:function:{function}"
                yield Need(f"lambda:{action}", arn)
            else:
                yield Need(f"apigateway:{action}", f"arn:aws:apigateway:{REGION}::/{path}")
        if kind.endswith("::Method"):
            yield Need("iam:PassRole", role, "apigateway.amazonaws.com")
        if "TagResource" in actions:
            for action in ("POST", "PUT"):
                yield Need(f"apigateway:{action}", f"arn:aws:apigateway:{REGION}::/tags/x")


def policies(server: S3Server, **parameters: str) -> dict[str, list[dict[str, Any]]]:
    """The statements that CloudFormation makes of the template, by the policy's name."""
    session = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    stacks = session.client("cloudformation", endpoint_url=server.url)
    iam = session.client("iam", endpoint_url=server.url)
    stacks.create_stack(
        StackName="igloo-deployer",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in (PARAMETERS | parameters).items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    try:
        return {
            name: iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]["Statement"]
            for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
        }
    finally:
        stacks.delete_stack(StackName="igloo-deployer")
        for client in (stacks, iam):
            client.close()


def grants(statement: dict[str, Any], need: Need) -> bool:
    """Whether it allows this."""
    resources = statement["Resource"]
    resources = [resources] if isinstance(resources, str) else resources
    condition = statement.get("Condition", {}).get("StringEquals", {})
    services = condition.get("iam:PassedToService", [])
    return (
        need.action in statement["Action"]
        and any(fnmatch.fnmatchcase(need.resource, resource) for resource in resources)
        and (not need.passed_to or need.passed_to in services)
    )


def refused(statements: list[dict[str, Any]], needs: Iterable[Need]) -> set[Need]:
    """The needs that no statement grants."""
    return {
        need for need in set(needs) if not any(grants(statement, need) for statement in statements)
    }


def unused(statements: list[dict[str, Any]], needs: Iterable[Need]) -> set[str]:
    """The actions that are granted, as `Sid action`, and that none of the needs asks for."""
    asked = set(needs)
    return {
        f"{statement['Sid']} {action}"
        for statement in statements
        for action in statement["Action"]
        if not any(grants(statement, need) for need in asked if need.action == action)
    }
