"""What providers send to the webhooks."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
from django.test import Client

from apps.members.models import ProviderNotice
from igloo.laptop.providers.world import SigningKey, World
from tests.members.social import MINJI, Unchanged

SUBJECTS = {provider: MINJI.subject(provider) for provider in ("apple", "kakao", "facebook")}


def apple_notice(
    providers: World,
    kind: str = "consent-revoked",
    *,
    key: SigningKey | None = None,
    **changes: Any,
) -> str:
    now = int(time.time())
    event = {"type": kind, "sub": SUBJECTS["apple"], "event_time": now * 1000}
    event |= changes.pop("event", {})
    claims = {
        "iss": "https://appleid.apple.com",
        "aud": "com.example.igloo",
        "iat": now,
        "jti": "notice-1",
        "events": json.dumps(event),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    key = key or providers.keys["apple"][0]
    return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.id})


def send_apple(client: Client, payload: Any) -> Any:
    return client.post("/webhooks/apple", {"payload": payload}, content_type="application/json")


def send_kakao(client: Client, *, key: str = "demo-kakao-admin", **changes: str) -> Any:
    form = {
        "app_id": "1234567",
        "user_id": SUBJECTS["kakao"],
        "referrer_type": "UNLINK_FROM_APPS",
    } | changes
    return client.post("/webhooks/kakao", form, headers={"Authorization": f"KakaoAK {key}"})


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def signed_request(secret: bytes = b"demo-facebook-secret", **changes: Any) -> str:
    data = {
        "algorithm": "HMAC-SHA256",
        "issued_at": int(time.time()),
        "user_id": SUBJECTS["facebook"],
    } | changes
    payload = encoded(json.dumps(data).encode())
    return f"{encoded(hmac.digest(secret, payload.encode(), 'sha256'))}.{payload}"


def send_facebook(client: Client, request: str) -> Any:
    return client.post("/webhooks/facebook", {"signed_request": request})


def send(client: Client, providers: World, provider: str, **changes: Any) -> Any:
    """A notice as the provider sends it; `changes` are of Facebook's."""
    match provider:
        case "apple":
            return send_apple(client, apple_notice(providers))
        case "kakao":
            return send_kakao(client)
    return send_facebook(client, signed_request(**changes))


class NothingHappens(Unchanged):
    """Nor is any notice kept."""

    def __enter__(self) -> "NothingHappens":
        self.notices = list(ProviderNotice.objects.values_list())
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if error[0] is None:
            assert list(ProviderNotice.objects.values_list()) == self.notices
