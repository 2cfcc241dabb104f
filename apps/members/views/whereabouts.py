"""Where a request comes from, as far as its device's session keeps it."""

from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from apps.common.addresses import network_of
from apps.common.fields import PlainText
from apps.common.throttles import address_of
from apps.members.models.session import PLACE_LENGTH
from apps.members.services.sessions import Device


def network(request: Request | HttpRequest) -> str:
    """The network of the caller's address."""
    return network_of(address_of(request))


def here(request: Request, device: Device) -> Device:
    """The device, with where it is."""
    return replace(device, network=network(request), place=_place(request))


def _place(request: Request) -> str:
    header = settings.DEVICE_PLACE_HEADER
    raw = request.headers.get(header, "") if header else ""
    # WSGI gives the bytes of a header as Latin-1; a CDN writes UTF-8.
    text = raw.encode("latin-1", "replace").decode("utf-8", "replace")
    return PlainText(allow_blank=True).to_internal_value(text)[:PLACE_LENGTH]
