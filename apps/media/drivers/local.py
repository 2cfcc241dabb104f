"""Tickets for a laptop: the same form as S3's, enforced by a view of ours.

The conditions travel in `policy`, signed with the SECRET_KEY.
"""

import hashlib

from django.core import signing
from django.core.files.storage import storages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.media import errors
from apps.media.drivers import Ticket
from apps.media.models import Upload

# Relative: the view makes it absolute with the host that the caller used.
PATH = "/local-storage"
_SALT = "apps.media.drivers.local"


def issue_ticket(upload: Upload) -> Ticket:
    """A form for the local upload view."""
    fields = {"key": upload.incoming_key, "Content-Type": upload.content_type}
    conditions = {
        **fields,
        "size": upload.size,
        "sha256": upload.sha256,
        "expires_at": upload.expires_at.isoformat(),
    }
    return Ticket(url=PATH, fields={**fields, "policy": signing.dumps(conditions, salt=_SALT)})


def issue_link(key: str, *, filename: str) -> None:
    """None: a laptop's files are sent by the process itself."""


def receive(fields: dict[str, str], file: UploadedFile | None) -> None:
    """Store a file that meets its ticket's conditions.

    Raises:
        TicketInvalid, TicketExpired, TicketUsed, TypeMismatch, SizeMismatch, HashMismatch:
            nothing is stored then.
    """
    try:
        conditions = signing.loads(fields.get("policy", ""), salt=_SALT)
    except signing.BadSignature as error:
        raise errors.TicketInvalid from error
    if fields.get("key") != conditions["key"]:
        raise errors.TicketInvalid
    expires_at = parse_datetime(conditions["expires_at"])
    if expires_at is None or expires_at <= timezone.now():
        raise errors.TicketExpired
    if fields.get("Content-Type") != conditions["Content-Type"]:
        raise errors.TypeMismatch
    if file is None or file.size != conditions["size"]:
        raise errors.SizeMismatch
    if conditions["sha256"]:
        digest = hashlib.sha256()
        for chunk in file.chunks():
            digest.update(chunk)
        if digest.hexdigest() != conditions["sha256"]:
            raise errors.HashMismatch
    upload_id = conditions["key"].rpartition("/")[2]
    storage = storages["originals"]
    with transaction.atomic():
        # The lock: of two that send the same ticket at once one wins, and `complete` waits until
        # the whole file is there.
        rows = Upload.objects.select_for_update().filter(pk=upload_id)
        waiting = rows.filter(status=Upload.Status.WAITING).first()
        if waiting is None or storage.exists(conditions["key"]):
            raise errors.TicketUsed
        storage.save(conditions["key"], file)
