"""Providers that change their keys or are down: never a pass, and little asked of them."""

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import caches

from apps.common.models import RateWindow
from apps.members.errors import ProviderUnavailable
from apps.members.social import http, jwks
from igloo.laptop.providers.world import SigningKey, World
from tests.builders import ApiClient
from tests.concurrency import at_once
from tests.members.social import (
    MINJI,
    NEW_MEMBER,
    WAYS,
    Unchanged,
    assert_refused,
    id_token_login,
    join,
    log_in,
    token_login,
)

KEYS = "GET /kakao/kauth/.well-known/jwks.json"
ALL_WAYS = [pytest.param(*way, id=" ".join(way)) for way in WAYS]


def later(provider: str = "kakao", *, keys: float = 0) -> None:
    """As if time had passed: a pause is over; keys are so old, in seconds, and may be asked for."""
    state = caches["shared"].get(f"social-down-{provider}")
    if state:
        caches["shared"].set(f"social-down-{provider}", state | {"until": 0}, 600)
    if keys:
        RateWindow.objects.all().delete()
    found = caches["shared"].get(f"social-keys-{provider}")
    if found and keys:
        found["fetched_at"] -= keys
        caches["shared"].set(f"social-keys-{provider}", found, jwks.KEPT)


def test_keys_are_asked_for_once(anonymous: ApiClient, providers: World) -> None:
    join(anonymous, providers, "kakao")
    for _ in range(3):
        body = id_token_login(anonymous, providers, "kakao")
        assert log_in(anonymous, "kakao", **body).status_code == 200
    assert providers.calls == [KEYS]


