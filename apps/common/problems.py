"""Every error as RFC 9457 `application/problem+json`.

`exception_handler` serves the API's views, the `handler…` functions what fails outside of them.
"""

import logging
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from django.views.csrf import csrf_failure as django_csrf_failure
from rest_framework import exceptions
from rest_framework.response import Response

from apps.common import errors
from apps.common.errors import DomainError, FieldError, InvalidInput
from apps.common.json import dumps
from apps.common.request_id import current_request_id

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# Seconds after which a client may try again while the database is away.
RETRY_AFTER = {"Retry-After": "5"}
# DRF's codes that a client would not guess, and what the contract calls them.
_CODES = {
    "max_length": "too_long",
    "min_length": "too_short",
    "max_value": "too_large",
    "min_value": "too_small",
    "max_string_length": "too_large",
    "not_a_list": "invalid",
    "null_characters_not_allowed": "invalid",
}


def problem(error: DomainError) -> dict[str, Any]:
    """The body of an error: the members of RFC 9457, `code`, `request_id`, `errors`."""
    body: dict[str, Any] = {
        "type": f"urn:igloo:problem:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": str(error.detail or error.text),
        "code": error.code,
        "request_id": current_request_id(),
        **error.extra,
    }
    if error.errors:
        body["errors"] = [
            {"pointer": item.pointer, "code": item.code, "detail": str(item.detail)}
            for item in error.errors
        ]
    return body


def problem_response(error: DomainError) -> HttpResponse:
    """An error's answer, for code outside DRF's views."""
    return HttpResponse(
        dumps(problem(error)),
        status=error.status,
        content_type=CONTENT_TYPE,
        headers=dict(error.headers),
    )


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook: the answer to an exception, or None for one that is a fault of ours.

    It never rolls back: a service owns its transaction and has done so already.
    """
    error = _as_domain_error(exc)
    if error is None:
        return None
    headers = dict(error.headers)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(problem(error), status=error.status, headers=headers, content_type=CONTENT_TYPE)


def _as_domain_error(exc: BaseException) -> DomainError | None:
    match exc:
        case DomainError():
            return exc
        case exceptions.ValidationError():
            return InvalidInput(errors=list(_field_errors(exc.detail)))
        case DjangoValidationError():
            return InvalidInput(
                errors=[
                    FieldError("", error.code or "invalid", "; ".join(error.messages))
                    for error in exc.error_list
                ]
                if hasattr(exc, "error_list")
                else ()
            )
        case Http404() | exceptions.NotFound():
            return errors.NotFound()
        case exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed()
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return errors.NotAuthenticated()
        case exceptions.PermissionDenied():
            return errors.PermissionDenied()
        case exceptions.UnsupportedMediaType():
            return errors.UnsupportedMediaType()
        case RequestDataTooBig():
            return errors.BodyTooLarge()
        case DatabaseError() | InterfaceError() if _is_database_away(exc):
            logger.error("the database is away, or gave up", exc_info=exc)
            return errors.DatabaseUnavailable(headers=RETRY_AFTER)
    return None


def _is_database_away(exc: BaseException) -> bool:
    # A connection that is cut in the middle of a query is a DatabaseError of no kind.
    return isinstance(exc, OperationalError | InterfaceError) or type(exc) is DatabaseError


def _field_errors(detail: Any, pointer: str = "") -> Iterator[FieldError]:
    """DRF's nested messages, flattened to JSON pointers."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            # An error of the whole object, or of a list as a whole, lies at the object itself.
            step = "" if name == "non_field_errors" else f"/{_escape(str(name))}"
            yield from _field_errors(inner, pointer + step)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list of messages belongs to one place; a list of objects has one for each item.
            is_message = isinstance(inner, exceptions.ErrorDetail)
            yield from _field_errors(inner, pointer if is_message else f"{pointer}/{index}")
    else:
        yield FieldError(pointer, _CODES.get(detail.code, detail.code), str(detail))


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _wants_page(request: HttpRequest) -> bool:
    """A person in a browser, outside the API."""
    return (
        not request.path_info.startswith("/api/")
        and request.accepts("text/html")
        and ("text/html" in request.headers.get("Accept", ""))
    )


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django itself refused: a bad host, a bad header, too many fields."""
    if isinstance(exception, RequestDataTooBig):
        return problem_response(errors.BodyTooLarge())
    return problem_response(errors.BadRequest())


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refused outside the API."""
    if _wants_page(request):
        return defaults.permission_denied(request, exception)
    return problem_response(errors.PermissionDenied())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of the admin that was not ours, or a POST to a page that takes none."""
    if _wants_page(request):
        return django_csrf_failure(request, reason)
    return problem_response(errors.PermissionDenied())


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An unknown path outside the API."""
    if _wants_page(request):
        return defaults.page_not_found(request, exception)
    return problem_response(errors.NotFound())


def handler500(request: HttpRequest) -> HttpResponse:
    """A fault of ours, or a database that is away; Django has logged the traceback."""
    error = _as_domain_error(sys.exc_info()[1] or Exception())
    if isinstance(error, errors.DatabaseUnavailable):
        return problem_response(error)
    return problem_response(errors.ServerError())
