"""/healthz and /readyz, and a database that is away."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from igloo.version import commit, version
from tests.processes import free_port, wait_for_answer


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """Forgets version and commit, before and after: one is told from the other, and both are
    asked for once in a process."""
    version.cache_clear()
    commit.cache_clear()
    yield
    version.cache_clear()
    commit.cache_clear()


def test_alive(client: Client) -> None:
    # No `db`: it must not ask the database.
    assert client.get("/healthz").json() == {"status": "ok", "version": "local", "commit": ""}


@pytest.mark.usefixtures("asked_anew")
def test_alive_tells_the_version_of_its_container(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGLOO_VERSION", "2026.11.3")
    assert client.get("/healthz").json()["version"] == "2026.11.3"


@pytest.mark.usefixtures("asked_anew")
def test_alive_tells_the_commit_of_its_container(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGLOO_COMMIT", "c0ffee")
    answer = client.get("/healthz").json()
    # A container whose version nobody named has its commit's.
    assert (answer["commit"], answer["version"]) == ("c0ffee", "c0ffee")


@pytest.mark.django_db
def test_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="posts").latest("id")
    newest.delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["code"] == "not_ready"
    assert response.json()["migrations"] == [f"posts.{newest.name}"]


@pytest.fixture(scope="module")
def server_without_database() -> Iterator[str]:
    """A real server whose DATABASE_URL nobody answers."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "DJANGO_SETTINGS_MODULE": "igloo.settings",
    }
    code = (
        "from wsgiref.simple_server import make_server\n"
        "from igloo.wsgi import application\n"
        f"make_server('127.0.0.1', {port}, application).serve_forever()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment, stderr=subprocess.PIPE
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_answer(f"{address}/healthz")
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=10)


def get(address: str, method: str = "GET", data: bytes | None = None) -> Any:
    request = urllib.request.Request(address, method=method, data=data)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


LOGIN = orjson.dumps(
    {
        "username": "alice",
        "password": "x",
        "device": {"name": "x", "platform": "ios", "app_version": "1"},
    }
)


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/api/v1/posts", None),
        ("GET", "/api/v1/taxonomies", None),
        ("POST", "/api/v1/auth/login", LOGIN),
        ("GET", "/admin/login/", None),
    ],
)
def test_with_the_database_away_calls_are_503_and_the_process_lives(
    server_without_database: str, method: str, path: str, data: bytes | None
) -> None:
    status, headers, body = get(server_without_database + path, method, data)
    if path == "/admin/login/":
        # The form itself needs no database.
        assert status == 200
        return
    assert status == 503
    assert headers["Content-Type"] == "application/problem+json"
    assert int(headers["Retry-After"]) > 0
    assert orjson.loads(body)["code"] == "database_unavailable"
    assert orjson.loads(body)["request_id"] == headers["X-Request-Id"]
    assert get(server_without_database + "/healthz")[0] == 200
    status, headers, body = get(server_without_database + "/readyz")
    assert (status, orjson.loads(body)["code"]) == (503, "database_unavailable")
    assert headers["Retry-After"]
