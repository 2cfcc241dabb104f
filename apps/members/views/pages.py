"""What all pages that a member sees in a browser have in common.

They have one design, `members/account/base.html`, hold no script and load nothing from anywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action {}; base-uri 'none'; frame-ancestors 'none'"
)


def public_origin() -> str:
    """Where the world reaches this service, as a browser's `Origin` says it."""
    parts = urlsplit(settings.PUBLIC_BASE_URL)
    return f"{parts.scheme}://{parts.netloc}"


def page(
    request: HttpRequest,
    name: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    form_targets: Sequence[str] = (),
    **context: Any,
) -> HttpResponse:
    """A page of `members/account/`, which nobody keeps or frames.

    Args:
        form_targets: where else than here its forms may lead, as sources of a CSP.
    """
    context["contact"] = settings.CONTACT_EMAIL
    response = render(request, f"members/account/{name}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = _CSP.format(" ".join(["'self'", *form_targets]))
    # An address may hold a token: no Referer tells the path. Under `no-referrer` browsers would
    # send our own forms with `Origin: null`, which the check of CSRF refuses.
    response["Referrer-Policy"] = "strict-origin"
    for header, value in (headers or {}).items():
        response[header] = value
    return response
