"""The function's role (deploy/lambda-role.json) grants what the code calls, and nothing else."""

import ast
import json
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from zappa.core import ASSUME_POLICY

from apps.media import services
from apps.media.models import Upload
from igloo.lambda_handler import _read_remote
from tests.background import run_tasks
from tests.builders import jpeg, make_member, make_upload, processed_upload, send
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

TEMPLATE = settings.BASE_DIR / "deploy" / "lambda-role.json"
ROLE = "igloo-role-of-this-test"
PARAMETERS = {
    "RoleName": ROLE,
    "MediaBucket": "igloo-media",
    "OriginalsBucket": "igloo-originals",
    "HeavyTaskDefinition": "igloo-heavy",
    "HeavyTaskRoles": "arn:aws:iam::123456789012:role/a,arn:aws:iam::123456789012:role/b",
    "InVpc": "true",
    "MailFrom": "mail@igloo.example",
    "SecretsObject": "igloo-secrets/production.json",
}
# By what permission S3 judges a call ("Required permissions for Amazon S3 API operations"). A
# HEAD of what is not there asks for ListBucket too: without it the answer is 403 and not 404.
S3_ACTIONS = {
    "HeadObject": {"s3:GetObject", "s3:ListBucket"},
    "GetObject": {"s3:GetObject"},
    "PutObject": {"s3:PutObject"},
    "DeleteObject": {"s3:DeleteObject"},
    # A large file goes in parts, and is taken back where one fails.
    "CreateMultipartUpload": {"s3:PutObject", "s3:AbortMultipartUpload"},
    "UploadPart": {"s3:PutObject"},
    "CompleteMultipartUpload": {"s3:PutObject"},
    "ListObjectsV2": {"s3:ListBucket"},
}
# What AWS itself does in the function's name: logs, the queue of events that failed, and network
# interfaces in a VPC ("Lambda execution role", "Capturing records of Lambda asynchronous
# invocations", "Giving Lambda functions access to resources in an Amazon VPC").
OF_AWS = {
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage",
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
}  # fmt: skip
# By what is called of boto3's clients in apps/tasks/transports.
OF_TRANSPORTS = {
    "zappa.py": {"invoke": {"lambda:InvokeFunction"}},
    "ecs.py": {"run_task": {"ecs:RunTask", "iam:PassRole"}},
}
# By what the weekly bill asks: tests/ops/cost/test_weekly.py.
OF_BILL = {"cloudwatch:GetMetricData"}


# What sending a mail calls: tests/common/test_ses.py sends one.
OF_MAIL = {"SendRawEmail": {"ses:SendRawEmail"}}


