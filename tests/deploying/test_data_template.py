"""What both worlds share (deploy/data.yaml): made, changed and taken away in moto.

moto's CloudFormation gives a bucket none of its rules: those are read in the file.
"""

import json
from typing import Any

import boto3
import pytest

from tests.deploying import stacks
from tests.media.s3 import S3Server

# What moto's CloudFormation does not make, it only tells of.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")


def make(action: str = "create", **changed: str) -> dict[str, str]:
    place = stacks.network()
    parameters = stacks.NAMES | {
        "Vpc": place["vpc"],
        "DatabaseSubnets": place["subnets"],
        "MakeDatabase": "true",
    }
    return stacks.write(action, "igloo-data", "data.yaml", parameters | changed)


def properties(name: str) -> dict[str, Any]:
    return dict(stacks.template("data.yaml")["Resources"][name]["Properties"])


def buckets() -> set[str]:
    return {bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]}


def rules(name: str) -> dict[str, dict[str, Any]]:
    found = properties(name)["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in found)
    return {rule["Id"]: rule for rule in found}


def test_what_is_kept_outlives_the_stack(account: S3Server) -> None:
    outputs = make(MakeDatabase="false")
    assert set(outputs) == {"ExecutionRoleArn", "TaskRoleArn", "QueueArn"}
    assert buckets() == set(stacks.NAMES.values())
    rds, logs = boto3.client("rds"), boto3.client("logs")
    assert not rds.describe_db_instances()["DBInstances"]
    names = {group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]}
    assert names == {f"/igloo/production/{name}" for name in ("web", "worker", "one-off")}

    outputs = make("update")
    [database] = rds.describe_db_instances()["DBInstances"]
    assert database["DBInstanceIdentifier"] == "igloo-production"
    assert database["StorageEncrypted"]
    assert not database["PubliclyAccessible"]
    assert outputs["DatabaseAddress"] == database["Endpoint"]["Address"]
    assert outputs["DatabaseClients"]

    boto3.client("cloudformation").delete_stack(StackName="igloo-data")
    assert buckets() == set(stacks.NAMES.values())
    assert not logs.describe_log_groups()["logGroups"]
    assert not boto3.client("sqs").list_queues().get("QueueUrls")
    assert not boto3.client("iam").list_roles()["Roles"]


def test_nothing_that_cannot_be_made_again_goes_with_the_stack() -> None:
    for name, resource in stacks.template("data.yaml")["Resources"].items():
        if resource["Type"].startswith(("AWS::S3::", "AWS::SecretsManager::")):
            assert resource["DeletionPolicy"] == "Retain", name
            assert resource["UpdateReplacePolicy"] == "Retain", name
        if resource["Type"] == "AWS::RDS::DBInstance":
            assert resource["DeletionPolicy"] == "Snapshot"
            assert resource["Properties"]["DeletionProtection"] is True


@pytest.mark.parametrize(
    ("name", "readable"),
    [("Media", "photos/*"), ("Static", "*"), ("Originals", None), ("Secrets", None)],
)
def test_who_reads_a_bucket_is_what_docs_say(name: str, readable: str | None) -> None:
    """docs/lambda.md, "Static and media files"."""
    policy = properties(f"{name}Policy")
    assert policy["Bucket"] == {"Ref": name}
    [statement] = policy["PolicyDocument"]["Statement"]
    block = properties(name)["PublicAccessBlockConfiguration"]
    assert len(block) == 4
    assert block["BlockPublicAcls"] is block["IgnorePublicAcls"] is True
    if readable:
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == "s3:GetObject"
        assert statement["Resource"] == {"Fn::Sub": f"${{{name}.Arn}}/{readable}"}
        assert block["BlockPublicPolicy"] is block["RestrictPublicBuckets"] is False
    else:
        assert statement["Effect"] == "Deny"
        assert all(value is True for value in block.values())
        # As `make secrets` asks of its bucket; of originals, a mistake can be taken back.
        assert properties(name)["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties(name)["BucketEncryption"]


def test_what_is_sent_and_never_used_expires() -> None:
    found = rules("Originals")
    assert found["incoming"]["Prefix"] == "incoming/"
    assert found["incoming"]["ExpirationInDays"] == 2
    # An export is deleted by a task after a day.
    assert found["exports"]["Prefix"] == "exports/"
    assert found["exports"]["ExpirationInDays"] == 2
    # No rule takes away an original that is in use.
    expiring = [name for name, rule in found.items() if "ExpirationInDays" in rule]
    assert expiring == ["incoming", "exports"]
    # The last version of what a member deletes is gone within 5 days; S3 counts from midnight.
    assert found["what-was-deleted"]["NoncurrentVersionExpiration"]["NoncurrentDays"] + 1 < 5
    assert set(found["what-was-deleted"]) & {"Prefix", "TagFilters"} == set()
    assert rules("Secrets")["old-secrets"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    for name in ("Media", "Static"):
        assert list(rules(name)) == ["parts-of-no-file"]


def test_a_web_page_may_post_a_photo_and_read_none() -> None:
    [rule] = properties("Originals")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["POST"]
    assert rule["AllowedOrigins"] == {"Ref": "WebOrigins"}
    assert "CorsConfiguration" not in properties("Secrets")


def test_a_message_that_fails_five_times_is_kept_for_two_weeks(account: S3Server) -> None:
    make()
    sqs = boto3.client("sqs")

    def attributes(name: str) -> dict[str, str]:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])

    queue, dead = attributes("igloo-production-queue"), attributes("igloo-production-dead")
    redrive = json.loads(queue["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == dead["QueueArn"]
    assert int(redrive["maxReceiveCount"]) == 5
    assert dead["MessageRetentionPeriod"] == str(14 * 24 * 3600)
    zappa = json.loads((stacks.DEPLOY.parent / "zappa_settings.json").read_text(encoding="utf-8"))
    assert int(queue["VisibilityTimeout"]) >= 6 * zappa["base"]["timeout_seconds"]
