"""What no schema thinks of, in each place that an operation has: none ends in a fault of ours.

What one parser refuses for all (depth, broken JSON, size) is tried in tests/common and, once for
each operation, in tests/test_every_operation.py.
"""

import json
import re
from typing import Any

import pytest

from tests.builders import ApiClient, make_member
from tests.common.test_problems import assert_problem
from tests.fuzz.api import PREFIX, operations, parameters, undone
from tests.openapi import assert_documented, document
from tests.test_every_operation import CALLS
from tests.test_roles import World

pytestmark = pytest.mark.django_db

OPERATIONS = [(method, path.removeprefix(PREFIX)) for method, path in operations()]
# As they stand in a URL: NUL, bytes that are no UTF-8, half of a surrogate pair, escapes that are
# none, a slash, a way up, a line break, and more than any value needs.
IN_URL = [
    *("%00", "a%00b", "%ff", "%ED%A0%80", "%C0%80", "%", "%zz", "%2F", "..%2f..", "%0d%0aX-A:%201"),
    *("%F0%9F%98%80" * 500, "x" * 60_000, "9" * 5_000),
]
# As WSGI shows them: bytes in the guise of Latin-1.
IN_HEADER = [
    *("\0", "\xff\xfe", "\xed\xa0\x80", '"', "W/", ",,,", "%00", "é", "0", "-1", "*/*;q=x"),
    *("x" * 65_536, "9" * 5_000, "a," * 20_000),
]
# As they stand in JSON in the place of a value.
IN_JSON = [
    *('"\\u0000"', '"a\\u0000b"', '"\\udfff"', '"\\ud800x"', '"\\u202e\\ufeff\\u0301"', '""'),
    *("NaN", "-Infinity", "1e308", "1e999", "9" * 400, "-9223372036854775809", "1.5", "-0.0"),
    *("true", "null", "{}", "[]", "[null]", "[[]]", '{"a":{"b":[]}}', "[" * 30 + "]" * 30),
    *('"2026-02-30"', '"0000-00-00"', '"0001-01-01"', '"00000000-0000-0000-0000-00000000000g"'),
    *('"' + "ㅋ" * 20_000 + '"', "[" + "0," * 10_000 + "0]"),
]
HEADERS = [
    *("Accept", "Accept-Language", "Cookie", "Forwarded", "Idempotency-Key", "If-Match"),
    *("If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Origin", "Range"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id", "X-Unknown"),
]
METHODS = ["PROPFIND", "TRACE", "CONNECT", "LINK", "BREW", "OPTIONS"]


class Caller:
    """Makes one operation's call, with changes, as the owner of what it is about."""

    def __init__(self, method: str, route: str) -> None:
        self.method, self.route = method, route
        world = World(make_member("theowner"))
        path, body = CALLS[method, route]
        self.path, self.body = world.fill(path), world.fill(body)
        self.client = ApiClient(world.owner)

    def __call__(self, *, path: str = "", body: bytes | None = None, **changes: Any) -> Any:
        """The answer, which is a documented one and no fault of ours."""
        if body is None:
            body = b"" if self.body is None else json.dumps(self.body).encode()
        options = {"content_type": "application/json"} | changes
        with undone():
            response = self.client.generic(self.method, path or self.path, body, **options)
        assert response.status_code < 500, response.content
        answers = document()["paths"][PREFIX + self.route][self.method.lower()]["responses"]
        assert str(response.status_code) in answers, response.content
        if response.content:
            assert_documented(response, self.method.lower(), self.route)
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
        return response


def takes_json(method: str, route: str) -> bool:
    operation = document()["paths"][PREFIX + route][method.lower()]
    return "application/json" in operation.get("requestBody", {"content": {}})["content"]


def _each(keys: list[tuple[str, str]]) -> Any:
    return pytest.mark.parametrize(
        ("method", "route"), [pytest.param(*key, id=" ".join(key)) for key in keys]
    )


@_each([key for key in OPERATIONS if "{" in key[1]])
def test_in_the_path(method: str, route: str) -> None:
    call = Caller(method, route)
    for value in IN_URL:
        path = re.sub(r"\{\w+\}", lambda _found, value=value: value, route)
        assert call(path=path).status_code == 404, value


@_each(OPERATIONS)
def test_in_the_query(method: str, route: str) -> None:
    call = Caller(method, route)
    path = call.path.partition("?")[0]
    taken = [
        found["name"] for found in parameters(method, PREFIX + route) if found["in"] == "query"
    ]
    for name in [*taken, "unknown"]:
        for value in IN_URL:
            call(path=f"{path}?{name}={value}")
        call(path=f"{path}?" + "&".join([name] * 2_000))
    call(path=f"{path}?" + "&".join(f"{value}={value}" for value in IN_URL))


@_each(OPERATIONS)
def test_in_a_header(method: str, route: str) -> None:
    call = Caller(method, route)
    for value in IN_HEADER:
        call(**{f"HTTP_{name.upper().replace('-', '_')}": value for name in HEADERS})
        call(content_type=value)
    call.client.credentials()
    takes_a_token = "security" in document()["paths"][PREFIX + route][method.lower()]
    for value in IN_HEADER:
        answer = call(HTTP_AUTHORIZATION=f"Bearer {value}")
        assert answer.status_code == 401 or not takes_a_token, value


@_each([key for key in OPERATIONS if takes_json(*key)])
def test_in_the_body(method: str, route: str) -> None:
    call = Caller(method, route)
    for name in call.body:
        for value in IN_JSON:
            marked = json.dumps(call.body | {name: "MARK"})
            call(body=marked.replace('"MARK"', value, 1).encode("utf-8"))
        # Twice the same name: the last one counts, as everywhere.
        twice = json.dumps(call.body)[:-1] + f", {json.dumps(name)}: {{}}}}"
        assert_problem(call(body=twice.encode()), 400, "invalid_input")
        assert_problem(
            call(body=json.dumps({name: "MARK"}).replace("MARK", "\xff").encode("latin-1")),
            400,
            "malformed_json",
        )
    for value in (
        b"\xef\xbb\xbf{}",
        b"\0",
        b"{}{}",
        b"{" * 100_000,
        json.dumps(call.body).encode("utf-16"),
    ):
        assert call(body=value).status_code == 400


@_each([key for key in OPERATIONS if not CALLS[key][1] and key[0] != "GET"])
def test_a_body_that_none_asked_for(method: str, route: str) -> None:
    call = Caller(method, route)
    without = call().status_code
    for value in (b"\0\xff", b"{" * 100_000, b'{"a": NaN}', b"x" * 1_000_000):
        assert call(body=value).status_code == without


@pytest.mark.parametrize("route", sorted({route for _method, route in OPERATIONS}))
def test_another_method(route: str) -> None:
    taken = [method for method, found in OPERATIONS if found == route]
    call = Caller(taken[0], route)
    for method in METHODS:
        response = call.client.generic(method, call.path)
        assert_problem(response, 405, "method_not_allowed")
        assert set(taken) <= set(response["Allow"].split(", "))
