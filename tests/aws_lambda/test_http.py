"""Every HTTP event of AWS becomes the WSGI request that the client sent, and no other."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from pytest_django import Settings
from rest_framework.throttling import BaseThrottle

from igloo.lambda_http import http_handler, in_form_of, is_http, read_request
from tests.aws_lambda.aws_events import CLIENT, LIAR, REST_HOST, alb, function_url, v1, v2

Event = dict[str, Any]
Make = Callable[..., Event]

ALL = [v2, function_url, v1, alb, lambda *args, **changes: alb(*args, lists=True, **changes)]
KINDS = pytest.mark.parametrize("make", ALL, ids=["v2", "function-url", "v1", "alb", "alb-lists"])


class Echo:
    """A WSGI application that keeps the last request, and answers as told."""

    def __init__(self) -> None:
        self.environ: dict[str, Any] = {}
        self.status = "200 OK"
        self.headers: list[tuple[str, str]] = [("Content-Type", "application/json")]
        self.body = b"{}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.environ = environ
        start_response(self.status, self.headers)
        return [self.body]


@pytest.fixture
def echo() -> Echo:
    return Echo()


def ask(echo: Echo, event: Event) -> Event:
    """The answer, in the form of the event's sender."""
    assert is_http(event)
    return in_form_of(event, http_handler(echo)(read_request(event), None))


def asked(echo: Echo, event: Event) -> WSGIRequest:
    """The request that Django would get."""
    ask(echo, event)
    return WSGIRequest(echo.environ)


# --- In -----------------------------------------------------------------------------------------
@KINDS
def test_the_request_as_the_client_sent_it(echo: Echo, make: Make) -> None:
    event = make(
        "/api/v1/posts",
        "POST",
        body='{"title": "볕"}',
        headers={"content-type": "application/json"},
    )
    request = asked(echo, event)
    assert (request.method, request.path_info) == ("POST", "/api/v1/posts")
    assert request.body == '{"title": "볕"}'.encode()
    assert request.META["CONTENT_LENGTH"] == str(len(request.body))
    assert request.content_type == "application/json"
    assert request.headers["User-Agent"] == "igloo/1.0.0 (iPhone)"
    assert request.scheme == "https"


# Each as AWS hands on /집/a%2541%2Fc?q=%ED%95%9C%26+x&q=2&empty=.
QUERY = "q=%ED%95%9C%26+x&q=2&empty="
ENCODED = "/%EC%A7%91/a%2541%2Fc"


@pytest.mark.parametrize(
    "event",
    [
        v2("/집/a%41/c", rawQueryString=QUERY),
        function_url(ENCODED, rawQueryString=QUERY),
        v1(ENCODED, multiValueQueryStringParameters={"q": ["한& x", "2"], "empty": [""]}),
        alb(
            ENCODED,
            multiValueQueryStringParameters={"q": ["%ED%95%9C%26+x", "2"], "empty": [""]},
        ),
    ],
    ids=["v2", "function-url", "v1", "alb"],
)
def test_path_and_query_are_decoded_once(echo: Echo, event: Event) -> None:
    request = asked(echo, event)
    assert request.path_info == "/집/a%41/c"
    assert request.GET.getlist("q") == ["한& x", "2"]
    assert request.GET["empty"] == ""


def test_queries_in_single_values(echo: Echo) -> None:
    assert asked(echo, alb(query={"color": "beige%2Cwhite"})).GET["color"] == "beige,white"
    single = v1(queryStringParameters={"color": "beige,white"})
    assert asked(echo, single).GET["color"] == "beige,white"


def test_a_huge_query_comes_through(echo: Echo) -> None:
    assert len(asked(echo, v2(rawQueryString="q=" + "x" * 500_000)).GET["q"]) == 500_000


@KINDS
def test_binary_bodies(echo: Echo, make: Make) -> None:
    data = bytes(range(256))
    event = make(method="PUT", body=base64.b64encode(data).decode(), isBase64Encoded=True)
    assert asked(echo, event).body == data


@pytest.mark.parametrize("body", [None, ""])
def test_no_body(echo: Echo, body: str | None) -> None:
    request = asked(echo, v1(body=body))
    assert request.body == b""
    assert request.META["CONTENT_LENGTH"] == "0"


@pytest.mark.parametrize(
    "event",
    [
        v2(cookies=["a=1", "b=2"]),
        function_url(cookies=["a=1", "b=2"], headers={"cookie": "a=1; b=2"}),
        v1(headers={"Cookie": "a=1; b=2"}),
        # As over HTTP/2, which may part them.
        v1() | {"multiValueHeaders": {"Cookie": ["a=1", "b=2"], "Host": [REST_HOST]}},
        alb(headers={"cookie": "a=1; b=2"}),
    ],
)
def test_each_cookie_comes_once(echo: Echo, event: Event) -> None:
    request = asked(echo, event)
    assert request.COOKIES == {"a": "1", "b": "2"}
    assert request.META["HTTP_COOKIE"] == "a=1; b=2"


