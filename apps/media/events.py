"""S3 tells that a file has arrived: what the phone's `complete` tells, if the phone gets to it.

`uploaded` takes the event that S3 sends, as it is or in the wrapping that it gets on its way:
EventBridge, SNS. An SQS queue in between is the Lambda handler's business.
"""

import json
import logging
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from django.conf import settings

from apps.common.errors import NotFound
from apps.media import services
from apps.media.models import Upload

logger = logging.getLogger(__name__)


def uploaded(event: Any, context: object) -> None:
    """Start the processing of each upload whose file has arrived. Harmless when called again.

    What is no upload of ours is logged and ignored.

    Raises:
        ValueError, LookupError, TypeError: S3 does not send such an event.
        UploadNotReceived, UploadExpired: storage has no such file, whatever the event says.
        errors of the database and of storage: one of them is away.
    """
    for bucket, key in _arrived(event):
        _complete(bucket, key)


def _arrived(event: Any) -> list[tuple[str, str]]:
    """Bucket and key of each file.

    Source: "Event message structure", "Using EventBridge" in the Amazon S3 user guide;
    "Parsing message formats" in the Amazon SNS developer guide.
    """
    match event:
        case {"Records": [_, *_] as records}:
            return [
                # S3 encodes keys as in a form, EventBridge's below does not.
                (record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))
                for record in records
                if _is_creation(record["eventName"])
            ]
        case {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": bucket}, "object": {"key": key}},
        }:
            return [(bucket, key)]
        case {"Type": "Notification", "Message": message}:
            return _arrived(json.loads(message))
        case {"Service": "Amazon S3", "Event": "s3:TestEvent"}:
            # Sent once, when a queue or a topic is made the target of a bucket's events.
            return []
    raise ValueError("this is no event of S3")


def _is_creation(name: str) -> bool:
    if name.startswith("ObjectCreated:"):
        return True
    logger.warning("an S3 event %r was ignored: the bucket should not send it", name)
    return False


def _complete(bucket: str, key: str) -> None:
    upload = Upload.objects.filter(pk__in=_upload_ids(key)).first()
    # Compared as a whole: a UUID has many spellings, and one of them is our key.
    if bucket != settings.ORIGINALS_BUCKET or upload is None or upload.incoming_key != key:
        logger.warning("%r in bucket %r is no upload of ours: ignored", key, bucket)
        return
    try:
        services.complete_upload(upload=upload)
    except NotFound:
        logger.warning("upload %s was deleted a moment ago: ignored", upload.pk)


def _upload_ids(key: str) -> list[UUID]:
    try:
        return [UUID(key.rpartition("/")[2])]
    except ValueError:
        return []
