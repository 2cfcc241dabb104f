"""Tickets for S3: a presigned POST whose policy S3 enforces."""

import base64
import functools
import math
from typing import Any

import boto3
from botocore.config import Config
from django.conf import settings
from django.utils import timezone

from apps.media.drivers import Ticket
from apps.media.models import Upload


@functools.cache
def _client(region: str, endpoint_url: str) -> Any:
    """A client, which threads may share. Made once: it takes a tenth of a second and more.

    From a session of its own, since boto3's default session is not for threads.
    """
    # The bucket's regional host name: the global one answers with a redirect at first.
    style = "path" if endpoint_url else "virtual"
    return boto3.session.Session().client(
        "s3",
        region_name=region,
        endpoint_url=endpoint_url or None,
        config=Config(signature_version="s3v4", s3={"addressing_style": style}),
    )


def issue_ticket(upload: Upload) -> Ticket:
    """A presigned POST. Signing needs no call to AWS.

    Source: "Creating an HTML form" and "POST policy" in the Amazon S3 API reference.
    """
    client = _client(settings.AWS_REGION, settings.S3_ENDPOINT_URL)
    fields = {"Content-Type": upload.content_type, "success_action_status": "204"}
    if upload.sha256:
        digest = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
        fields |= {"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": digest}
    seconds_left = (upload.expires_at - timezone.now()).total_seconds()
    post = client.generate_presigned_post(
        settings.ORIGINALS_BUCKET,
        upload.incoming_key,
        Fields=fields,
        Conditions=[
            ["content-length-range", upload.size, upload.size],
            *({name: value} for name, value in fields.items()),
        ],
        ExpiresIn=max(1, math.ceil(seconds_left)),
    )
    return Ticket(url=post["url"], fields=post["fields"])


def issue_link(key: str, *, filename: str) -> str:
    """A presigned GET. Signing needs no call to AWS.

    Short: it is asked for as it is used, and one signed with a role's credentials dies with them,
    hours earlier than it says ("Sharing objects with presigned URLs", Amazon S3 user guide).
    """
    link: str = _client(settings.AWS_REGION, settings.S3_ENDPOINT_URL).generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings.ORIGINALS_BUCKET,
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{filename}"',
        },
        ExpiresIn=60,
    )
    return link
