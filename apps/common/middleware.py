"""What happens to every request before any view: its id, and the size of its body."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import patch_vary_headers

from apps.common.errors import BadRequest, BodyTooLarge, DomainError, LengthRequired
from apps.common.problems import problem_response
from apps.common.request_id import start_request

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# A client that is still sending would see a reset connection instead of the 413: up to this
# many bytes are read and thrown away first.
_DRAIN_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class RequestIdMiddleware:
    """Gives the request an id, and the answer an `X-Request-Id`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the id."""
        request_id = start_request(request.headers.get("X-Request-Id"))
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        if request.path_info.startswith("/api/"):
            patch_vary_headers(response, ["Authorization"])
        if request.path_info.startswith("/api/") and not response.has_header("Cache-Control"):
            # Answers differ by member and change at any time: keep, but ask before use.
            response["Cache-Control"] = "private, no-cache"
        return response


class BodyLimitMiddleware:
    """Refuses a body over 1 MiB, or of unknown length, before anything reads it.

    On pages too: Django's own limit leaves files out, which it would write to disk whatever their
    size, and a page's form that nobody asked for them gets as far as that.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or 413."""
        if request.path_info not in settings.PATHS_OF_FILES:
            error = self._refusal(request)
            if error:
                return problem_response(error)
        return self.get_response(request)

    def _refusal(self, request: HttpRequest) -> DomainError | None:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return BadRequest()
        if request.headers.get("Transfer-Encoding"):
            # WSGI gives no way to read a body in chunks, so it would count as empty.
            return LengthRequired()
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if limit is None or length <= limit:
            return None
        left = min(length, _DRAIN_BYTES)
        while left > 0 and (chunk := request.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
        return BodyTooLarge()


class ConditionalReadMiddleware(ConditionalGetMiddleware):
    """ETags and 304 for reads, by Django. `If-Match` is for changes: views see to it there."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """The answer, or 304."""
        for header in ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE"):
            request.META.pop(header, None)
        return super().process_response(request, response)
