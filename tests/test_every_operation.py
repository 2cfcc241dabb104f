"""What the conventions promise of every operation, tried on every operation of the document."""

import datetime as dt
import re
from typing import Any

import jwt
import pytest
from django.db import DatabaseError, OperationalError, connection

from apps.common.models import IdempotencyKey
from apps.members.models import DeviceSession
from apps.members.tokens import issue_access_token
from tests.builders import ApiClient, make_member
from tests.common.test_problems import assert_problem
from tests.openapi import document
from tests.test_roles import TABLE, World

# One call of each operation, by the member it belongs to.
CALLS: dict[tuple[str, str], tuple[str, Any]] = {}
for _method, _route, _path, _body, _statuses in TABLE:
    CALLS.setdefault((_method, _route), (_path, _body))


def codes(method: str, route: str, status: int) -> set[str]:
    """What the document says that an operation may answer with this status."""
    answers = document()["paths"][f"/api/v1{route}"][method.lower()]["responses"]
    found: set[str] = set()
    for content in answers.get(str(status), {}).get("content", {}).values():
        found |= {example["value"].get("code", "") for example in content["examples"].values()}
    return found


def operations(status: int, code: str) -> list[Any]:
    """The operations that document this answer."""
    return [
        pytest.param(method, route, id=f"{method} {route}")
        for method, route in CALLS
        if code in codes(method, route, status)
    ]


class Caller:
    """Makes an operation's call as the owner of what it is about, with changes."""

    def __init__(self) -> None:
        self.world = World(make_member("theowner"))
        self.client = ApiClient(self.world.owner)

    def request(self, method: str, route: str) -> tuple[str, Any]:
        """The path and the body, all that they name made."""
        path, body = CALLS[method, route]
        return self.world.fill(path), self.world.fill(body)

    def __call__(
        self, method: str, route: str, *, client: ApiClient | None = None, **changes: Any
    ) -> Any:
        """The answer. `path`, `body` or `data` (bytes) replace what the table has."""
        path, body = self.request(method, route)
        path, body = changes.pop("path", path), changes.pop("body", body)
        client = client or self.client
        if "data" in changes:
            return client.generic(method, path, **changes)
        return getattr(client, method.lower())(path, body, format="json", **changes)


@pytest.fixture
def call(db: None) -> Caller:
    """Makes calls."""
    return Caller()


