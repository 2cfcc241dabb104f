"""What is secret stays secret: planted values are looked for in all that the function says.

That they are not in the zip either is shown in test_package.py, which plants some more.
"""

import json
import re
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.db import connection

# Its wheels are for Linux.
pytest.importorskip("awslambdaric")

from igloo.laptop.aws_lambda.front import Front
from igloo.laptop.aws_lambda.local import running
from tests.aws_lambda.test_package import ROOT, zappa
from tests.aws_lambda.test_package import package as production_zip
from tests.aws_lambda.test_real_package import has_python
from tests.builders import make_member, operator
from tests.contract.client import Client
from tests.contract.people import DEVICE, PASSWORD, key, sign_up, signup_body
from tests.contract.places import database_url
from tests.media.s3 import ACCESS_KEY, REGION, S3Server
from tests.media.s3 import SECRET_KEY as S3_SECRET_KEY
from tests.processes import free_port

__all__ = ["has_python", "production_zip"]  # fixtures
pytestmark = pytest.mark.usefixtures("committed")

# Each is recognizable by its middle, in whatever a message makes of it.
MARK = "Sesame"
SECRET_KEY = f"key-{MARK}-" + "x" * 40
DATABASE_PASSWORD = f"database-{MARK}-password"
TYPED = f"typed-{MARK}-password"
Say = Callable[[], list[str]]


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Say:
    """What the function has written so far: what CloudWatch keeps, and `zappa tail` shows."""
    lines: list[str] = []

    def read() -> list[str]:
        lines.extend(line for line in capfd.readouterr().out.splitlines() if "lambda " in line)
        return lines

    return read


def variables(database: str) -> dict[str, str]:
    """A function's own, as loud as an operator may make it."""
    return {
        "DATABASE_URL": database,
        "SECRET_KEY": SECRET_KEY,
        "AWS_SECRET_ACCESS_KEY": f"aws-{MARK}-key",
        "LOG_LEVEL": "DEBUG",
    }


def invoke(front: Front, event: Any) -> bytes:
    """What comes of an event that is not HTTP."""
    return front.function.invoke(json.dumps(event).encode(), 60).payload


def strange_events() -> list[Any]:
    """Events with something secret where an event has its data."""
    record = {"eventSource": "aws:sqs", "messageId": "1", "body": TYPED}
    return [
        {"unknown": TYPED},
        [TYPED],
        {"manage": f"createsuperuser --password {TYPED}"},
        {"raw_command": TYPED},
        {"Records": [record]},
        {"Records": [record | {"body": json.dumps({"Records": [{"s3": TYPED}]})}]},
        {"command": "zappa.asynchronous.route_lambda_task", "args": [TYPED]},
        {"version": "2.0", "requestContext": {"http": {"method": TYPED}}, "headers": TYPED},
        {"httpMethod": "GET", "path": None, "headers": {"Authorization": f"Bearer {TYPED}"}},
    ]


def live(client: Client) -> list[str]:
    """Do what members and operators do, well and badly; the secrets that came up on the way."""
    sign_up(client)
    secrets = [client.token]
    client.get("/api/v1/me")
    client.post("/api/v1/posts", {"title": "집"}, Idempotency_Key=key())
    login = {"username": "minji", "password": PASSWORD, "device": DEVICE}
    pair = client.post("/api/v1/auth/login", login).json
    secrets += [pair["access_token"], pair["refresh_token"]]
    new = client.post("/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]}).json
    secrets += [new["access_token"], new["refresh_token"]]
    client.post("/api/v1/auth/login", login | {"password": TYPED})
    client.post("/api/v1/auth/login", login | {"password": [TYPED]})
    client.post("/api/v1/auth/signup", signup_body(client, "other") | {"password": f"{MARK}"})
    client.post(
        "/api/v1/auth/password/change", {"current_password": TYPED, "new_password": f"2{TYPED}"}
    )
    client.call("POST", "/api/v1/auth/login", f'{{"password": "{TYPED}"')
    client.get(f"/api/v1/posts?cursor={TYPED}")
    client.get("/api/v1/me", Authorization=f"Bearer {TYPED}")
    client.get("/api/v1/me", Authorization=f"Basic {TYPED}")

    client.token = ""
    page = client.get("/admin/login/")
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    secrets += [token, page.cookies["csrftoken"]]
    for password in (TYPED, PASSWORD):
        form = {"username": "olga", "password": password, "csrfmiddlewaretoken": token}
        answer = client.call(
            "POST",
            "/admin/login/?next=/admin/",
            urllib.parse.urlencode(form),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"csrftoken={page.cookies['csrftoken']}",
            },
        )
    secrets.append(answer.cookies["sessionid"])
    assert client.get("/admin/", Cookie=f"sessionid={secrets[-1]}").status == 200
    return [*secrets, PASSWORD]