@KINDS
def test_text_that_is_not_ascii_comes_as_its_bytes(echo: Echo, make: Make) -> None:
    request = asked(echo, make(headers={"authorization": "Bearer 한글"}))
    assert request.headers["Authorization"].encode("latin-1") == "Bearer 한글".encode()


# --- Stages -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("event", "script_name", "path"),
    [
        (v1("/api/v1/posts"), "/dev", "/api/v1/posts"),
        # Of a REST API the path has no stage, so this is another /dev.
        (v1("/dev/x"), "/dev", "/dev/x"),
        (v1("/api/v1/posts", context={"domainName": "api.igloo.example"}), "", "/api/v1/posts"),
        # An HTTP API with payload format 1.0.
        (v1("/dev/api/v1/posts", version="1.0"), "/dev", "/api/v1/posts"),
        (v2("/healthz"), "", "/healthz"),
        (v2("/dev/healthz", context={"domainName": REST_HOST, "stage": "dev"}), "/dev", "/healthz"),
        (v2("/dev", context={"domainName": REST_HOST, "stage": "dev"}), "/dev", "/"),
        (v2("/dev/", context={"domainName": REST_HOST, "stage": "dev"}), "/dev", "/"),
        (v2("/developers", context={"domainName": REST_HOST, "stage": "dev"}), "", "/developers"),
        (v2("/dev/healthz", context={"stage": "dev"}), "", "/dev/healthz"),
        (v2("/x", context={"domainName": REST_HOST, "stage": "$default"}), "", "/x"),
        (function_url("/healthz"), "", "/healthz"),
        (alb("/healthz"), "", "/healthz"),
    ],
)
def test_the_stage_of_a_url_is_the_script_name(
    echo: Echo, event: Event, script_name: str, path: str
) -> None:
    ask(echo, event)
    assert (echo.environ["SCRIPT_NAME"], echo.environ["PATH_INFO"]) == (script_name, path)


def test_a_host_header_makes_no_stage(echo: Echo) -> None:
    request = asked(
        echo, v1(context={"domainName": "api.igloo.example"}, headers={"Host": REST_HOST})
    )
    assert request.META["SCRIPT_NAME"] == ""


# --- Who asks -----------------------------------------------------------------------------------
@pytest.mark.parametrize("trusted_proxies", [0, 1, 2, 10])
@pytest.mark.parametrize(
    "event",
    [
        v2(headers={"x-forwarded-for": f"{LIAR},{CLIENT}"}),
        v2(headers={"x_forwarded_for": LIAR, "X_FORWARDED_FOR": LIAR, "remote_addr": LIAR}),
        v2(headers={"x-forwarded-for": LIAR}),
        v2(headers={"x-forwarded-for": ""}),
        function_url(headers={"X-Forwarded-For": LIAR, "x-forwarded-for": LIAR}),
        v1(headers={"X-Forwarded-For": f"{LIAR}, {CLIENT}, 130.176.1.95"}),
        v1(headers={"X-Forwarded-For": LIAR, "x-forwarded-for": LIAR}),
        v1(headers={"X_Forwarded_For": LIAR}),
        alb(headers={"x-forwarded-for": f"{LIAR}, {CLIENT}"}),
        alb(headers={"x-forwarded-for": f"{LIAR}, {CLIENT}:51234"}),
        alb(headers={"x_forwarded_for": LIAR}),
        alb(lists=True, headers={"x-forwarded-for": f"{LIAR},{CLIENT}"}),
    ],
)
def test_nobody_chooses_the_address_by_which_calls_are_counted(
    echo: Echo, settings: Settings, event: Event, trusted_proxies: int
) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": trusted_proxies}
    request: Any = asked(echo, event)
    assert BaseThrottle().get_ident(request) == CLIENT
    assert request.META["REMOTE_ADDR"] == CLIENT
    assert LIAR not in request.headers["X-Forwarded-For"]


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:51234", "2001:db8::7"),
        (f"{LIAR}, [2001:DB8::7]", "2001:db8::7"),
        # It is told to add none, or to let pass what came.
        ("", ""),
        ("somebody", ""),
        (f"{LIAR}, <script>", ""),
    ],
)
def test_addresses_as_a_load_balancer_writes_them(
    echo: Echo, forwarded_for: str, address: str
) -> None:
    request = asked(echo, alb(headers={"x-forwarded-for": forwarded_for}))
    assert request.META["REMOTE_ADDR"] == address


