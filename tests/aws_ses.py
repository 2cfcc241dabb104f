"""Amazon SES as moto stands in for it, with a sender that it knows."""

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import boto3
import pytest
from django.conf import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from tests.moto_server import MotoServer

SENDER = "igloo <mail@igloo.example>"


@pytest.fixture
def ses() -> Iterator[MotoServer]:
    """A server whose SES takes mails of the sender, and has taken none yet."""
    server = MotoServer()
    server.start()
    client = boto3.client(
        "ses",
        region_name=settings.AWS_REGION,
        endpoint_url=server.url,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    sent().clear()
    client.verify_domain_identity(Domain="igloo.example")
    yield server
    client.close()
    server.stop()


def sent() -> list[Any]:
    """What SES took."""
    return ses_backends[DEFAULT_ACCOUNT_ID][settings.AWS_REGION].sent_messages


def sent_mails() -> list[EmailMessage]:
    """The mails that SES took, as their readers' programs read them."""
    policy = email.policy.default
    return [email.message_from_bytes(raw.raw_data.encode(), policy=policy) for raw in sent()]
