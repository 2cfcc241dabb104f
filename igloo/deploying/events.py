"""The events that reach the function beside HTTP: what Zappa can't set of them."""

from contextlib import suppress
from typing import Any

import boto3

from igloo.deploying.function import Function

# How S3 names this notification, and Lambda the permission for it.
_UPLOADS = "igloo-uploads"
# Where members' photos arrive; apps.media.models.Upload.incoming_key.
_PREFIX = "incoming/"


class Events:
    """Of one function. Each method may run at every deploy, and says in words what it did."""

    def __init__(self, function: Function, arn: str) -> None:
        self.function = function
        _, self.partition, _, self.region, self.account, _, _ = arn.split(":")
        # What calls go to: an alias where there is one, as API Gateway's do.
        aliases = function.aliases()
        self.qualifier = {"Qualifier": aliases[-1]} if aliases else {}
        self.arn = f"{arn}:{aliases[-1]}" if aliases else arn
        self.qualifiers = ["$LATEST", *aliases]

    def keep_failed(self) -> str:
        """No second try of an event that failed; it goes to the queue `<function>-failed`.

        Lambda would try twice more, and tasks have retries of their own. Without a queue of this
        name, which deploy/lambda-role.json makes, the log is all that is left of it.
        """
        queue = f"{self.function.name}-failed"
        sqs = boto3.client("sqs", region_name=self.region)
        try:
            sqs.get_queue_url(QueueName=queue)
        except sqs.exceptions.QueueDoesNotExist:
            destination: dict[str, Any] = {}
            said = f"there is no queue {queue}: an event that fails is only logged"
        else:
            arn = f"arn:{self.partition}:sqs:{self.region}:{self.account}:{queue}"
            destination = {"OnFailure": {"Destination": arn}}
            said = f"an event that fails goes to {queue}"
        for qualifier in self.qualifiers:
            self.function.client.put_function_event_invoke_config(
                FunctionName=self.function.name,
                Qualifier=qualifier,
                MaximumRetryAttempts=0,
                DestinationConfig=destination,
            )
        return f"MaximumRetryAttempts=0; {said}"

    def name_failed_messages(self) -> str:
        """A queue before the function tries again what failed of a batch, and only that."""
        pages = self.function.client.get_paginator("list_event_source_mappings").paginate(
            FunctionName=self.function.name
        )
        changed = 0
        for mapping in (mapping for page in pages for mapping in page["EventSourceMappings"]):
            answers = mapping.get("FunctionResponseTypes") or []
            if ":sqs:" in mapping["EventSourceArn"] and not answers:
                self.function.client.update_event_source_mapping(
                    UUID=mapping["UUID"], FunctionResponseTypes=["ReportBatchItemFailures"]
                )
                changed += 1
        return f"ReportBatchItemFailures of {changed} queues before it"

    def hear_of_photos(self, bucket: str) -> str:
        """S3 tells of each photo that arrives, should the phone not get to it; handler: `uploaded`.

        Source: "Granting permissions to publish event notification messages", Amazon S3 user guide.
        """
        client = self.function.client
        # An earlier deploy may have given it.
        with suppress(client.exceptions.ResourceConflictException):
            client.add_permission(
                FunctionName=self.function.name,
                StatementId=f"{_UPLOADS}-{bucket.replace('.', '_')}",
                Action="lambda:InvokeFunction",
                Principal="s3.amazonaws.com",
                SourceArn=f"arn:{self.partition}:s3:::{bucket}",
                SourceAccount=self.account,
                **self.qualifier,
            )
        s3 = boto3.client("s3", region_name=self.region)
        found = s3.get_bucket_notification_configuration(Bucket=bucket)
        del found["ResponseMetadata"]
        rules = found.get("LambdaFunctionConfigurations", [])
        found["LambdaFunctionConfigurations"] = [
            *(rule for rule in rules if rule["Id"] != _UPLOADS),
            {
                "Id": _UPLOADS,
                "LambdaFunctionArn": self.arn,
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": _PREFIX}]}},
            },
        ]
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=found)
        return f"{bucket} tells of photos in {_PREFIX}"
