"""The stand-ins over HTTP: each path as at its provider, below a folder of its own."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from igloo.laptop.providers import by_hand
from igloo.laptop.providers.authorize import AUTHORIZE, complaint, way_back
from igloo.laptop.providers.pages import choose_page, front_page
from igloo.laptop.providers.world import CODE_SECONDS, Login, World, challenge_of

Form = Mapping[str, str]
Reply = tuple[int, Any]

_KEYS = {
    "/kakao/kauth/.well-known/jwks.json": "kakao",
    "/apple/auth/keys": "apple",
    "/google/oauth2/v3/certs": "google",
    "/facebook/limited/.well-known/oauth/openid/jwks/": "facebook",
}


class ProviderServer:
    """The stand-ins on a port of loopback, in a thread of this process."""

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(world))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        """Answer until stopped."""
        self._server.serve_forever(poll_interval=0.05)

    def start(self) -> None:
        """Answer in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and let the port go."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self._answer(dict(parse_qsl(self.rfile.read(length).decode())))

        def _answer(self, form: Form) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            if self.command == "POST" and parts.path in by_hand.PATHS:
                status, data = by_hand.answer(world, parts.path, query)
                self._send(status, "application/json", json.dumps(data).encode())
                return
            if parts.path == "/":
                self._send(200, "text/html; charset=utf-8", front_page().encode())
                return
            world.calls.append(f"{self.command} {parts.path}")
            if parts.path.split("/")[1] in world.down:
                self._send(500, "text/html", b"<h1>Internal Server Error</h1>")
            elif parts.path in AUTHORIZE:
                self._authorize(parts.path, query)
            else:
                status, data = _reply(
                    world, self.command, parts.path, query, form, dict(self.headers)
                )
                self._send(status, "application/json", json.dumps(data).encode())

        def _authorize(self, path: str, query: Form) -> None:
            chosen = query.get("person", "")
            if wrong := complaint(world, path, query):
                self._send(400, "text/plain", wrong.encode())
            elif not chosen.isdigit() and chosen != "nobody":
                page = choose_page(AUTHORIZE[path][0], self.path)
                self._send(200, "text/html; charset=utf-8", page.encode())
            else:
                address = way_back(world, path, query)
                self._send(302, "text/plain", b"", {"Location": address})

        def _send(self, status: int, kind: str, body: bytes, headers: Form | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a request may carry a token."""

    return Handler


def _reply(
    world: World, method: str, path: str, query: Form, form: Form, headers: Mapping[str, str]
) -> Reply:
    if method == "GET" and path in _KEYS:
        return 200, {"keys": [key.jwk() for key in world.keys[_KEYS[path]]]}
    match method, path:
        case "POST", "/kakao/kauth/oauth/token":
            return _kakao_token(world, form)
        case "GET", "/kakao/kapi/v1/user/access_token_info":
            return _kakao_token_info(world, headers)
        case "GET", "/kakao/kapi/v2/user/me":
            return _kakao_me(world, headers)
        case "POST", "/kakao/kapi/v1/user/unlink":
            return _kakao_unlink(world, form, headers)
        case "POST", "/apple/auth/token":
            return _apple_token(world, form)
        case "POST", "/apple/auth/revoke":
            return _apple_revoke(world, form)
        case "POST", "/google/token":
            return _google_token(world, form)
        case "POST", "/facebook/graph/oauth/access_token":
            return _facebook_token(world, form)
        case "GET", "/facebook/graph/debug_token":
            return _facebook_debug_token(world, query)
        case "GET", "/facebook/graph/me":
            return _facebook_me(world, query)
        case "POST", "/naver/nid/oauth2.0/token":
            return _naver_token(world, form)
        case "GET", "/naver/openapi/v1/nid/me":
            return _naver_me(world, headers)
    return 404, {"error": "not_found"}


def _spend_code(world: World, provider: str, form: Form) -> Login | None:
    if form.get("grant_type") != "authorization_code":
        return None
    login = world.codes.pop(form.get("code", ""), None)
    if login is None or login.provider != provider:
        return None
    if login.code_challenge and login.code_challenge != challenge_of(form.get("code_verifier", "")):
        return None
    return login if login.client_id == form.get("client_id") else None


def _bearer(world: World, provider: str, headers: Mapping[str, str]) -> Login | None:
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    login = world.access_tokens.get(token)
    if login is None or login.provider != provider or login.expires_at < time.time():
        return None
    return login


# --- Kakao --------------------------------------------------------------------------------------
def _kakao_token(world: World, form: Form) -> Reply:
    values = world.values
    if (form.get("client_id"), form.get("client_secret")) != (
        values["KAKAO_REST_KEY"],
        values["KAKAO_CLIENT_SECRET"],
    ):
        return 401, {"error": "invalid_client", "error_code": "KOE010"}
    login = _spend_code(world, "kakao", form)
    if login is None or login.redirect_uri != form.get("redirect_uri"):
        return 400, {"error": "invalid_grant", "error_code": "KOE320"}
    return 200, {
        "token_type": "bearer",
        "access_token": world.access_token(login),
        "id_token": world.id_token(login),
        "expires_in": int(login.expires_at - time.time()),
        "refresh_token": world.refresh_token(login),
        "refresh_token_expires_in": 5_184_000,
    }


def _kakao_token_info(world: World, headers: Mapping[str, str]) -> Reply:
    login = _bearer(world, "kakao", headers)
    if login is None:
        return 401, {"code": -401, "msg": "this access token does not exist"}
    return 200, {
        "id": int(login.person.subject("kakao")),
        "expires_in": int(login.expires_at - time.time()),
        "app_id": int(login.app_id),
    }


def _kakao_me(world: World, headers: Mapping[str, str]) -> Reply:
    login = _bearer(world, "kakao", headers)
    if login is None:
        return 401, {"code": -401, "msg": "this access token does not exist"}
    return 200, {
        "id": int(login.person.subject("kakao")),
        "connected_at": "2026-11-01T00:00:00Z",
        "kakao_account": {
            "profile": {"nickname": login.person.name},
            "email": login.person.email,
            "is_email_valid": True,
            "is_email_verified": True,
        },
    }


def _kakao_unlink(world: World, form: Form, headers: Mapping[str, str]) -> Reply:
    if headers.get("Authorization") != f"KakaoAK {world.values['KAKAO_ADMIN_KEY']}":
        return 401, {"code": -401, "msg": "wrong appKey"}
    subject = form.get("target_id", "")
    if f"kakao {subject}" in world.ended:
        return 400, {"code": -101, "msg": "NotRegisteredUserException"}
    world.ended.append(f"kakao {subject}")
    return 200, {"id": int(subject)}


# --- Apple --------------------------------------------------------------------------------------
def _is_apple_client(world: World, form: Form) -> bool:
    """Whether the client secret is signed with the key that the app's developers have."""
    values = world.values
    private = load_pem_private_key(values["APPLE_PRIVATE_KEY"].encode(), None)
    secret = form.get("client_secret", "")
    try:
        claims = jwt.decode(
            secret,
            private.public_key(),  # type: ignore[arg-type]
            algorithms=["ES256"],
            audience="https://appleid.apple.com",
            issuer=values["APPLE_TEAM_ID"],
        )
        header = jwt.get_unverified_header(secret)
    except jwt.PyJWTError:
        return False
    return (claims["sub"], header["kid"]) == (form.get("client_id"), values["APPLE_KEY_ID"])


def _apple_token(world: World, form: Form) -> Reply:
    if not _is_apple_client(world, form):
        return 400, {"error": "invalid_client"}
    login = _spend_code(world, "apple", form)
    if login is None or login.redirect_uri != form.get("redirect_uri", ""):
        return 400, {"error": "invalid_grant"}
    return 200, {
        "token_type": "Bearer",
        "access_token": world.access_token(login),
        "expires_in": CODE_SECONDS,
        "refresh_token": world.refresh_token(login),
        "id_token": world.id_token(login),
    }


def _apple_revoke(world: World, form: Form) -> Reply:
    if not _is_apple_client(world, form):
        return 400, {"error": "invalid_client"}
    # Apple says 200 to a token that it does not know, too.
    if world.refresh_tokens.pop(form.get("token", ""), None):
        world.ended.append(form["token"])
    return 200, {}


# --- Google -------------------------------------------------------------------------------------
def _google_token(world: World, form: Form) -> Reply:
    values = world.values
    if (form.get("client_id"), form.get("client_secret")) != (
        values["GOOGLE_WEB_CLIENT_ID"],
        values["GOOGLE_WEB_CLIENT_SECRET"],
    ):
        return 401, {"error": "invalid_client"}
    login = _spend_code(world, "google", form)
    if login is None:
        return 400, {"error": "invalid_grant"}
    if login.redirect_uri != form.get("redirect_uri"):
        return 400, {"error": "redirect_uri_mismatch"}
    return 200, {
        "token_type": "Bearer",
        "access_token": world.access_token(login),
        "expires_in": 3599,
        "scope": "openid",
        "id_token": world.id_token(login),
    }


# --- Facebook -----------------------------------------------------------------------------------
def _facebook_token(world: World, form: Form) -> Reply:
    values = world.values
    if (form.get("client_id"), form.get("client_secret")) != (
        values["FACEBOOK_APP_ID"],
        values["FACEBOOK_APP_SECRET"],
    ):
        return 400, {"error": {"code": 1, "type": "OAuthException"}}
    login = _spend_code(world, "facebook", form)
    if login is None or login.redirect_uri != form.get("redirect_uri"):
        return 400, {"error": {"code": 100, "type": "OAuthException", "error_subcode": 36009}}
    return 200, {
        "access_token": world.access_token(login),
        "token_type": "bearer",
        "expires_in": 5_183_944,
    }


def _facebook_debug_token(world: World, query: Form) -> Reply:
    values = world.values
    app_token = f"{values['FACEBOOK_APP_ID']}|{values['FACEBOOK_APP_SECRET']}"
    if query.get("access_token") != app_token:
        return 400, {"error": {"code": 190, "type": "OAuthException"}}
    login = world.access_tokens.get(query.get("input_token", ""))
    if login is None or login.provider != "facebook":
        return 200, {"data": {"is_valid": False, "error": {"code": 190}}}
    return 200, {
        "data": {
            "app_id": login.app_id,
            "type": "USER",
            "is_valid": login.expires_at > time.time(),
            "expires_at": int(login.expires_at),
            "user_id": login.person.subject("facebook"),
        }
    }


def _facebook_me(world: World, query: Form) -> Reply:
    token = query.get("access_token", "")
    secret = world.values["FACEBOOK_APP_SECRET"].encode()
    proof = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
    login = world.access_tokens.get(token)
    if login is None or query.get("appsecret_proof") != proof:
        return 400, {"error": {"code": 100, "type": "GraphMethodException"}}
    person = login.person
    return 200, {
        "id": person.subject("facebook"),
        "name": person.name,
        "email": person.email,
    }


# --- Naver --------------------------------------------------------------------------------------
def _naver_token(world: World, form: Form) -> Reply:
    values = world.values
    if (form.get("client_id"), form.get("client_secret")) != (
        values["NAVER_CLIENT_ID"],
        values["NAVER_CLIENT_SECRET"],
    ):
        return 200, {"error": "unauthorized_client"}
    login = _spend_code(world, "naver", form)
    if login is None or login.state != form.get("state"):
        return 200, {"error": "invalid_request", "error_description": "no valid data in session"}
    return 200, {
        "access_token": world.access_token(login),
        "refresh_token": world.refresh_token(login),
        "token_type": "bearer",
        "expires_in": "3600",
    }


def _naver_me(world: World, headers: Mapping[str, str]) -> Reply:
    login = _bearer(world, "naver", headers)
    if login is None:
        return 401, {"resultcode": "024", "message": "Authentication failed"}
    person = login.person
    return 200, {
        "resultcode": "00",
        "message": "success",
        "response": {
            "id": person.subject("naver"),
            "nickname": person.name,
            "email": person.email,
        },
    }
