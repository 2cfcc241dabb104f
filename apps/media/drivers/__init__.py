"""How a phone gets its file into storage without the API in between.

A driver is a module with `issue_ticket(upload) -> Ticket`; `settings.UPLOAD_DRIVER` names it.
Reading and deleting go through Django's storages, the same for all drivers.
"""

from dataclasses import dataclass
from importlib import import_module

from django.conf import settings

from apps.media.models import Upload


@dataclass(frozen=True)
class Ticket:
    """Send the file as multipart/form-data by POST to `url`: `fields` first, then `file`."""

    url: str
    fields: dict[str, str]


def issue_ticket(upload: Upload) -> Ticket:
    """A ticket for this upload's key, type, size and hash, good until `upload.expires_at`."""
    ticket: Ticket = import_module(settings.UPLOAD_DRIVER).issue_ticket(upload)
    return ticket
