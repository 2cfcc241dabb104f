"""Phones, the two storages they send photos to, and a worker that processes them."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.members.models import Member
from apps.members.services import sessions
from apps.tasks.models import BackgroundTask
from apps.tasks.runner import run_due_tasks
from tests.builders import DEVICE, jpeg, make_member
from tests.media.s3 import MEDIA_BUCKET, ORIGINALS_BUCKET, FormGate, S3Server, use_s3

Ticket = dict[str, Any]


def run_tasks() -> None:
    """Run every task that is due, as a worker does."""
    run_due_tasks()


def due_tasks() -> list[str]:
    """The names of the tasks that wait to be run now."""
    return sorted(task.task_path.rpartition(".")[2] for task in BackgroundTask.objects.due())


@dataclass
class Phone:
    """The app on a member's phone: talks HTTP only, to the address it was given."""

    address: str
    member: Member
    token: str = field(init=False)

    def __post_init__(self) -> None:
        self.token = sessions.open_session(member=self.member, device=DEVICE).access_token

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Call the API."""
        return requests.request(
            method,
            f"{self.address}/api/v1{path}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=20,
            **kwargs,
        )

    def announce(self, data: bytes, content_type: str = "image/jpeg", **more: Any) -> Ticket:
        """Get a ticket for a file."""
        body = {"content_type": content_type, "size": len(data), **more}
        answer = self.call("POST", "/uploads", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send(self, ticket: Ticket, data: bytes | None, **changed: str | None) -> requests.Response:
        """Send a file by what the ticket says; `changed` fields differ, None leaves one out."""
        fields = {**ticket["fields"], **changed}
        return requests.request(
            ticket["method"],
            ticket["url"],
            data={name: value for name, value in fields.items() if value is not None},
            files={} if data is None else {"file": ("IMG_0001.JPG", data)},
            timeout=20,
        )

    def complete(self, ticket: Ticket) -> requests.Response:
        """Say that the file was sent."""
        return self.call("POST", f"/uploads/{ticket['id']}/complete")

    def look(self, ticket: Ticket) -> dict[str, Any]:
        """How far the upload is."""
        return self.call("GET", f"/uploads/{ticket['id']}").json()

    def upload(self, data: bytes, content_type: str = "image/jpeg", **more: Any) -> Ticket:
        """The whole way, to `ready` or `failed`; the ticket."""
        ticket = self.announce(data, content_type, **more)
        sent = self.send(ticket, data)
        assert sent.status_code == 204, sent.text
        assert self.complete(ticket).status_code == 202
        run_tasks()
        return ticket


@pytest.fixture
def phone(committed: None, live_server: LiveServer) -> Phone:
    """Alice's."""
    return Phone(live_server.url, make_member("alice"))


@pytest.fixture
def stranger(committed: None, live_server: LiveServer) -> Phone:
    """Bob's."""
    return Phone(live_server.url, make_member("bob"))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """S3 on loopback."""
    server = S3Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server: S3Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """igloo uses S3, with empty buckets."""
    use_s3(settings, monkeypatch, s3_server.url)
    s3_server.make_buckets()
    for bucket in (MEDIA_BUCKET, ORIGINALS_BUCKET):
        for key in s3_server.keys(bucket):
            s3_server.client.delete_object(Bucket=bucket, Key=key)
    return s3_server


@dataclass
class Place:
    """Where a driver's phones send files; what is there."""

    driver: str
    folder: Path
    server: S3Server | None

    def keys(self) -> set[str]:
        """The private files."""
        if self.server:
            return self.server.keys(ORIGINALS_BUCKET)
        return _files(self.folder / "originals")

    def public_keys(self) -> set[str]:
        """The public files."""
        if self.server:
            return self.server.keys(MEDIA_BUCKET)
        return _files(self.folder / "public")

    def refusal(self, answer: requests.Response) -> tuple[int, str]:
        """The status and code of a refused form, in this storage's own words."""
        if self.server:
            return answer.status_code, answer.text.partition("<Code>")[2].partition("<")[0]
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        return answer.status_code, problem["code"]


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, settings: Settings) -> Place:
    """Each driver's storage in turn."""
    server = request.getfixturevalue("s3") if request.param == "s3" else None
    return Place(request.param, settings.LOCAL_STORAGE_DIR, server)


@pytest.fixture
def local_place(settings: Settings) -> Place:
    """The laptop's storage."""
    return Place("local", settings.LOCAL_STORAGE_DIR, None)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.timedelta], None]:
    """Puts the clocks of igloo and of S3 forward."""
    now = timezone.now

    def move(by: dt.timedelta) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now() + by)
        monkeypatch.setattr(FormGate, "ahead", by)

    return move


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A JPEG."""
    return jpeg()
