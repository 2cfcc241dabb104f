"""Errors that a client can act on. Raise one anywhere; `problems.py` makes the answer.

A new one takes: a class here or in the app's `errors.py` (its docstring stands in the API's
document), its name in `errors=` of the `@describe` of each view that may answer it,
`make generate`, and the Korean of its text in `locale/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class FieldError:
    """One thing wrong in the request: where (a JSON pointer, RFC 6901), the code, and why."""

    pointer: str
    code: str
    detail: Text


@dataclass(eq=False)
class DomainError(Exception):
    """A refusal with a stable `code`. Subclasses set `status`, `code` and `text`.

    `errors` says where in the request it lies. `extra` adds members to the problem. `detail` stands
    for `text` where that depends on the case.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str]
    text: ClassVar[Text]

    errors: Sequence[FieldError] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: Text = ""

    def __str__(self) -> str:
        return self.code


class InvalidInput(DomainError):
    """The request can be read, but something in it is not acceptable."""

    code = "invalid_input"
    text = _("Some of the input is not valid.")


class MalformedJSON(DomainError):
    """The body is not JSON, or nested deeper than any call needs."""

    code = "malformed_json"
    text = _("The body is not valid JSON.")


class BadRequest(DomainError):
    """The request can't be understood."""

    code = "bad_request"
    text = _("The request can't be understood.")


class InvalidCursor(DomainError):
    """The cursor was not given out by this list."""

    code = "invalid_cursor"
    text = _("The cursor is not valid. Start again from the first page.")


class NotAuthenticated(DomainError):
    """No access token, and the call needs one."""

    status = 401
    code = "not_authenticated"
    text = _("Log in first.")


class PermissionDenied(DomainError):
    """The caller may not do this."""

    status = 403
    code = "permission_denied"
    text = _("You may not do this.")


class Suspended(DomainError):
    """The member is suspended: reading works, writing does not. `suspended_until` says how long,
    and so does `detail`, in Korean time."""

    status = 403
    code = "suspended"
    text = _("Your account is suspended. You can read but not post.")


class ConsentRequired(DomainError):
    """A required consent is missing, or its text has changed; `missing` lists kind and current
    version of each. Who signs up sends them in `consents`. A member, who reads on meanwhile,
    agrees by `PUT /me/consents/{kind}`."""

    status = 409
    code = "consent_required"
    text = _("Agree first: something that igloo needs your consent to is missing or has changed.")


class NotFound(DomainError):
    """No such thing, or none that the caller may know of."""

    status = 404
    code = "not_found"
    text = _("Not found.")


class MethodNotAllowed(DomainError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    text = _("This method is not allowed here.")


class Stale(DomainError):
    """`If-Match` names another version than the current one."""

    status = 412
    code = "stale"
    text = _("It was changed in the meantime. Load it again.")


class LengthRequired(DomainError):
    """The body has no `Content-Length` (it is sent in chunks)."""

    status = 411
    code = "length_required"
    text = _("Send the body with its length.")


class BodyTooLarge(DomainError):
    """The body is over 1 MiB."""

    status = 413
    code = "body_too_large"
    text = _("The body is larger than 1 MB.")


class UnsupportedMediaType(DomainError):
    """The body is not `application/json`."""

    status = 415
    code = "unsupported_media_type"
    text = _("Send the body as application/json.")


class Throttled(DomainError):
    """Too many calls. `Retry-After` says when to come back."""

    status = 429
    code = "throttled"
    text = _("Too many requests. Try again later.")


class ServerError(DomainError):
    """A fault of ours; the log has the request id."""

    status = 500
    code = "server_error"
    text = _("Something went wrong on our side.")


class DatabaseUnavailable(DomainError):
    """The database is away or overloaded; the same call may work soon."""

    status = 503
    code = "database_unavailable"
    text = _("The service is not available right now. Try again soon.")


class InvalidIdempotencyKey(DomainError):
    """The `Idempotency-Key` header is empty, too long or not printable ASCII."""

    code = "invalid_idempotency_key"
    text = _("Idempotency-Key must be 1 to 255 printable ASCII characters.")


class IdempotencyKeyReused(DomainError):
    """The key came before with another request."""

    status = 409
    code = "idempotency_key_reused"
    text = _("This Idempotency-Key was used for another request.")


class IdempotencyInProgress(DomainError):
    """The first request with this key has not been answered yet."""

    status = 409
    code = "idempotency_in_progress"
    text = _("The first request with this Idempotency-Key is still running.")