def test_what_it_logs_and_answers_when_all_is_well(
    has_python: None, production_zip: Path, said: Say, settings: Any
) -> None:
    # The Lambda has the real hasher.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    operator(make_member("olga"))
    url = database_url(connection.settings_dict["NAME"])
    with running(production_zip, environment=variables(url), instances=1) as front:
        client = Client(front.url)
        secrets = live(client)
        answers = [invoke(front, event).decode() for event in strange_events()]
    lines = said()

    # It says a lot, of each of these.
    for word in ("/api/v1/me", "UnknownEvent", "Unauthorized", "queue failed"):
        assert any(word in line for line in lines), word
    for secret in [*secrets, MARK]:
        assert [line for line in lines if secret in line] == []
    told = "\n".join([*answers, *(json.dumps(answer) for answer in client.record)])
    assert MARK not in told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://igloo:{password}@127.0.0.1:{port}/igloo",
        # A password that was not percent-encoded: what is behind it is read as a port.
        "postgresql://igloo:{password}/1@127.0.0.1:{port}/igloo",
        "{password}",
    ],
)
def test_what_it_logs_and_answers_without_its_database(
    has_python: None, production_zip: Path, said: Say, url: str
) -> None:
    own = variables(url.format(password=DATABASE_PASSWORD, port=free_port()))
    with running(production_zip, environment=own, instances=1) as front:
        client = Client(front.url)
        body = {"username": "minji", "password": TYPED, "device": DEVICE}
        answers = [client.post("/api/v1/auth/login", body), client.get("/admin/login/?next=/x")]
        assert answers[0].status in (500, 503)
        told = [answer.text for answer in answers]
        told += [invoke(front, event).decode() for event in strange_events()]
    lines = said()

    assert any("Traceback" in line for line in lines)
    assert [line for line in [*lines, *told] if MARK in line] == []


def test_zappa_tail_shows_what_was_logged_and_nothing_more(
    has_python: None, production_zip: Path, said: Say, aws: S3Server
) -> None:
    url = database_url(connection.settings_dict["NAME"])
    with running(production_zip, environment=variables(url), instances=1) as front:
        sign_up(Client(front.url))
        invoke(front, {"unknown": TYPED})
    session = boto3.session.Session(ACCESS_KEY, S3_SECRET_KEY, region_name=REGION)
    logs = session.client("logs", endpoint_url=aws.url)
    group = {"logGroupName": "/aws/lambda/igloo-production"}
    logs.create_log_group(**group)
    logs.create_log_stream(**group, logStreamName="one")
    # Zappa asks for what is older than this second.
    before = int(time.time() * 1000) - 60_000
    events = [{"timestamp": before, "message": line} for line in said()]
    logs.put_log_events(**group, logStreamName="one", logEvents=events)

    shown = zappa(
        ROOT,
        "tail", "production", "--since", "1h", "--disable-keep-open",
        AWS_ENDPOINT_URL=aws.url, AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=S3_SECRET_KEY, AWS_DEFAULT_REGION=REGION,
    )  # fmt: skip

    assert shown.returncode == 0, shown.stderr
    assert "UnknownEvent" in shown.stdout
    assert MARK not in shown.stdout + shown.stderr


@pytest.fixture
def aws() -> Iterator[S3Server]:
    """moto's server, empty."""
    server = S3Server()
    server.start()
    server.reset()
    yield server
    server.stop()
