"""What uploads and stored pictures look like in an answer: each documented class with the
function that makes it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework import serializers

from apps.media.drivers import Ticket
from apps.media.errors import FAILURES
from apps.media.models import Upload


class AvatarOut(serializers.Serializer[Any]):
    """A profile picture."""

    url = serializers.URLField()
    width = serializers.IntegerField(help_text="px")
    height = serializers.IntegerField(help_text="px")


class RenditionOut(serializers.Serializer[Any]):
    """A picture made of a photo; the long edge is 1600, 800 or 320 px at most."""

    name = serializers.ChoiceField(choices=["large", "medium", "small"])
    url = serializers.URLField()
    width = serializers.IntegerField(help_text="px")
    height = serializers.IntegerField(help_text="px")
    content_type = serializers.CharField()


class PaletteColorOut(serializers.Serializer[Any]):
    """A colour of a photo, and how much of it is of that colour."""

    hex = serializers.RegexField(r"^#[0-9a-f]{6}$")
    share = serializers.FloatField(min_value=0, max_value=1)


class TicketOut(serializers.Serializer[Any]):
    """How to send the file: multipart/form-data, the fields first, then `file`."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=["waiting"])
    method = serializers.ChoiceField(choices=["POST"])
    url = serializers.URLField()
    fields = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]
    expires_at = serializers.DateTimeField()


class FailureOut(serializers.Serializer[Any]):
    """Why a photo was refused."""

    code = serializers.ChoiceField(choices=list(FAILURES))
    detail = serializers.CharField()


class UploadStatusOut(serializers.Serializer[Any]):
    """How far an upload is."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Upload.Status.values)


class UploadOut(UploadStatusOut):
    """An upload; the sizes, renditions and colours come with `ready`, `failure` with `failed`."""

    failure = FailureOut(required=False)
    width = serializers.IntegerField(required=False, help_text="px, upright")
    height = serializers.IntegerField(required=False, help_text="px, upright")
    blurhash = serializers.CharField(required=False)
    renditions = RenditionOut(many=True, required=False)
    palette = PaletteColorOut(many=True, required=False)
    suggested_colors = serializers.ListField(child=serializers.CharField(), required=False)


def ticket_shape(upload: Upload, ticket: Ticket, request: HttpRequest) -> dict[str, Any]:
    """A `TicketOut`; a laptop's URL gets the host that the caller used."""
    return {
        "id": upload.pk,
        "status": upload.status,
        "method": "POST",
        "url": request.build_absolute_uri(ticket.url),
        "fields": ticket.fields,
        "expires_at": upload.expires_at,
    }


def upload_shape(upload: Upload, base: str) -> dict[str, Any]:
    """An `UploadOut`."""
    shape: dict[str, Any] = {"id": upload.pk, "status": upload.status}
    if upload.status == Upload.Status.FAILED:
        shape["failure"] = {
            "code": upload.failure_code,
            "detail": FAILURES[upload.failure_code],
        }
    if upload.status == Upload.Status.READY:
        shape |= {
            "width": upload.width,
            "height": upload.height,
            "blurhash": upload.blurhash,
            "renditions": rendition_list(upload.renditions, base),
            "palette": upload.palette,
            "suggested_colors": upload.suggested_colors,
        }
    return shape


def media_base(request: HttpRequest) -> str:
    """What to put before a rendition's key. On a laptop: the host that the caller used."""
    return request.build_absolute_uri(settings.MEDIA_URL)


def rendition_list(stored: list[dict[str, Any]], base: str) -> list[dict[str, Any]]:
    """`[{name, url, width, height, content_type}]` of an upload's `renditions`."""
    return [
        {
            "name": item["name"],
            "url": base + item["key"],
            "width": item["width"],
            "height": item["height"],
            "content_type": item["content_type"],
        }
        for item in stored
    ]


def avatar_of(stored: list[dict[str, Any]] | None, base: str) -> dict[str, Any] | None:
    """`{url, width, height}` of the small rendition, or None without a picture."""
    small = next((item for item in stored or () if item["name"] == "small"), None)
    if small is None:
        return None
    return {"url": base + small["key"], "width": small["width"], "height": small["height"]}
