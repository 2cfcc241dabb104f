"""Mails: both parts, both languages, and nothing of what a member wrote as markup or header."""

from django.core import mail
from django.utils.translation import gettext

from apps.common.mail import Mail, send_mail

EVIL = "<b>Minji</b>\r\nBcc: all@example.com"


def write() -> Mail:
    return Mail(
        subject=f"Hello {EVIL}",
        paragraphs=[gettext("The access token is not valid. Log in again."), EVIL],
        link="https://igloo.example/account?a=1&b=2",
        link_text="Open",
    )


def test_a_mail_has_text_and_html_in_the_members_language() -> None:
    send_mail(write, to="minji@example.com", language="ko")
    send_mail(write, to="minji@example.com", language="en")
    korean, english = mail.outbox
    for message, words in ((korean, "다시 로그인"), (english, "Log in again.")):
        [(html, kind)] = message.alternatives
        assert kind == "text/html"
        assert words in html
        assert words in message.body
    assert korean.to == ["minji@example.com"]
    assert korean.extra_headers["Auto-Submitted"] == "auto-generated"


def test_what_members_write_is_neither_markup_nor_a_header() -> None:
    send_mail(write, to="minji@example.com", language="en")
    [message] = mail.outbox
    [(html, _)] = message.alternatives
    assert "<b>Minji</b>" in message.body
    assert "https://igloo.example/account?a=1&b=2" in message.body
    assert "<b>" not in html
    assert "&lt;b&gt;Minji" in html
    assert message.subject == "Hello <b>Minji</b> Bcc: all@example.com"
    assert "Bcc" not in message.message()
