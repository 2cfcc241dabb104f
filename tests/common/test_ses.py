"""Mails on AWS: through SES, by one call that the roles grant."""

import runpy
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from django.conf import settings as project
from django.core import mail

from apps.common.mail import Mail, send_mail
from tests.aws_lambda.test_role import OF_MAIL
from tests.aws_ses import SENDER, sent, sent_mails
from tests.aws_ses import ses as ses  # a fixture
from tests.moto_server import MotoServer
from tests.test_settings import COMPLETE

NAMES = (
    "AWS_SES_AUTO_THROTTLE",
    "AWS_SES_REGION_ENDPOINT_URL",
    "AWS_SES_REGION_NAME",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_BACKEND",
    "EMAIL_TIMEOUT",
)


@pytest.fixture
def on_aws(ses: MotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails go where those of a deployed stage go, by igloo/settings.py itself."""
    place = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": ses.url,
        "MAIL_FROM": SENDER,
        "STAGE": "production",
    }
    for name, value in (COMPLETE | place).items():
        monkeypatch.setenv(name, value if isinstance(value, str) else ",".join(value))
    stage = runpy.run_path(str(project.BASE_DIR / "igloo" / "settings.py"))
    for name in NAMES:
        # Not by the fixture `settings`: each S3 storage that there is hears of it and makes its
        # client anew.
        monkeypatch.setattr(project, name, stage[name])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of AWS that are made from here on."""
    made: list[str] = []
    make = BaseClient._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        made.append(operation)
        return make(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return made


def write() -> Mail:
    return Mail(
        "이메일 주소 확인", ["민지 님, 안녕하세요"], "https://igloo.example/a?b=1&c=2", "열기"
    )


@pytest.mark.usefixtures("on_aws")
def test_a_mail_arrives_with_both_parts_by_one_call(calls: list[str]) -> None:
    send_mail(write, to="minji@example.com", language="ko")
    assert calls == list(OF_MAIL)
    assert all(raw.raw_data.isascii() for raw in sent())
    [message] = sent_mails()
    assert message["From"] == SENDER
    assert message["To"] == "minji@example.com"
    assert message["Subject"] == "이메일 주소 확인"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert "민지 님, 안녕하세요" in text.get_content()
    assert "https://igloo.example/a?b=1&c=2" in text.get_content()
    assert html.get_content_type() == "text/html"
    assert 'href="https://igloo.example/a?b=1&amp;c=2"' in html.get_content()


@pytest.mark.usefixtures("on_aws")
def test_a_sender_that_ses_does_not_know_is_an_error_that_the_task_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(project, "DEFAULT_FROM_EMAIL", "someone@else.example")
    with pytest.raises(ClientError, match="MessageRejected"):
        send_mail(write, to="minji@example.com", language="ko")
    assert sent_mails() == []


@pytest.mark.usefixtures("on_aws")
def test_it_waits_for_ses_no_longer_than_a_task_may(calls: list[str]) -> None:
    backend: Any = mail.get_connection()
    backend.open()
    config = backend.connection.meta.config
    longest = (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"]
    assert 0 < longest < project.TASK_QUEUES["mail"]["time_limit"]