def with_query(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


def no_token() -> ApiClient:
    return ApiClient()


def with_token(token: str) -> ApiClient:
    client = ApiClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.mark.parametrize(("method", "route"), operations(401, "not_authenticated"))
def test_no_token(call: Caller, method: str, route: str) -> None:
    assert_problem(call(method, route, client=no_token()), 401, "not_authenticated")


@pytest.mark.parametrize(("method", "route"), operations(401, "token_invalid"))
def test_a_forged_token(call: Caller, method: str, route: str) -> None:
    now = dt.datetime.now(dt.UTC)
    claims = {"iss": "igloo", "sub": "x", "sid": "x", "iat": now, "exp": now}
    forged = jwt.encode(claims, "k" * 32, algorithm="HS256")
    response = call(method, route, client=with_token(forged))
    assert_problem(response, 401, "token_invalid")


@pytest.mark.parametrize(("method", "route"), operations(401, "token_expired"))
def test_an_expired_token(call: Caller, settings: Any, method: str, route: str) -> None:
    settings.ACCESS_TOKEN_SECONDS = -1
    session = DeviceSession.objects.latest("id")
    token = issue_access_token(member_id=session.member_id, session_id=session.pk)
    assert_problem(call(method, route, client=with_token(token)), 401, "token_expired")


@pytest.mark.parametrize(("method", "route"), operations(413, "body_too_large"))
def test_a_body_over_1_mib(call: Caller, method: str, route: str) -> None:
    assert_problem(call(method, route, data=b"x" * 1_048_577), 413, "body_too_large")


@pytest.mark.parametrize(("method", "route"), operations(411, "length_required"))
def test_a_body_in_chunks(call: Caller, method: str, route: str) -> None:
    response = call(method, route, data=b"", HTTP_TRANSFER_ENCODING="chunked")
    assert_problem(response, 411, "length_required")


@pytest.mark.parametrize(("method", "route"), operations(400, "bad_request"))
def test_a_length_that_is_no_number(call: Caller, method: str, route: str) -> None:
    assert_problem(call(method, route, data=b"", CONTENT_LENGTH="x"), 400, "bad_request")


@pytest.mark.parametrize(("method", "route"), operations(400, "malformed_json"))
def test_malformed_json(call: Caller, method: str, route: str) -> None:
    response = call(method, route, data=b'{"a"', content_type="application/json")
    assert_problem(response, 400, "malformed_json")


@pytest.mark.parametrize(("method", "route"), operations(415, "unsupported_media_type"))
def test_a_body_of_another_type(call: Caller, method: str, route: str) -> None:
    response = call(method, route, data=b"a=1", content_type="application/x-www-form-urlencoded")
    assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(("method", "route"), operations(400, "invalid_input"))
def test_input_that_is_not_acceptable(call: Caller, method: str, route: str) -> None:
    if method == "GET":
        path, _body = call.request(method, route)
        response = call(method, route, path=with_query(path, "limit=none"))
    else:
        response = call(method, route, data=b"[]", content_type="application/json")
    problem = assert_problem(response, 400, "invalid_input")
    assert all(error["code"] and error["detail"] for error in problem["errors"])


@pytest.mark.parametrize(("method", "route"), operations(400, "invalid_cursor"))
def test_a_cursor_that_was_made_up(call: Caller, method: str, route: str) -> None:
    path, _body = call.request(method, route)
    response = call(method, route, path=with_query(path, "cursor=made.up"))
    assert_problem(response, 400, "invalid_cursor")


@pytest.mark.parametrize(("method", "route"), operations(404, "not_found"))
def test_an_id_that_is_nobodys(call: Caller, method: str, route: str) -> None:
    path = re.sub(r"\{\w+\}", "00000000-0000-7000-8000-000000000000", route)
    assert_problem(call(method, route, path=path), 404, "not_found")


@pytest.mark.parametrize(("method", "route"), operations(412, "stale"))
def test_an_etag_that_was_never_given_out(call: Caller, method: str, route: str) -> None:
    response = call(method, route, headers={"If-Match": '"99-x"'})
    assert_problem(response, 412, "stale")


@pytest.mark.parametrize(("method", "route"), operations(429, "throttled"))
def test_too_many_calls(call: Caller, settings: Any, method: str, route: str) -> None:
    settings.THROTTLE_RATES = dict.fromkeys(settings.THROTTLE_RATES, (0, 60))
    response = call(method, route)
    assert_problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60


@pytest.mark.parametrize(("method", "route"), operations(400, "invalid_idempotency_key"))
def test_an_idempotency_key_of_another_form(call: Caller, method: str, route: str) -> None:
    response = call(method, route, headers={"Idempotency-Key": "k" * 256})
    assert_problem(response, 400, "invalid_idempotency_key")


@pytest.mark.parametrize(("method", "route"), operations(409, "idempotency_key_reused"))
def test_an_idempotency_key_of_another_request(call: Caller, method: str, route: str) -> None:
    path, body = call.request(method, route)
    key = {"Idempotency-Key": "first"}
    first = call(method, route, path=path, body=body, headers=key)
    again = call(method, route, path=path, body=body, headers=key)
    assert first.status_code == again.status_code
    assert first.status_code in (201, 202)
    assert again["Idempotency-Replayed"] == "true"
    other = {name: f"{value}1" for name, value in body.items()} if body else {"another": "1"}
    response = call(method, route, path=path, body=other, headers=key)
    assert_problem(response, 409, "idempotency_key_reused")


@pytest.mark.parametrize(("method", "route"), operations(409, "idempotency_in_progress"))
def test_a_request_whose_twin_is_still_running(call: Caller, method: str, route: str) -> None:
    path, body = call.request(method, route)
    key = {"Idempotency-Key": "first"}
    call(method, route, path=path, body=body, headers=key)
    IdempotencyKey.objects.update(status=None, answer=None)
    response = call(method, route, path=path, body=body, headers=key)
    assert_problem(response, 409, "idempotency_in_progress")


ASKED_AGAIN = operations(409, "consent_required")
REFUSED = {tuple(case.values) for case in ASKED_AGAIN}


@pytest.mark.parametrize(("method", "route"), ASKED_AGAIN)
def test_a_text_that_changed(call: Caller, settings: Any, method: str, route: str) -> None:
    path, body = call.request(method, route)
    settings.CONSENT_VERSIONS = settings.CONSENT_VERSIONS | {"privacy": "2099-01-01"}
    response = getattr(call.client, method.lower())(path, body, format="json")
    problem = assert_problem(response, 409, "consent_required")
    assert problem["missing"] == [{"kind": "privacy", "version": "2099-01-01"}]


@pytest.mark.parametrize(
    ("method", "route"),
    [pytest.param(*key, id=" ".join(key)) for key in CALLS if key not in REFUSED],
)
def test_what_goes_on_while_a_text_asks_again(
    call: Caller, settings: Any, method: str, route: str
) -> None:
    path, body = call.request(method, route)
    settings.CONSENT_VERSIONS = settings.CONSENT_VERSIONS | {"privacy": "2099-01-01"}
    response = getattr(call.client, method.lower())(path, body, format="json")
    # The caller has no address: their own refusals come as ever.
    is_own = response.status_code == 409 and response.json()["code"] == "email_missing"
    assert response.status_code < 300 or is_own, response.content


GETS = [pytest.param(*key, id=key[1]) for key in CALLS if key[0] == "GET"]


@pytest.mark.parametrize(("method", "route"), GETS)
def test_a_read_that_did_not_change(call: Caller, method: str, route: str) -> None:
    path, _body = call.request(method, route)
    etag = call(method, route, path=path)["ETag"]
    again = call(method, route, path=path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


# It answers from the settings alone.
ALWAYS = {("GET", "/app-config")}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("server closed the connection"), 503, "database_unavailable"),
        (DatabaseError("server closed the connection"), 503, "database_unavailable"),
        (RuntimeError("a fault of ours"), 500, "server_error"),
    ],
    ids=["database away", "connection cut", "fault"],
)
@pytest.mark.parametrize(
    ("method", "route"),
    [pytest.param(*key, id=" ".join(key)) for key in CALLS if key not in ALWAYS],
)
def test_a_query_that_fails(
    call: Caller, method: str, route: str, error: Exception, status: int, code: str
) -> None:
    path, body = call.request(method, route)
    if route == "/auth/username-available":
        path = path.replace("username=x", "username=somebody")

    def fail(*_arguments: Any) -> None:
        raise error

    with connection.execute_wrapper(fail):
        response = getattr(call.client, method.lower())(path, body, format="json")
    problem = assert_problem(response, status, code)
    assert str(error) not in str(problem)
