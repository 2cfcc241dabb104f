"""JSON in and out, with orjson: strict on input, quick on output."""

from collections.abc import Iterable, Mapping
from typing import IO, Any

import orjson
from django.utils.functional import Promise
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from apps.common.errors import MalformedJSON

# No call nests deeper than photos → products → a field.
MAX_DEPTH = 32
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def _default(value: object) -> str:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value)} has no JSON form")


def dumps(value: Any) -> bytes:
    """JSON bytes; times are RFC 3339 in UTC with `Z`, UUIDs are strings."""
    return orjson.dumps(value, default=_default, option=_OPTIONS)


def _too_deep(value: object, left: int = MAX_DEPTH) -> bool:
    if isinstance(value, dict):
        return left == 0 or any(_too_deep(item, left - 1) for item in value.values())
    if isinstance(value, list):
        return left == 0 or any(_too_deep(item, left - 1) for item in value)
    return False


class JSONParser(BaseParser):
    """Reads the body. orjson refuses NaN, lone surrogates and broken UTF-8."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body's value; raises MalformedJSON."""
        try:
            value = orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise MalformedJSON from error
        if _too_deep(value):
            raise MalformedJSON
        return value


class JSONRenderer(BaseRenderer):
    """Writes the answer."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """JSON bytes, or none where there is no body."""
        return b"" if data is None else dumps(data)


class AlwaysJSON(BaseContentNegotiation):
    """There is one format, so the Accept header decides nothing."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The JSON parser where the body says that it is JSON, else none (415)."""
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The JSON renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
