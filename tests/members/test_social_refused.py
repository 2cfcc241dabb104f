"""What must log nobody in, beside forged tokens: others' tokens and codes, no body.

Mere ids, and addresses of accounts, are in test_attacks_social.py.
"""

from typing import Any

import pytest

from igloo.laptop.providers import server
from igloo.laptop.providers.world import World
from tests.builders import ApiClient
from tests.members.social import (
    JUN,
    MINJI,
    NEW_MEMBER,
    Unchanged,
    assert_refused,
    code_login,
    id_token_login,
    join,
    log_in,
    new_nonce,
    token_login,
)


# --- Access tokens and codes --------------------------------------------------------------------
@pytest.mark.parametrize("provider", ["kakao", "facebook"])
@pytest.mark.parametrize("change", [{"app_id": "999"}, {"expires_at": 0}])
def test_an_access_token_for_another_app_or_expired(
    anonymous: ApiClient, providers: World, provider: str, change: dict[str, Any]
) -> None:
    join(anonymous, providers, provider)
    body = token_login(anonymous, providers, provider, **change)
    with Unchanged():
        response = log_in(anonymous, provider, **body, **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")


@pytest.mark.parametrize("provider", ["kakao", "facebook"])
def test_an_access_token_of_nobody(anonymous: ApiClient, providers: World, provider: str) -> None:
    with Unchanged():
        response = log_in(anonymous, provider, access_token="made-up")
        assert_refused(response, 401, "social_token_invalid")


def test_an_access_token_that_turns_into_somebody_elses(
    anonymous: ApiClient, providers: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kakao's two answers must name the same person."""
    monkeypatch.setattr(server, "_kakao_me", lambda *_: (200, {"id": int(JUN.subject("kakao"))}))
    with Unchanged():
        response = log_in(anonymous, "kakao", **token_login(anonymous, providers, "kakao"))
        assert_refused(response, 401, "social_token_invalid")


@pytest.mark.parametrize("provider", ["kakao", "apple", "naver"])
@pytest.mark.parametrize("change", ["made up", "of another app", "of another login", "no nonce"])
def test_a_code_that_is_not_of_this_login(
    anonymous: ApiClient, providers: World, provider: str, change: str
) -> None:
    body = code_login(anonymous, providers, provider)
    status, code = 401, "social_token_invalid"
    match change:
        case "made up":
            body["code"] = "made-up"
        case "of another app":
            login = providers.login(provider, MINJI, client_id="other", nonce=body["nonce"])
            body["code"] = providers.code(login)
        case "of another login":
            # Stolen: somebody else's code with a nonce of one's own.
            body["nonce"] = new_nonce(anonymous)
        case _:
            del body["nonce"]
            status, code = 400, "invalid_input"
    with Unchanged():
        assert_refused(log_in(anonymous, provider, **body, **NEW_MEMBER), status, code)


def test_naver_and_google_take_no_access_token(anonymous: ApiClient, providers: World) -> None:
    for provider in ("naver", "google", "apple"):
        login = providers.login(provider, MINJI)
        with Unchanged():
            response = log_in(anonymous, provider, access_token=providers.access_token(login))
            problem = assert_refused(response, 400, "invalid_input")
        assert problem["errors"][0]["pointer"] == "/access_token"


def test_apples_code_of_somebody_else_beside_an_id_token(
    anonymous: ApiClient, providers: World
) -> None:
    body = id_token_login(anonymous, providers, "apple")
    body["code"] = providers.code(providers.login("apple", JUN, nonce=body["nonce"]))
    with Unchanged():
        response = log_in(anonymous, "apple", **body, **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")


# --- The body -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "value",
    ["a b", "a\r\nX-Evil: 1", "토큰", "\0", "a\u2028", "", " ", "x" * 8193, 5, None, ["x"], {}],
)
@pytest.mark.parametrize("field", ["id_token", "access_token", "code", "nonce", "social_ticket"])
def test_what_can_not_stand_in_a_header(
    anonymous: ApiClient, providers: World, field: str, value: Any
) -> None:
    if value == 5:
        value = True
    sent = {"id_token": "x", field: value} if field == "nonce" else {field: value}
    with Unchanged():
        problem = assert_refused(log_in(anonymous, "kakao", **sent), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == f"/{field}"
    assert providers.calls == []


@pytest.mark.parametrize(
    "sent",
    [
        {"id_token": "a", "access_token": "b"},
        {"code": "a", "access_token": "b"},
        {"id_token": "a", "social_ticket": "b"},
        {"id_token": "a", "access_token": "b", "code": "c"},
    ],
)
def test_two_proofs_at_once(anonymous: ApiClient, providers: World, sent: dict[str, str]) -> None:
    with Unchanged():
        assert_refused(log_in(anonymous, "kakao", **sent), 400, "invalid_input")


def test_kakao_takes_no_code_beside_an_id_token(anonymous: ApiClient, providers: World) -> None:
    body = id_token_login(anonymous, providers, "kakao") | {"code": "x"}
    with Unchanged():
        problem = assert_refused(log_in(anonymous, "kakao", **body), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/code"


@pytest.mark.parametrize("provider", ["", "KAKAO", "line", "kakao%00", "..%2Fkakao", "kakao/x"])
def test_a_provider_there_is_none_of(anonymous: ApiClient, providers: World, provider: str) -> None:
    with Unchanged():
        assert_refused(log_in(anonymous, provider, id_token="x"), 404, "not_found")
