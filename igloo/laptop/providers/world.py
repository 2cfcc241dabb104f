"""What the stand-ins know: apps, people, keys, and what was given out."""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PROVIDERS = ("kakao", "apple", "google", "facebook", "naver")
ISSUERS = {
    "kakao": "https://kauth.kakao.com",
    "apple": "https://appleid.apple.com",
    "google": "https://accounts.google.com",
    "facebook": "https://limited.facebook.com",
}
# Seconds.
CODE_SECONDS, TOKEN_SECONDS = 300, 3600


@dataclass(frozen=True)
class Person:
    """Somebody with an account at each provider."""

    name: str
    email: str

    def subject(self, provider: str) -> str:
        """The provider's id of them, in its own form."""
        digest = hashlib.sha256(f"{provider} {self.email}".encode()).digest()
        number = int.from_bytes(digest[:8], "big")
        match provider:
            case "kakao":
                return str(1_000_000_000 + number % 3_000_000_000)
            case "apple":
                return f"{number % 1_000_000:06}.{digest.hex()[:32]}.{number % 10_000:04}"
            case "naver":
                return base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return str(100_000_000_000_000_000 + number % 900_000_000_000_000_000)


PEOPLE = (
    Person("민지", "minji@example.com"),
    Person("Jun Park", "jun@example.com"),
    Person("하늘", "haneul@example.com"),
)


@dataclass(frozen=True)
class Login:
    """Somebody who agreed to log in to an app."""

    provider: str
    person: Person
    client_id: str
    nonce: str = ""
    state: str = ""
    redirect_uri: str = ""
    code_challenge: str = ""
    # Of the app that it is for: Kakao's and Facebook's number.
    app_id: str = ""
    expires_at: float = field(default_factory=lambda: time.time() + TOKEN_SECONDS)


class SigningKey:
    """An RSA key with an id."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self) -> dict[str, Any]:
        """Its public half, as a provider publishes it."""
        found = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return found | {"kid": self.id, "use": "sig", "alg": "RS256"}

    def public_pem(self) -> bytes:
        """Its public half, as PEM."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def challenge_of(verifier: str) -> str:
    """The `S256` code challenge of a verifier: RFC 7636, 4.2."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def make_apple_key() -> str:
    """A key as Apple lets developers download one, PEM."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


class World:
    """All of it, in memory. `values` are the settings of the app that logs people in."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.keys = {provider: [SigningKey()] for provider in ISSUERS}
        self.codes: dict[str, Login] = {}
        self.access_tokens: dict[str, Login] = {}
        self.refresh_tokens: dict[str, Login] = {}
        # Who has ended it: `kakao <subject>`, or a refresh token of Apple's.
        self.ended: list[str] = []
        # Each call, as `GET /kakao/kauth/.well-known/jwks.json`.
        self.calls: list[str] = []
        # Of these nothing comes but 500.
        self.down: set[str] = set()

    def rotate(self, provider: str) -> None:
        """Sign with another key from now on, and publish that one alone."""
        self.keys[provider] = [SigningKey()]

    def client_id(self, provider: str) -> str:
        """The app's id at the provider."""
        names = {
            "kakao": "KAKAO_REST_KEY",
            "apple": "APPLE_CLIENT_IDS",
            "google": "GOOGLE_CLIENT_IDS",
            "facebook": "FACEBOOK_APP_ID",
            "naver": "NAVER_CLIENT_ID",
        }
        return self.values[names[provider]].partition(",")[0]

    def client_ids(self, provider: str, kind: str) -> set[str]:
        """Whom a login is for that brings back a `code`, or an `id_token`."""
        on_the_web = {"apple": "APPLE_SERVICES_ID", "google": "GOOGLE_WEB_CLIENT_ID"}
        if kind == "code" and provider in on_the_web:
            return {self.values[on_the_web[provider]]}
        return {self.client_id(provider)}

    def knows_redirect(self, provider: str, redirect_uri: str) -> bool:
        """Whether the app's developers have registered this address."""
        ours = self.values["PUBLIC_BASE_URL"]
        return redirect_uri in (f"{ours}/demo/login", f"{ours}/account/delete/{provider}")

    def login(self, provider: str, person: Person, **changes: Any) -> Login:
        """Somebody agrees to log in to the app."""
        numbers = {"kakao": "KAKAO_APP_ID", "facebook": "FACEBOOK_APP_ID"}
        app_id = self.values[numbers[provider]] if provider in numbers else ""
        fields = {"client_id": self.client_id(provider), "app_id": app_id} | changes
        return Login(provider, person, **fields)

    def code(self, login: Login) -> str:
        """A code for a login, good once."""
        code = secrets.token_urlsafe(24)
        self.codes[code] = login
        return code

    def access_token(self, login: Login) -> str:
        """An access token for a login."""
        token = secrets.token_urlsafe(32)
        self.access_tokens[token] = login
        return token

    def refresh_token(self, login: Login) -> str:
        """A refresh token for a login."""
        token = secrets.token_urlsafe(32)
        self.refresh_tokens[token] = login
        return token

    def id_token(self, login: Login, *, key: SigningKey | None = None, **changes: Any) -> str:
        """A signed id token; `changes` replace claims, or with None take them away."""
        now = int(time.time())
        person = login.person
        claims: dict[str, Any] = {
            "iss": ISSUERS[login.provider],
            "aud": login.client_id,
            "sub": person.subject(login.provider),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "nonce": login.nonce or None,
            "email": person.email,
        }
        match login.provider:
            case "kakao":
                claims |= {"nickname": person.name, "auth_time": now}
            case "apple":
                claims |= {"email_verified": "true", "auth_time": now, "nonce_supported": True}
            case "google":
                claims |= {"name": person.name, "email_verified": True, "azp": login.client_id}
            case "facebook":
                claims |= {"name": person.name}
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        key = key or self.keys[login.provider][-1]
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.id})
