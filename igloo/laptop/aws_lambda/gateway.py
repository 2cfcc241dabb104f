"""API Gateway: an HTTP request as an event, and a function's result as an HTTP answer.

Source: see igloo/lambda_http.py; "Set up Lambda proxy integrations" for the results.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from igloo.laptop.aws_lambda.function import THROTTLED
from igloo.laptop.aws_lambda.instance import TIMED_OUT, Result

# What an HTTP API hands on as text; the rest comes in Base64. A REST API gives Base64 for all that
# its binaryMediaTypes name, and Zappa names */*.
_TEXT = re.compile(r"text/.*|application/(.+\+)?(json|xml|javascript)")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# The gateway's own business, or about one connection.
_OWN_HEADERS = {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Request:
    """An HTTP request as it came; `path` is still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    address: str
    port: int


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of_message(cls, status: int, message: str) -> "Answer":
        """What API Gateway says itself."""
        body = json.dumps({"message": message}).encode()
        return cls(status, [("content-type", "application/json")], body)


@dataclass(frozen=True)
class Gateway:
    """A kind of API Gateway."""

    event: Callable[[Request], dict[str, Any]]
    read: Callable[[Any], Answer]
    # What it says when the function fails, and when it takes too long.
    failed: Answer
    timed_out: Answer

    def answer(self, result: Result) -> Answer:
        """The answer to what came of a request."""
        if result.error in (TIMED_OUT, THROTTLED):
            return self.timed_out
        if result.error:
            return self.failed
        try:
            return self.read(json.loads(result.payload))
        except (AttributeError, KeyError, TypeError, ValueError, binascii.Error):
            return self.failed


def _headers(request: Request) -> list[tuple[str, str]]:
    """The client's, and those that the gateway sets whatever the client sent."""
    kept = []
    seen_by_others = []
    for name, value in request.headers:
        if name.lower() == "x-forwarded-for":
            seen_by_others.append(value)
        elif name.lower() not in {*_OWN_HEADERS, "x-forwarded-proto", "x-forwarded-port"}:
            kept.append((name, value))
    return [
        *kept,
        ("Content-Length", str(len(request.body))),
        ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]}"),
        ("X-Forwarded-For", ", ".join([*seen_by_others, request.address])),
        ("X-Forwarded-Port", str(request.port)),
        # AWS would say https. Links in answers should work here.
        ("X-Forwarded-Proto", "http"),
    ]


def _header(request: Request, wanted: str) -> str:
    return next((value for name, value in request.headers if name.lower() == wanted), "")


def _host(request: Request) -> str:
    return _header(request, "host").rpartition(":")[0] or _header(request, "host")


# --- HTTP API, version 2 ------------------------------------------------------------------------
def _event_v2(request: Request) -> dict[str, Any]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in _headers(request):
        name = name.lower()
        if name == "cookie":
            cookies += [part.strip() for part in value.split(";")]
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    query: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        # It comes decoded.
        "rawPath": unquote(request.path),
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": _host(request),
            "domainPrefix": _host(request).partition(".")[0],
            "http": {
                "method": request.method,
                "path": unquote(request.path),
                "protocol": "HTTP/1.1",
                "sourceIp": request.address,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid4().hex[:16],
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = query
    if request.body:
        event["body"], event["isBase64Encoded"] = _body_v2(request)
    return event


def _body_v2(request: Request) -> tuple[str, bool]:
    content_type = _header(request, "content-type").partition(";")[0].strip().lower()
    if _TEXT.fullmatch(content_type):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _read_v2(result: Any) -> Answer:
    if not isinstance(result, dict) or "statusCode" not in result:
        # It makes an answer of whatever the function returns.
        body = result if isinstance(result, str) else json.dumps(result)
        return Answer(200, [("content-type", "application/json")], body.encode())
    headers = [(name, _text(value)) for name, value in (result.get("headers") or {}).items()]
    headers += [("set-cookie", cookie) for cookie in result.get("cookies") or []]
    return _read(result, headers)


# --- REST API, version 1 ------------------------------------------------------------------------
def _event_v1(request: Request) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in _headers(request):
        headers.setdefault(name, []).append(value)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": request.path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": _host(request),
            "domainPrefix": _host(request).partition(".")[0],
            "extendedRequestId": uuid4().hex[:16],
            "httpMethod": request.method,
            "identity": {
                "sourceIp": request.address,
                "userAgent": _header(request, "user-agent"),
            },
            "path": request.path,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid4()),
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "requestTimeEpoch": int(time.time() * 1000),
            "resourcePath": "/{proxy+}",
            "stage": "local",
        },
        "body": base64.b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def _read_v1(result: Any) -> Answer:
    lists = result.get("multiValueHeaders") or {}
    headers = [(name, _text(value)) for name, values in lists.items() for value in values]
    # Of a name in both, the list counts.
    headers += [
        (name, _text(value))
        for name, value in (result.get("headers") or {}).items()
        if name not in lists
    ]
    return _read(result, headers)


def _read(result: dict[str, Any], headers: list[tuple[str, str]]) -> Answer:
    status = int(result["statusCode"])
    if not 200 <= status <= 599:
        raise ValueError("no status of an answer")
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or re.search(r"[\r\n\0]", value):
            raise ValueError("no header")
    body = result.get("body") or ""
    is_base64 = result.get("isBase64Encoded")
    data = base64.b64decode(body, validate=True) if is_base64 else body.encode()
    kept = [(name, value) for name, value in headers if name.lower() not in _OWN_HEADERS]
    return Answer(status, kept, data)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError("no header")


GATEWAYS = {
    "v2": Gateway(
        event=_event_v2,
        read=_read_v2,
        failed=Answer.of_message(500, "Internal Server Error"),
        timed_out=Answer.of_message(503, "Service Unavailable"),
    ),
    "v1": Gateway(
        event=_event_v1,
        read=_read_v1,
        failed=Answer.of_message(502, "Internal server error"),
        timed_out=Answer.of_message(504, "Endpoint request timed out"),
    ),
}