@pytest.mark.usefixtures("committed")
def test_keys_are_asked_for_once_by_all_processes(providers: World) -> None:
    """Each thread has a connection of its own, and nothing in the process is shared."""
    client = ApiClient()
    bodies = [id_token_login(client, providers, "kakao") for _ in range(6)]
    answers = at_once(
        *(lambda body=body: log_in(ApiClient(), "kakao", **body, **NEW_MEMBER) for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert providers.calls == [KEYS]


def test_new_keys_are_followed_at_once(anonymous: ApiClient, providers: World) -> None:
    join(anonymous, providers, "kakao")
    later(keys=60)
    old = id_token_login(anonymous, providers, "kakao")
    providers.rotate("kakao")
    body = id_token_login(anonymous, providers, "kakao")
    assert log_in(anonymous, "kakao", **body).status_code == 200
    assert providers.calls == [KEYS] * 2
    # What the key of before signed is no good any more.
    with Unchanged():
        assert_refused(log_in(anonymous, "kakao", **old), 401, "social_token_invalid")


def test_made_up_key_ids_cost_the_provider_nothing(anonymous: ApiClient, providers: World) -> None:
    join(anonymous, providers, "kakao")
    later(keys=60)
    for _ in range(4):
        body = id_token_login(anonymous, providers, "kakao")
        login = providers.login("kakao", MINJI, nonce=body["nonce"])
        body["id_token"] = providers.id_token(login, key=SigningKey())
        with Unchanged():
            assert_refused(log_in(anonymous, "kakao", **body), 401, "social_token_invalid")
    assert providers.calls == [KEYS] * 2


def test_old_keys_are_asked_for_again_and_do_while_the_provider_is_down(
    anonymous: ApiClient, providers: World
) -> None:
    join(anonymous, providers, "kakao")
    later(keys=jwks.FRESH + 1)
    providers.down.add("kakao")
    body = id_token_login(anonymous, providers, "kakao")
    assert log_in(anonymous, "kakao", **body).status_code == 200
    assert providers.calls == [KEYS] * 2
    # In the pause that follows it is left alone.
    body = id_token_login(anonymous, providers, "kakao")
    assert log_in(anonymous, "kakao", **body).status_code == 200
    assert providers.calls == [KEYS] * 2
    providers.down.clear()
    later()
    body = id_token_login(anonymous, providers, "kakao")
    assert log_in(anonymous, "kakao", **body).status_code == 200
    assert providers.calls == [KEYS] * 3
    body = id_token_login(anonymous, providers, "kakao")
    assert log_in(anonymous, "kakao", **body).status_code == 200
    assert providers.calls == [KEYS] * 3


def test_an_unknown_key_while_the_provider_is_down_is_no_pass(
    anonymous: ApiClient, providers: World
) -> None:
    join(anonymous, providers, "kakao")
    later(keys=60)
    providers.rotate("kakao")
    providers.down.add("kakao")
    body = id_token_login(anonymous, providers, "kakao")
    with Unchanged():
        response = log_in(anonymous, "kakao", **body)
        assert_refused(response, 503, "provider_unavailable")
    assert 1 <= int(response["Retry-After"]) <= 2
    providers.down.clear()
    later()
    # Nothing was spent.
    assert log_in(anonymous, "kakao", **body).status_code == 200


@pytest.mark.parametrize(("provider", "kind"), ALL_WAYS)
def test_a_provider_that_is_down(
    anonymous: ApiClient, providers: World, provider: str, kind: str
) -> None:
    caches["shared"].clear()
    body = WAYS[provider, kind](anonymous, providers, provider)
    providers.down.add(provider)
    with Unchanged():
        response = log_in(anonymous, provider, **body, **NEW_MEMBER)
        assert_refused(response, 503, "provider_unavailable")
    assert int(response["Retry-After"]) >= 1
    providers.down.clear()
    later(provider)
    assert log_in(anonymous, provider, **body, **NEW_MEMBER).status_code == 201


def test_the_pause_grows_while_nothing_answers(
    anonymous: ApiClient, providers: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock that stands still, since seconds may pass between two calls.
    now = time.time()
    clock = SimpleNamespace(time=lambda: now, monotonic=time.monotonic)
    monkeypatch.setattr(http, "time", clock)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.SOCIAL["kakao"]["api_url"] = f"http://127.0.0.1:{port}"
    caches["shared"].clear()
    body = token_login(anonymous, providers, "kakao")
    pauses = []
    for _ in range(7):
        response = log_in(anonymous, "kakao", **body)
        assert_refused(response, 503, "provider_unavailable")
        # Not asked again in the pause.
        paused = log_in(anonymous, "kakao", **body)
        assert_refused(paused, 503, "provider_unavailable")
        pauses.append(int(paused["Retry-After"]))
        later()
    assert pauses == [2, 4, 8, 16, 32, 60, 60]


def test_one_answer_ends_the_pauses(anonymous: ApiClient, providers: World) -> None:
    http.note_failure("kakao", 5)
    later()
    log_in(anonymous, "kakao", **token_login(anonymous, providers, "kakao"))
    assert http.require_up("kakao") == 0


@pytest.fixture
def answering() -> Iterator[Callable[..., str]]:
    """Starts a server that sends these bytes to whoever comes, piece by piece; its address."""
    stopped = threading.Event()
    servers: list[socket.socket] = []

    def start(*pieces: bytes, pause: float = 0) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            while not stopped.is_set():
                try:
                    client, _address = server.accept()
                except OSError:
                    return
                with client, suppress(OSError):
                    client.recv(65536)
                    for piece in pieces:
                        client.sendall(piece)
                        stopped.wait(pause)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    stopped.set()
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    "sent",
    [
        answer("302 Found", b"{}", "Location: https://evil.example/"),
        answer("301 Moved", b"", "Location: /"),
        answer("200 OK", b"<html>"),
        answer("200 OK", b"[]"),
        answer("200 OK", b"{}" + b" " * 300_000),
        answer("429 Too Many Requests", b"{}"),
        answer("500 Internal Server Error", b"{}"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=range(11),
)
def test_an_answer_that_is_none(
    anonymous: ApiClient,
    providers: World,
    settings: Any,
    answering: Callable[..., str],
    sent: bytes,
) -> None:
    caches["shared"].clear()
    address = answering(sent)
    settings.SOCIAL["kakao"] |= {"api_url": address, "auth_url": address}
    for body in (
        token_login(anonymous, providers, "kakao"),
        id_token_login(anonymous, providers, "kakao"),
    ):
        with Unchanged():
            response = log_in(anonymous, "kakao", **body, **NEW_MEMBER)
            assert_refused(response, 503, "provider_unavailable")
        caches["shared"].clear()
        RateWindow.objects.all().delete()


@pytest.mark.parametrize(
    "keys",
    [
        b'{"keys": []}',
        b'{"keys": {}}',
        b'{"keys": [5, {"kid": 5}, {"kid": "x", "kty": "EC"}]}',
        b'{"keys": [{"kid": "x", "kty": "RSA", "use": "enc"}]}',
        b"{}",
    ],
)
def test_keys_that_are_none_leave_the_old_ones(
    anonymous: ApiClient,
    providers: World,
    settings: Any,
    answering: Callable[..., str],
    keys: bytes,
) -> None:
    join(anonymous, providers, "kakao")
    later(keys=jwks.FRESH + 1)
    settings.SOCIAL["kakao"]["auth_url"] = answering(answer("200 OK", keys))
    body = id_token_login(anonymous, providers, "kakao")
    assert log_in(anonymous, "kakao", **body).status_code == 200


def test_a_slow_answer_is_given_up(
    settings: Any, answering: Callable[..., str], monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.5)
    # Each piece comes in time, and there is no end of them.
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    for address in (answering(pause=5), answering(head, *[b" "] * 100, pause=0.2)):
        caches["shared"].clear()
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            http.call("kakao", "GET", f"{address}/slow")
        assert time.monotonic() - started < 2


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A key and a certificate for a host name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_file, file = folder / f"{name}.key", folder / f"{name}.crt"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key_file, file


@pytest.mark.parametrize(
    ("name", "is_trusted", "works"),
    [("localhost", True, True), ("localhost", False, False), ("kauth.kakao.com", True, False)],
)
def test_a_server_has_to_prove_its_name(
    db: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    is_trusted: bool,
    works: bool,
) -> None:
    key_file, file = certificate(tmp_path, name)
    _key, other = certificate(tmp_path, "other.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(file if is_trusted else other))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _address = server.accept()
            with client, suppress(OSError), context.wrap_socket(client, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(answer("200 OK", b"{}"))

        threading.Thread(target=serve, daemon=True).start()
        url = f"https://localhost:{server.getsockname()[1]}/"
        if works:
            assert http.call("kakao", "GET", url).status == 200
        else:
            with pytest.raises(ProviderUnavailable):
                http.call("kakao", "GET", url)
