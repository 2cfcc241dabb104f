"""What tests of deploying share."""

from collections.abc import Iterator

import pytest

from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An AWS account with nothing in it, which boto3 finds by the environment."""
    server = S3Server()
    server.start()
    server.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    yield server
    server.stop()
