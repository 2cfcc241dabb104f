"""Events as AWS sends them, after the examples of its documentation."""

import json
from types import SimpleNamespace
from typing import Any

CLIENT = "203.0.113.7"
LIAR = "198.51.100.1"
REST_HOST = "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
RULE = "arn:aws:events:ap-northeast-2:123456789012:rule/"


def v2(path: str = "/healthz", method: str = "GET", **changes: Any) -> dict[str, Any]:
    """API Gateway's HTTP API, payload format 2.0, behind a custom domain.

    `headers`, `http` and `context` add to these parts; other changes are of the event itself.
    """
    headers = {
        "accept": "*/*",
        "content-length": "0",
        "host": "api.igloo.example",
        "user-agent": "igloo/1.0.0 (iPhone)",
        "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "x-forwarded-for": CLIENT,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    http = {
        "method": method,
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": CLIENT,
        "userAgent": "igloo/1.0.0 (iPhone)",
    }
    context = {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": "api.igloo.example",
        "domainPrefix": "api",
        "http": http | changes.pop("http", {}),
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "10/Mar/2020:05:16:23 +0000",
        "timeEpoch": 1583817383220,
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers | changes.pop("headers", {}),
        "requestContext": context | changes.pop("context", {}),
        "isBase64Encoded": False,
        **changes,
    }


def function_url(path: str = "/healthz", method: str = "GET", **changes: Any) -> dict[str, Any]:
    """A Function URL: the same form, but the path stays encoded."""
    host = "a1b2c3d4e5f6.lambda-url.ap-northeast-2.on.aws"
    context = {"domainName": host, **changes.pop("context", {})}
    return v2(
        path,
        method,
        context=context,
        headers={"host": host, **changes.pop("headers", {})},
        **changes,
    )


def v1(path: str = "/healthz", method: str = "GET", **changes: Any) -> dict[str, Any]:
    """API Gateway's REST API, at its own host name, under the stage `dev`.

    `headers` and `context` add to these parts.
    """
    headers = {
        "Accept": "*/*",
        "Host": REST_HOST,
        "User-Agent": "igloo/1.0.0 (iPhone)",
        "Via": "1.1 fb7cca60f0ecd82ce07790c9c5eef16c.cloudfront.net (CloudFront)",
        "X-Amzn-Trace-Id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "X-Forwarded-For": f"{CLIENT}, 130.176.1.95",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        **changes.pop("headers", {}),
    }
    context = {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": REST_HOST,
        "domainPrefix": "a1b2c3d4e5",
        "httpMethod": method,
        "identity": {"sourceIp": CLIENT, "userAgent": "igloo/1.0.0 (iPhone)"},
        "path": f"/dev{path}",
        "protocol": "HTTP/1.1",
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "resourcePath": "/{proxy+}",
        "stage": "dev",
        **changes.pop("context", {}),
    }
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": context,
        "body": None,
        "isBase64Encoded": False,
        **changes,
    }


def alb(path: str = "/healthz", method: str = "GET", **changes: Any) -> dict[str, Any]:
    """An Application Load Balancer. `headers` adds; `lists=True` sets it to multi-value headers."""
    group = (
        "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/igloo/6d0ecf831eec"
    )
    headers = {
        "accept": "*/*",
        "host": "igloo-846800462-ap-northeast-2.elb.amazonaws.com",
        "user-agent": "igloo/1.0.0 (iPhone)",
        "x-amzn-trace-id": "Root=1-5bdb40ca-556d8b0c50dc66f0511bf520",
        "x-forwarded-for": CLIENT,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        **changes.pop("headers", {}),
    }
    query = changes.pop("query", {})
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": method,
        "path": path,
        "body": "",
        "isBase64Encoded": False,
    }
    if changes.pop("lists", False):
        event["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    else:
        event["headers"] = headers
        event["queryStringParameters"] = query
    return event | changes


def s3(bucket: str, key: str, name: str = "ObjectCreated:Post") -> dict[str, Any]:
    """S3's own notification."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "ap-northeast-2",
                "eventTime": "2026-11-23T09:00:00.000Z",
                "eventName": name,
                "userIdentity": {"principalId": "AWS:AIDAINPONIXQXHT3IKHL2"},
                "requestParameters": {"sourceIPAddress": "205.255.255.255"},
                "responseElements": {"x-amz-request-id": "D82B88E5F771F645"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "igloo-production",
                    "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                    "object": {"key": key, "size": 1305107, "eTag": "b21b84d653bb07b05b1e6b33"},
                },
            }
        ]
    }


def s3_by_eventbridge(bucket: str, key: str) -> dict[str, Any]:
    """The same by EventBridge."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-11-23T09:00:00Z",
        "region": "ap-northeast-2",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 1305107, "etag": "b1946ac92492d2347c6235b4d2611184"},
            "request-id": "N4N7GDK58NMKJ12R",
            "reason": "PostObject",
        },
    }


def s3_by_sns(bucket: str, key: str) -> dict[str, Any]:
    """The same by SNS, as a queue gets it."""
    return {
        "Type": "Notification",
        "MessageId": "dc1e94d9-56c5-5e96-808d-cc7f68faa162",
        "TopicArn": "arn:aws:sns:ap-northeast-2:123456789012:uploads",
        "Subject": "Amazon S3 Notification",
        "Message": json.dumps(s3(bucket, key)),
        "Timestamp": "2026-11-23T09:00:00.000Z",
    }


def sqs(*bodies: Any) -> dict[str, Any]:
    """Messages of a queue, `message-0` the first; a body that is no text is made JSON."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:ap-northeast-2:123456789012:uploads",
                "awsRegion": "ap-northeast-2",
            }
            for number, body in enumerate(bodies)
        ]
    }


def scheduled(rule: str, **kwargs: str) -> dict[str, Any]:
    """A rule of EventBridge, through the input template that Zappa gives it."""
    return {
        "time": "2026-11-23T18:37:00Z",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "region": "ap-northeast-2",
        "detail": {},
        "version": "0",
        "resources": [RULE + rule],
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "kwargs": kwargs,
    }