def test_a_test_of_the_console_has_no_address(echo: Echo) -> None:
    event = v1(headers={}, context={"identity": {"sourceIp": None}}) | {
        "headers": None,
        "multiValueHeaders": None,
    }
    assert asked(echo, event).META["REMOTE_ADDR"] == ""


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [("https", "https"), ("http", "http"), ("http, https", "https"), ("javascript", "https")],
)
def test_the_scheme(echo: Echo, proto: str, scheme: str) -> None:
    request = asked(echo, alb(headers={"x-forwarded-proto": proto, "x_forwarded_proto": "ftp"}))
    assert request.scheme == scheme
    assert request.headers["X-Forwarded-Proto"] == scheme


def test_a_header_with_an_underscore_is_none(echo: Echo) -> None:
    request = asked(echo, v2(headers={"content_type": "text/html", "x_request_id": "forged-id"}))
    assert "X-Request-Id" not in request.headers
    assert request.content_type == ""


# --- What can't be read -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "event",
    [
        {"requestContext": None, "httpMethod": "GET"},
        {"requestContext": ["x"], "httpMethod": "GET", "path": "/"},
        {"rawPath": "/"},
        {"version": "2.0", "rawPath": "/", "requestContext": {}},
        # A WebSocket's.
        {"requestContext": {"connectionId": "L0SM9cOFvHcCIhw=", "eventType": "MESSAGE"}},
        v2(version="3.0"),
        v2(http={"sourceIp": None}),
        v2(http={"method": "GET /admin HTTP/1.1\r\nX: "}),
        v2(http={"method": 7}),
        v2("healthz"),
        v2("https://api.igloo.example/"),
        v2(rawPath=None),
        v2(rawQueryString=["a"]),
        v2(headers={"accept": None}),
        v2(headers={"accept": ["*/*"]}),
        v2() | {"headers": ["accept"]},
        v2(cookies=[1]),
        v2(body={"title": "x"}),
        v2(body="\ud800"),
        v2(headers={"accept": "\ud800"}),
        v2(body="a", isBase64Encoded=True),
        v2(body="한글한글", isBase64Encoded=True),
        v2(body="YQ==\nYQ==!", isBase64Encoded=True),
        v1(multiValueQueryStringParameters=["a"]),
        v1() | {"multiValueHeaders": {"Accept": [None]}},
        v1(context={"identity": "x"}),
    ],
)
def test_a_malformed_event_raises_what_the_handler_expects(event: Event) -> None:
    assert is_http(event)
    with pytest.raises((AttributeError, LookupError, TypeError, ValueError)):
        read_request(event)


@pytest.mark.parametrize("event", [None, [], "GET /", 7, {}, {"Records": []}, {"version": "2.0"}])
def test_what_is_no_http_event(event: Any) -> None:
    assert not is_http(event)


# --- Out ----------------------------------------------------------------------------------------
COOKIES = ["a=1; Path=/; HttpOnly", "b=2; Path=/"]


def with_cookies(echo: Echo) -> None:
    echo.status = "201 Created"
    echo.headers += [("Set-Cookie", cookie) for cookie in COOKIES] + [("X-Request-Id", "i")]
    echo.body = '{"제목": 1}'.encode()


@pytest.mark.parametrize("make", [v2, function_url])
def test_an_answer_for_version_2(echo: Echo, make: Make) -> None:
    with_cookies(echo)
    assert ask(echo, make()) == {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-request-id": "i"},
        "cookies": COOKIES,
        "body": '{"제목": 1}',
        "isBase64Encoded": False,
    }


def test_an_answer_for_version_1(echo: Echo) -> None:
    with_cookies(echo)
    lists = {
        "content-type": ["application/json"],
        "x-request-id": ["i"],
        "set-cookie": COOKIES,
    }
    answer = {
        "statusCode": 201,
        "multiValueHeaders": lists,
        "body": '{"제목": 1}',
        "isBase64Encoded": False,
    }
    assert ask(echo, v1()) == answer
    assert ask(echo, alb(lists=True)) == answer | {"statusDescription": "201 Created"}


def test_an_answer_for_a_load_balancer_with_single_values(echo: Echo) -> None:
    with_cookies(echo)
    answer = ask(echo, alb())
    assert set(answer) == {
        *("statusCode", "statusDescription", "headers", "body", "isBase64Encoded")
    }
    cookies = {
        name: value for name, value in answer["headers"].items() if name.lower() == "set-cookie"
    }
    assert list(cookies.values()) == COOKIES


def test_many_cookies_for_a_load_balancer_with_single_values(echo: Echo) -> None:
    echo.headers += [("Set-Cookie", f"c{number}={number}") for number in range(40)]
    headers = ask(echo, alb())["headers"]
    assert [v for n, v in headers.items() if n.lower() == "set-cookie"] == [
        f"c{number}={number}" for number in range(40)
    ]


@KINDS
def test_a_binary_answer(echo: Echo, make: Make) -> None:
    echo.headers = [("Content-Type", "image/webp")]
    echo.body = bytes(range(256))
    answer = ask(echo, make())
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == echo.body
