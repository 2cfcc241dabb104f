"""How a phone gets its file into storage without the API in between.

A driver is a module with `issue_ticket(upload) -> Ticket` and `issue_link(key, filename=…)`, the
way back; `settings.UPLOAD_DRIVER` names it.
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


def issue_link(key: str, *, filename: str) -> str | None:
    """A URL that gives out one private file for a minute; None where we have to send it ourselves.

    Args:
        filename: what a browser saves it as; ASCII.
    """
    link: str | None = import_module(settings.UPLOAD_DRIVER).issue_link(key, filename=filename)
    return link
