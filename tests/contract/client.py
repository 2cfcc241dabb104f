"""An HTTP client that writes down what it was answered, so that places can be compared."""

import http.client
import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

# What belongs to a server, a gateway or a moment, and not to the answer.
_NOT_OF_THE_ANSWER = re.compile(
    r"connection|content-length|date|expires|keep-alive|server|transfer-encoding|via|apigw-.*|x-amz.*"
)
# Keys whose values are each answer's own, or those of a storage.
_OWN = {"access_token", "refresh_token", "next_cursor", "fields", "url", "nonce"}
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_CURSOR = re.compile(r"cursor=[\w.-]{20,}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_CSRF = re.compile(r'(name="csrfmiddlewaretoken" value=)"\w+"')


class Answer:
    """An HTTP answer, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def cookies(self) -> dict[str, str]:
        lines = self.headers.get_all("Set-Cookie", [])
        pairs = [line.partition(";")[0].partition("=") for line in lines]
        return {name: value for name, _, value in pairs}

    def problem(self, status: int, code: str) -> Any:
        """Its body, which has to be this problem."""
        assert (self.status, self.headers["Content-Type"]) == (
            status,
            "application/problem+json",
        ), self.text
        body = self.json
        assert (body["status"], body["code"]) == (status, code)
        assert body["request_id"] == self.headers["X-Request-Id"]
        assert body["detail"]
        return body


class Client:
    """Calls an address, with a token once it has one.

    Args:
        url: without a path, or with a stage's.
        run: makes names unique where others have been before.
    """

    def __init__(self, url: str, run: str = "") -> None:
        self.address = urllib.parse.urlsplit(url)
        self.run = run
        self.token = ""
        self.record: list[dict[str, Any]] = []
        self._numbers: dict[str, str] = {}

    def name(self, word: str) -> str:
        """A username that nobody has yet."""
        return f"{word}.{self.run}" if self.run else word

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, body, **headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """With a body of JSON; a header's name has `_` in place of `-`."""
        if body is None:
            return self.call(method, path, None, headers)
        return self.call(
            method, path, json.dumps(body), {"Content-Type": "application/json"} | headers
        )

    def call(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        record: bool = True,
    ) -> Answer:
        """Any request; what it was answered is noted, unless that depends on the moment."""
        names = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return self.call_exactly(method, path, body, names, record=record)

    def call_exactly(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        record: bool = True,
    ) -> Answer:
        """The same, with the headers' names as they are; an iterable body is sent in chunks."""
        fields = dict(headers or {})
        if self.token:
            fields.setdefault("Authorization", f"Bearer {self.token}")
        address = self.address
        secure = address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=40)
        try:
            connection.request(method, f"{address.path.rstrip('/')}{path}", body, fields)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        if record:
            self.record.append(self._comparable(f"{method} {path}", answer))
        return answer

    # --- Records --------------------------------------------------------------------------------
    def _comparable(self, request: str, answer: Answer) -> dict[str, Any]:
        """What must be the same everywhere. Ids keep who is who, as numbers."""
        headers: dict[str, list[str]] = {}
        for name, value in answer.headers.items():
            if not _NOT_OF_THE_ANSWER.fullmatch(name.lower()):
                headers.setdefault(name.lower(), []).append(self._header(name.lower(), value))
        try:
            body = self._value(answer.json)
        except ValueError:
            body = self._text(answer.text)
        if request == "GET /healthz":
            # A deploy tells the commit; the package of these tests was built by Zappa alone.
            body |= {"version": "(its own)", "commit": "(its own)"}
        return {
            "request": self._text(request),
            "status": answer.status,
            # A gateway may join those of the same name, or put them apart.
            "headers": {
                name: sorted(", ".join(found).split(", ")) for name, found in headers.items()
            },
            "body": body,
        }

    def _header(self, name: str, value: str) -> str:
        if name == "etag":
            return "(a weak one)" if value.startswith("W/") else "(a strong one)"
        if name == "set-cookie":
            cookie, _, attributes = value.partition(";")
            kept = [part for part in attributes.split("; ") if "expires=" not in part.lower()]
            return "; ".join([cookie.partition("=")[0], *kept])
        return "(an id)" if name == "x-request-id" else self._text(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: "(its own)" if name in _OWN and item else self._value(item)
                for name, item in value.items()
                if name != "request_id"
            }
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        text = _CSRF.sub(r"\1(a token)", _TIME.sub("(a time)", text))
        text = text.replace(self.address.netloc, "(the host)")
        text = _CURSOR.sub("cursor=(a cursor)", text)
        if self.run:
            text = text.replace(f".{self.run}", "")
        return _UUID.sub(
            lambda found: self._numbers.setdefault(found[0], f"(id {len(self._numbers)})"), text
        )
