"""What is tried by hand and not in an app: a login as a provider's SDK gives it to an app, and the
calls of a provider to igloo's webhooks."""

import base64
import hmac
import http.client
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

from igloo.laptop.providers.world import ISSUERS, PEOPLE, PROVIDERS, Person, World

Query = Mapping[str, str]
Reply = tuple[int, Any]

# Whom igloo has a webhook for.
TELLING = ("kakao", "apple", "facebook")
PATHS = {f"/{provider}/sdk" for provider in PROVIDERS} | {
    f"/{provider}/notice" for provider in TELLING
}
# Seconds that igloo may take to answer; Kakao gives 3.
_PATIENCE = 10


def answer(world: World, path: str, query: Query) -> Reply:
    """What a POST to one of PATHS gives; `person` is a number from 0."""
    _, provider, what = path.split("/")
    number = query.get("person", "0")
    if not (number.isascii() and number.isdigit() and int(number) < len(PEOPLE)):
        return 400, {"error": f"person is a number from 0 to {len(PEOPLE) - 1}"}
    person = PEOPLE[int(number)]
    if what == "sdk":
        return 200, _login(world, provider, person, query.get("nonce", ""))
    return _notice(world, provider, person)


def _login(world: World, provider: str, person: Person, nonce: str) -> dict[str, str]:
    """What igloo is to be sent: an id token, Apple's with a code; Naver has a code alone."""
    login = world.login(provider, person, nonce=nonce, state=nonce)
    found = {} if provider == "naver" else {"id_token": world.id_token(login)}
    if provider in ("apple", "naver"):
        found["code"] = world.code(login)
    return found | ({"nonce": nonce} if nonce else {})


def _notice(world: World, provider: str, person: Person) -> Reply:
    """Tell igloo that somebody wants to have nothing to do with it any more."""
    subject = person.subject(provider)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    match provider:
        case "kakao":
            headers["Authorization"] = f"KakaoAK {world.values['KAKAO_ADMIN_KEY']}"
            form = {
                "app_id": world.values["KAKAO_APP_ID"],
                "user_id": subject,
                "referrer_type": "UNLINK_FROM_APPS",
            }
            body = urlencode(form)
        case "apple":
            headers["Content-Type"] = "application/json"
            body = json.dumps({"payload": _apple_payload(world, subject)})
        case _:
            body = urlencode({"signed_request": _signed_request(world, subject)})
    igloo = urlsplit(world.values["PUBLIC_BASE_URL"])
    connection = http.client.HTTPConnection(igloo.hostname or "", igloo.port, timeout=_PATIENCE)
    try:
        connection.request("POST", f"/webhooks/{provider}", body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except OSError as error:
        return 502, {"error": f"igloo does not answer: {error}"}
    finally:
        connection.close()
    return 200, {"igloo_answered": response.status, "with": text}


def _apple_payload(world: World, subject: str) -> str:
    now = int(time.time())
    event = {"type": "consent-revoked", "sub": subject, "event_time": now * 1000}
    claims = {
        "iss": ISSUERS["apple"],
        "aud": world.client_id("apple"),
        "iat": now,
        "jti": secrets.token_urlsafe(16),
        "events": json.dumps(event),
    }
    key = world.keys["apple"][-1]
    return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.id})


def _signed_request(world: World, subject: str) -> str:
    data = {"algorithm": "HMAC-SHA256", "issued_at": int(time.time()), "user_id": subject}
    payload = _base64url(json.dumps(data).encode())
    secret = world.values["FACEBOOK_APP_SECRET"].encode()
    return f"{_base64url(hmac.digest(secret, payload.encode(), 'sha256'))}.{payload}"


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