@pytest.fixture(scope="module")
def statements() -> list[dict[str, Any]]:
    """What CloudFormation makes of the template, statement by statement."""
    server = S3Server()
    server.start()
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    session = boto3.session.Session(region_name=REGION, **keys)
    stacks = session.client("cloudformation", endpoint_url=server.url)
    iam = session.client("iam", endpoint_url=server.url)
    parameters = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()
    ]
    stacks.create_stack(
        StackName="igloo-role",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    try:
        names = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
        documents = [
            iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"] for name in names
        ]
    finally:
        stacks.delete_stack(StackName="igloo-role")
        for client in (stacks, iam):
            client.close()
        server.stop()
    assert sorted(names) == ["application", "heavy", "mail", "runtime", "secrets", "vpc"]
    return [statement for document in documents for statement in document["Statement"]]


def granted(statements: list[dict[str, Any]], *, on: str = "") -> set[str]:
    """The actions; with `on` those whose resource begins so."""
    found: set[str] = set()
    for statement in statements:
        resources = statement["Resource"]
        resources = [resources] if isinstance(resources, str) else resources
        if any(resource.startswith(on) for resource in resources):
            found |= set(statement["Action"])
    return found


def called(transport: str) -> set[str]:
    """The methods of `client` that a transport calls."""
    path = settings.BASE_DIR / "apps" / "tasks" / "transports" / transport
    return {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "client"
    }


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """(bucket, operation) of each call of AWS that is made from here on."""
    made: set[tuple[str, str]] = set()
    make = BaseClient._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        made.add((parameters.get("Bucket", ""), operation))
        return make(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return made


def test_a_photos_whole_life_on_s3_is_granted_and_no_more(
    committed: None,
    s3: S3Server,
    calls: set[tuple[str, str]],
    statements: list[dict[str, Any]],
) -> None:
    alice = make_member()
    processed_upload(alice)
    processed_upload(alice, b"no photo")
    waiting = make_upload(alice)
    send(waiting, jpeg())
    calls.clear()  # what the phone sent
    services.complete_upload(upload=waiting)
    run_tasks()
    # What fits into UPLOAD_MAX_BYTES, and is larger than what boto3 sends in one.
    storages["originals"].save("originals/large", ContentFile(bytes(9 * 1024 * 1024)))
    services.delete_uploads(upload_ids=list(Upload.objects.values_list("pk", flat=True)))
    run_tasks()
    wanted: dict[str, set[str]] = {}
    # The phone's POST is made in the name of the role that signed it.
    wanted["igloo-originals"] = {"s3:PutObject"}
    for bucket, operation in calls:
        wanted.setdefault(bucket, set()).update(S3_ACTIONS[operation])
    assert set(wanted) == {"igloo-media", "igloo-originals"}
    for bucket, actions in wanted.items():
        assert granted(statements, on=f"arn:aws:s3:::{bucket}") == actions, bucket


def test_the_services_that_zappa_hands_the_role_to_may_take_it() -> None:
    """Its rules name it (PutRule refuses another role), and so do the methods of a REST API."""

    def trusted(document: dict[str, Any]) -> set[str]:
        [statement] = document["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        return set(statement["Principal"]["Service"])

    template = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    role = template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]
    assert trusted(role) == trusted(json.loads(ASSUME_POLICY))


def test_of_secrets_what_the_handler_reads_can_be_read(
    statements: list[dict[str, Any]],
    s3: S3Server,
    calls: set[tuple[str, str]],
) -> None:
    s3.client.put_object(Bucket="igloo-originals", Key="production.json", Body=b"{}")
    calls.clear()
    assert _read_remote("s3://igloo-originals/production.json") == {}
    assert calls == {("igloo-originals", "GetObject")}
    on_secrets = granted(statements, on="arn:aws:s3:::igloo-secrets/production.json")
    assert on_secrets == granted(statements, on="arn:aws:s3:::igloo-secrets") == {"s3:GetObject"}


def test_everything_else_is_what_transports_call_and_aws_needs(
    statements: list[dict[str, Any]],
) -> None:
    wanted = (OF_AWS | OF_BILL).union(*OF_MAIL.values())
    for transport, actions in OF_TRANSPORTS.items():
        assert called(transport) == set(actions), transport
        wanted |= set().union(*actions.values())
    everything = granted(statements)
    assert {action for action in everything if not action.startswith("s3:")} == wanted


def test_mail_is_sent_by_its_own_address_alone(statements: list[dict[str, Any]]) -> None:
    """Who is judged by the identity is the address, or its domain, whichever SES has verified
    ("Actions, resources, and condition keys for Amazon SES")."""
    [mail] = [item for item in statements if set(item["Action"]) & set().union(*OF_MAIL.values())]
    ours = f"arn:aws:ses:{REGION}:123456789012:identity/"
    assert mail["Resource"] == [f"{ours}mail@igloo.example", f"{ours}igloo.example"]
    assert mail["Condition"] == {"StringEquals": {"ses:FromAddress": "mail@igloo.example"}}


def test_nothing_is_granted_on_everything_where_aws_can_tell_things_apart(
    statements: list[dict[str, Any]],
) -> None:
    for statement in statements:
        text = json.dumps(statement)
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        # CloudWatch's metrics know no resources.
        if statement["Sid"] not in ("NetworkInterfaces", "Metrics"):
            assert '"*"' not in text, text
    [own] = [item for item in statements if "lambda:InvokeFunction" in item["Action"]]
    assert all(":function:igloo-production" in resource for resource in own["Resource"])
    [passing] = [item for item in statements if "iam:PassRole" in item["Action"]]
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    }
