"""The HTTP server: API Gateway for everyone, and Lambda's `invocations` for boto3."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any
from urllib.parse import unquote

from igloo.laptop.aws_lambda.function import Function
from igloo.laptop.aws_lambda.gateway import Answer, Gateway, Request
from igloo.laptop.aws_lambda.instance import PAYLOAD_BYTES
from igloo.laptop.children import say

# Of an asynchronous event: 256 KB until 2025, 1 MB since. The smaller one, to be safe.
EVENT_BYTES = 256 * 1024
# What API Gateway takes at most, in bytes.
_BODY_BYTES = 10 * 1024 * 1024
# Read and thrown away, since a client that still sends would see a reset in place of the 413.
_DRAIN_BYTES = 64 * 1024 * 1024
_INVOCATIONS = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")


class BodyTooLarge(Exception):
    """API Gateway takes no such body."""


class Front(ThreadingHTTPServer):
    """Serves on loopback alone.

    Args:
        port: 0 takes a free one.
        http_seconds: what API Gateway waits for an answer.
        event_seconds: the function's own time limit, which `invocations` have.
    """

    daemon_threads = True
    block_on_close = False
    # A browser opens six connections at once.
    request_queue_size = 64

    def __init__(
        self,
        function: Function,
        gateway: Gateway,
        *,
        port: int,
        http_seconds: float,
        event_seconds: float,
    ) -> None:
        self.function = function
        self.gateway = gateway
        self.http_seconds = http_seconds
        self.event_seconds = event_seconds
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"
    # Head and body are two packets, and the second would wait 40 ms.
    disable_nagle_algorithm = True
    server_version = "igloo-lambda"
    # A connection on which nothing comes is closed.
    timeout = 60

    def _serve(self) -> None:
        try:
            body = _read_body(self.rfile, self.headers)
        except BodyTooLarge:
            self.close_connection = True
            self._send(Answer.of_message(413, "Request Entity Too Large"))
            return
        except ValueError:
            self.close_connection = True
            self._send(Answer.of_message(400, "Bad Request"))
            return
        path, _, query = _text(self.path).partition("?")
        if self.command == "POST" and (match := _INVOCATIONS.fullmatch(path)):
            self._send(self._invoke(unquote(match[1]), body))
            return
        self._send(self._proxy(path, query, body))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _proxy(self, path: str, query: str, body: bytes) -> Answer:
        gateway = self.server.gateway
        if not path.startswith("/"):
            return Answer.of_message(400, "Bad Request")
        request = Request(
            method=self.command,
            path=path,
            query=query,
            headers=[(name, _text(value)) for name, value in self.headers.items()],
            body=body,
            address=self.client_address[0],
            port=self.server.server_address[1],
        )
        event = json.dumps(gateway.event(request)).encode()
        if len(event) > PAYLOAD_BYTES:
            return Answer.of_message(413, "Request Entity Too Large")
        return gateway.answer(self.server.function.invoke(event, self.server.http_seconds))

    def _invoke(self, name: str, payload: bytes) -> Answer:
        """Source: "Invoke" in the AWS Lambda API reference."""
        function = self.server.function
        kind = self.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        # A name, an ARN, with or without a version.
        if not re.fullmatch(rf"(.+:)?{re.escape(function.settings.name)}(:[^:]+)?", name):
            return _refusal(404, "ResourceNotFoundException", f"Function not found: {name}")
        if kind not in ("RequestResponse", "Event", "DryRun"):
            return _refusal(400, "InvalidParameterValueException", f"InvocationType {kind}")
        if len(payload) > (EVENT_BYTES if kind == "Event" else PAYLOAD_BYTES):
            return _refusal(413, "RequestTooLargeException", f"{len(payload)} bytes are too many")
        try:
            json.loads(payload or b"{}")
        except ValueError:
            return _refusal(400, "InvalidRequestContentException", "The payload is not JSON")
        if kind == "DryRun":
            return Answer(204, [], b"")
        if kind == "Event":
            function.invoke_later(payload or b"{}")
            return Answer(202, [], b"")
        result = function.invoke(payload or b"{}", self.server.event_seconds)
        headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
        if result.error:
            headers.append(("X-Amz-Function-Error", "Unhandled"))
        return Answer(200, headers, result.payload)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            # As it came: http.server would refuse what is not Latin-1.
            self.send_header(name, value.encode().decode("latin-1"))
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """One line per request."""
        say(f"front    | {format % args}")


def _text(latin: str) -> str:
    """What http.server read a byte as a character, as the UTF-8 that it may have been."""
    try:
        return latin if latin.isascii() else latin.encode("latin-1").decode()
    except UnicodeError:
        return latin


def _refusal(status: int, error: str, message: str) -> Answer:
    """An error of Lambda's own API, as boto3 reads it."""
    headers = [("Content-Type", "application/json"), ("X-Amzn-Errortype", error)]
    return Answer(status, headers, json.dumps({"Type": "User", "message": message}).encode())


def _read_body(file: BufferedIOBase, headers: Any) -> bytes:
    """The whole body. API Gateway takes one in chunks, too, and hands it on with its length.

    Raises:
        BodyTooLarge: more than 10 MB.
        ValueError: it can't be read.
    """
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        return _read_chunks(file)
    length = int(headers.get("Content-Length") or 0)
    if length < 0:
        raise ValueError("a negative length")
    if length > _BODY_BYTES:
        left = min(length, _DRAIN_BYTES)
        while left > 0 and (data := file.read(min(left, 65536))):
            left -= len(data)
        raise BodyTooLarge
    return file.read(length)


def _read_chunks(file: BufferedIOBase) -> bytes:
    """Source: RFC 9112, section 7.1."""
    body = b""
    while size := int(file.readline(100).partition(b";")[0], 16):
        if size < 0 or len(body) + size > _BODY_BYTES:
            raise BodyTooLarge
        body += file.read(size)
        file.readline(3)
    while file.readline(65536).strip():  # trailers
        pass
    return body
