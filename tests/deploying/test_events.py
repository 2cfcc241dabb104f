"""What a deploy sets of the events that reach a function, in an account of moto's."""

import io
import json
import zipfile
from typing import Any

import boto3
import pytest

from igloo.deploying.events import Events
from igloo.deploying.function import Function
from tests.media.s3 import MEDIA_BUCKET, ORIGINALS_BUCKET, REGION, S3Server

NAME = "igloo-dev"
QUEUE = f"arn:aws:sqs:{REGION}:123456789012:{NAME}-failed"


@pytest.fixture
def function(account: S3Server) -> Function:
    """With an alias, as SnapStart has one."""
    account.make_buckets()
    boto3.client("iam").create_role(RoleName="igloo-lambda", AssumeRolePolicyDocument="{}")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("entry.py", "")
    function = Function(NAME, REGION)
    function.client.create_function(
        FunctionName=NAME,
        Role="arn:aws:iam::123456789012:role/igloo-lambda",
        Runtime="python3.12",
        Handler="entry.handler",
        Code={"ZipFile": data.getvalue()},
        Publish=True,
    )
    function.client.create_alias(FunctionName=NAME, Name="snapstart", FunctionVersion="1")
    return function


@pytest.fixture
def events(function: Function) -> Events:
    found = function.description()
    assert found is not None
    return Events(function, found["Configuration"]["FunctionArn"])


def test_without_a_queue_it_says_that_failed_events_are_only_logged(events: Events) -> None:
    assert f"there is no queue {NAME}-failed" in events.keep_failed()
    found = config(events, "snapstart")
    assert found["MaximumRetryAttempts"] == 0
    assert not found["DestinationConfig"].get("OnFailure")


def test_failed_events_go_to_the_queue_by_every_name_of_the_function(events: Events) -> None:
    boto3.client("sqs").create_queue(QueueName=f"{NAME}-failed")
    for _ in range(2):
        assert f"goes to {NAME}-failed" in events.keep_failed()
    for qualifier in ("$LATEST", "snapstart"):
        found = config(events, qualifier)
        assert found["MaximumRetryAttempts"] == 0
        assert found["DestinationConfig"]["OnFailure"] == {"Destination": QUEUE}


def config(events: Events, qualifier: str) -> dict[str, Any]:
    client = events.function.client
    found: dict[str, Any] = client.get_function_event_invoke_config(
        FunctionName=NAME, Qualifier=qualifier
    )
    return found


def test_a_queue_before_it_hears_which_messages_failed(events: Events) -> None:
    url = boto3.client("sqs").create_queue(QueueName="uploads")["QueueUrl"]
    client = events.function.client
    made = client.create_event_source_mapping(
        FunctionName=NAME, EventSourceArn=f"arn:aws:sqs:{REGION}:123456789012:uploads"
    )
    assert url
    assert events.name_failed_messages() == "ReportBatchItemFailures of 1 queues before it"
    mapping = client.get_event_source_mapping(UUID=made["UUID"])
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert events.name_failed_messages() == "ReportBatchItemFailures of 0 queues before it"


def test_photos_that_arrive_are_told_of_and_what_else_was_told_stays(
    events: Events, account: S3Server
) -> None:
    theirs = boto3.client("sqs").create_queue(QueueName="theirs")["QueueUrl"]
    queue = {
        "Id": "theirs",
        "QueueArn": f"arn:aws:sqs:{REGION}:123456789012:theirs",
        "Events": ["s3:ObjectRemoved:*"],
    }
    account.client.put_bucket_notification_configuration(
        Bucket=ORIGINALS_BUCKET, NotificationConfiguration={"QueueConfigurations": [queue]}
    )
    for _ in range(2):
        assert events.hear_of_photos(ORIGINALS_BUCKET) == (
            f"{ORIGINALS_BUCKET} tells of photos in incoming/"
        )
    found = account.client.get_bucket_notification_configuration(Bucket=ORIGINALS_BUCKET)
    assert [item["Id"] for item in found["QueueConfigurations"]] == ["theirs"]
    assert theirs
    [rule] = found["LambdaFunctionConfigurations"]
    assert rule["LambdaFunctionArn"].endswith(f":function:{NAME}:snapstart")
    assert rule["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "incoming/"}]
    told = account.client.get_bucket_notification_configuration(Bucket=MEDIA_BUCKET)
    assert "LambdaFunctionConfigurations" not in told


def test_only_this_bucket_of_this_account_may_call(events: Events) -> None:
    events.hear_of_photos(ORIGINALS_BUCKET)
    policy = events.function.client.get_policy(FunctionName=NAME, Qualifier="snapstart")["Policy"]
    [statement] = json.loads(policy)["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {"AWS:SourceArn": f"arn:aws:s3:::{ORIGINALS_BUCKET}"},
        "StringEquals": {"AWS:SourceAccount": "123456789012"},
    }
