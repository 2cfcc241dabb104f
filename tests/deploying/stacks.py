"""deploy/data.yaml and deploy/ecs.yaml, as they are written and as stacks in moto."""

from typing import Any

import boto3
from cfnlint.decode import decode
from django.conf import settings

DEPLOY = settings.BASE_DIR / "deploy"
STAGE = "production"
NAMES = {
    "MediaBucket": "igloo-media-of-this-test",
    "OriginalsBucket": "igloo-originals-of-this-test",
    "StaticBucket": "igloo-static-of-this-test",
    "SecretsBucket": "igloo-secrets-of-this-test",
}


def template(name: str) -> dict[str, Any]:
    """What a file of deploy/ says, short tags as `{"Ref": …}` and `{"Fn::…": …}`."""
    found, errors = decode(str(DEPLOY / name))
    assert not errors, errors
    assert found is not None
    return dict(found)


def network() -> dict[str, Any]:
    """A VPC that moto has from the start: its id, and its subnets'."""
    ec2 = boto3.client("ec2")
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    subnets = sorted(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"])
    return {"vpc": vpc["VpcId"], "subnets": ",".join(subnets)}


def write(action: str, name: str, file: str, parameters: dict[str, str]) -> dict[str, str]:
    """Create or update (`action`) a stack; its outputs."""
    stacks = boto3.client("cloudformation")
    getattr(stacks, f"{action}_stack")(
        StackName=name,
        TemplateBody=(DEPLOY / file).read_text(encoding="utf-8"),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [stack] = stacks.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == f"{action.upper()}_COMPLETE"
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
