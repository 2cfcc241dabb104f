"""Phones that send photos."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from apps.members.models import Member
from apps.members.services import sessions
from tests.background import run_tasks
from tests.builders import DEVICE, jpeg, make_member

Ticket = dict[str, Any]


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
def photo() -> bytes:
    """A JPEG."""
    return jpeg()
