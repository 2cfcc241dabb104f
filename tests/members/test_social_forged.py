"""What must log nobody in: each row is a forged thing sent over HTTP, and changes nothing."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from igloo.laptop.providers.world import SigningKey, World
from tests.builders import ApiClient
from tests.members.social import (
    JUN,
    MINJI,
    NEW_MEMBER,
    Unchanged,
    assert_refused,
    id_token_login,
    join,
    log_in,
    new_nonce,
)

OWN_KEY = SigningKey()
ID_TOKEN_PROVIDERS = ["kakao", "apple", "google", "facebook"]


def parts(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def hand_made(header: Any, claims: Any, signature: str = "") -> str:
    return f"{parts(header)}.{parts(claims)}.{signature}"


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def unsigned(providers: World, provider: str, token: str) -> str:
    kid = providers.keys[provider][0].id
    return hand_made({"alg": "none", "typ": "JWT", "kid": kid}, claims_of(token))


def hmac_with_the_public_key(providers: World, provider: str, token: str) -> str:
    """The published key, which everybody has, as the secret of HS256."""
    key = providers.keys[provider][0]
    signed = hand_made({"alg": "HS256", "typ": "JWT", "kid": key.id}, claims_of(token))[:-1]
    digest = hmac.new(key.public_pem(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def other_payload(providers: World, provider: str, token: str) -> str:
    header, _payload, signature = token.split(".")
    return f"{header}.{parts(claims_of(token) | {'sub': JUN.subject(provider)})}.{signature}"


def other_algorithm(providers: World, provider: str, token: str) -> str:
    key = providers.keys[provider][0]
    return jwt.encode(claims_of(token), key.private, algorithm="RS512", headers={"kid": key.id})


def own_key_in_header(providers: World, provider: str, token: str) -> str:
    headers = {"kid": OWN_KEY.id, "jwk": OWN_KEY.jwk(), "jku": "https://evil.example/keys"}
    return jwt.encode(claims_of(token), OWN_KEY.private, algorithm="RS256", headers=headers)


def own_key_under_their_id(providers: World, provider: str, token: str) -> str:
    headers = {"kid": providers.keys[provider][0].id}
    return jwt.encode(claims_of(token), OWN_KEY.private, algorithm="RS256", headers=headers)


def no_key_id(providers: World, provider: str, token: str) -> str:
    return jwt.encode(claims_of(token), providers.keys[provider][0].private, algorithm="RS256")


def critical_header(providers: World, provider: str, token: str) -> str:
    key = providers.keys[provider][0]
    headers = {"kid": key.id, "crit": ["exp"], "exp": 1}
    return jwt.encode(claims_of(token), key.private, algorithm="RS256", headers=headers)


# Tokens that somebody without the provider's key made, or changed.
FORGERS: list[Callable[[World, str, str], str]] = [
    unsigned,
    hmac_with_the_public_key,
    other_payload,
    other_algorithm,
    own_key_in_header,
    own_key_under_their_id,
    no_key_id,
    critical_header,
]


@pytest.mark.parametrize("provider", ID_TOKEN_PROVIDERS)
@pytest.mark.parametrize("forge", FORGERS, ids=lambda forge: forge.__name__)
def test_a_token_that_the_provider_did_not_sign(
    anonymous: ApiClient, providers: World, provider: str, forge: Callable[..., str]
) -> None:
    join(anonymous, providers, provider)
    body = id_token_login(anonymous, providers, provider)
    body["id_token"] = forge(providers, provider, body["id_token"])
    with Unchanged():
        response = log_in(anonymous, provider, **body, **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")


NOW = int(time.time())
# Tokens that the provider did sign: for others, at other times.
SIGNED = {
    "for another app": {"aud": "com.example.other"},
    "for us and another app": {"aud": ["ours", "com.example.other"]},
    "for nobody": {"aud": None},
    "for a part of our id": {"aud": "com.example"},
    "expired": {"iat": NOW - 7200, "exp": NOW - 60},
    "without an end": {"exp": None},
    "from the future": {"iat": NOW + 3600, "exp": NOW + 7200},
    "of another issuer": {"iss": "https://accounts.example.com"},
    "of an issuer that begins like ours": {"iss": "https://kauth.kakao.com.evil.example"},
    "of no issuer": {"iss": None},
    "of nobody": {"sub": None},
    "of an empty id": {"sub": ""},
    "of an id that is none": {"sub": "a b\0"},
    "of an id too long": {"sub": "1" * 300},
    "of a number": {"sub": 5},
    "with another nonce": {"nonce": "x" * 43},
    "with a nonce that is none": {"nonce": 5},
    "with half a character for a nonce": {"nonce": "\ud800"},
}


@pytest.mark.parametrize("provider", ID_TOKEN_PROVIDERS)
@pytest.mark.parametrize("name", SIGNED)
def test_a_token_that_is_not_for_this_login(
    anonymous: ApiClient, providers: World, provider: str, name: str
) -> None:
    join(anonymous, providers, provider)
    claims = dict(SIGNED[name])
    if name == "for us and another app":
        claims["aud"] = [providers.client_id(provider), "com.example.other"]
    body = id_token_login(anonymous, providers, provider, **claims)
    with Unchanged():
        response = log_in(anonymous, provider, **body, **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")


@pytest.mark.parametrize("provider", ID_TOKEN_PROVIDERS)
def test_a_token_of_another_provider(anonymous: ApiClient, providers: World, provider: str) -> None:
    other = "google" if provider != "google" else "apple"
    body = id_token_login(anonymous, providers, other)
    body.pop("code", None)
    with Unchanged():
        assert_refused(log_in(anonymous, provider, **body), 401, "social_token_invalid")


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b.c",
        "..",
        "." * 5000,
        parts({"alg": "RS256"}) + "..",
        hand_made({"alg": "RS256", "kid": 5}, {}),
        hand_made({"alg": "RS256", "kid": ""}, {}),
        hand_made({"alg": "RS256", "kid": "x" * 3000}, {}),
        hand_made([], {}),
        hand_made({"alg": ["RS256"], "kid": "x"}, {}),
        base64.urlsafe_b64encode(b"[" * 5900).decode() + ".e30.x",
        base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"\\u0000"}').decode() + ".e30.x",
        base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"\\ud800"}').decode() + ".e30.x",
        base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".e30.x",
    ],
    ids=range(14),
)
def test_what_is_no_token(anonymous: ApiClient, providers: World, token: str) -> None:
    nonce = new_nonce(anonymous)
    with Unchanged():
        response = log_in(anonymous, "apple", id_token=token, nonce=nonce)
        assert_refused(response, 401, "social_token_invalid")


@pytest.mark.parametrize("provider", ID_TOKEN_PROVIDERS)
def test_a_nonce_that_was_used(anonymous: ApiClient, providers: World, provider: str) -> None:
    body = id_token_login(anonymous, providers, provider)
    assert log_in(anonymous, provider, **body, **NEW_MEMBER).status_code == 201
    login = providers.login(provider, MINJI, nonce=body["nonce"])
    with Unchanged():
        # Signed anew, with the nonce of before.
        again = {"id_token": providers.id_token(login), "nonce": body["nonce"]}
        assert_refused(log_in(anonymous, provider, **again), 401, "nonce_invalid")


@pytest.mark.parametrize("provider", ID_TOKEN_PROVIDERS)
def test_a_nonce_that_nobody_gave_out(
    anonymous: ApiClient, providers: World, provider: str
) -> None:
    login = providers.login(provider, MINJI, nonce="n" * 43)
    with Unchanged():
        body = {"id_token": providers.id_token(login), "nonce": "n" * 43}
        assert_refused(log_in(anonymous, provider, **body, **NEW_MEMBER), 401, "nonce_invalid")
    assert providers.calls == []


def test_a_nonce_that_is_too_old(anonymous: ApiClient, providers: World, settings: Any) -> None:
    settings.SOCIAL_NONCE_SECONDS = -1
    body = id_token_login(anonymous, providers, "kakao")
    with Unchanged():
        assert_refused(log_in(anonymous, "kakao", **body), 401, "nonce_invalid")


@pytest.mark.parametrize("provider", ["kakao", "apple", "facebook"])
def test_an_id_token_without_its_nonce(
    anonymous: ApiClient, providers: World, provider: str
) -> None:
    body = id_token_login(anonymous, providers, provider)
    with Unchanged():
        response = log_in(anonymous, provider, id_token=body["id_token"])
        problem = assert_refused(response, 400, "invalid_input")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/nonce", "required")]
    token = providers.id_token(providers.login(provider, MINJI))
    with Unchanged():
        # Nor does one of ours stand for a token without any.
        response = log_in(anonymous, provider, id_token=token, nonce=body["nonce"])
        assert_refused(response, 401, "social_token_invalid")


def test_googles_nonce_is_checked_where_either_side_has_one(
    anonymous: ApiClient, providers: World
) -> None:
    nonce = new_nonce(anonymous)
    without = providers.id_token(providers.login("google", MINJI))
    with_one = providers.id_token(providers.login("google", MINJI, nonce=nonce))
    with Unchanged():
        response = log_in(anonymous, "google", id_token=without, nonce=nonce, **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")
        response = log_in(anonymous, "google", id_token=with_one, **NEW_MEMBER)
        assert_refused(response, 400, "invalid_input")
    assert log_in(anonymous, "google", id_token=without, **NEW_MEMBER).status_code == 201
    with Unchanged():
        response = log_in(anonymous, "google", id_token=without)
        assert_refused(response, 401, "social_token_used")


@pytest.mark.parametrize("provider", ID_TOKEN_PROVIDERS)
def test_the_nonce_may_be_hashed(anonymous: ApiClient, providers: World, provider: str) -> None:
    nonce = new_nonce(anonymous)
    hashed = hashlib.sha256(nonce.encode()).hexdigest()
    login = providers.login(provider, MINJI, nonce=hashed)
    token = providers.id_token(login)
    body = {"id_token": token, "nonce": nonce} | NEW_MEMBER
    if provider == "apple":
        body["code"] = providers.code(login)
    assert log_in(anonymous, provider, **body).status_code == 201
    with Unchanged():
        # Who saw the token knows the hash alone.
        response = log_in(anonymous, provider, id_token=token, nonce=hashed)
        assert_refused(response, 401, "nonce_invalid")
