"""The two storages that photos are sent to, and time that passes there."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from django.utils import timezone
from pytest_django import Settings

from tests.media.s3 import MEDIA_BUCKET, ORIGINALS_BUCKET, FormGate, S3Server, use_s3


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
