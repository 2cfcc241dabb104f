"""A mail as `make run` prints it."""

import io
from typing import Any

import pytest
from django.core import mail
from django.core.mail import BadHeaderError, EmailMessage
from django.utils.module_loading import import_string

from apps.common.mail import Mail, send_mail
from igloo.laptop.launcher import Launcher
from igloo.laptop.mail import ReadableBackend


def test_it_is_read_as_it_is(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.EMAIL_BACKEND = Launcher("127.0.0.1", 8000).environment["DEMO_EMAIL_BACKEND"]
    assert import_string(settings.EMAIL_BACKEND) is ReadableBackend
    link = "http://localhost:8000/account/verify?token=a=b&c"

    def write() -> Mail:
        return Mail(
            subject="이메일 확인", paragraphs=["링크를 열어 주세요."], link=link, link_text="확인"
        )

    send_mail(write, to="minji@example.com", language="ko")
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert f"From: {settings.DEFAULT_FROM_EMAIL}" in lines
    assert "To: minji@example.com" in lines
    assert "Subject: 이메일 확인" in lines
    assert "링크를 열어 주세요." in lines
    # Whole, to be clicked or pasted.
    assert link in lines
    assert "<html" not in printed


def test_a_header_that_no_server_takes_is_refused_here_too() -> None:
    stream = io.StringIO()
    with mail.get_connection("igloo.laptop.mail.ReadableBackend", stream=stream) as connection:
        message = EmailMessage("a\nBcc: b@example.com", "x", to=["minji@example.com"])
        with pytest.raises(BadHeaderError):
            connection.send_messages([message])
    assert stream.getvalue() == ""
