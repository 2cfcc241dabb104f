"""Mails to members and operators: a plain text and an HTML part, made of the same words.

Called from tasks alone: a mail server that is slow or away must hold no request up, and a mail
about something that was rolled back must not go out. What is secret in a mail, such as a link that
resets a password, is made in the task: a task's arguments are kept in its row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation


@dataclass(frozen=True)
class Mail:
    """What a mail says.

    Args:
        link: an absolute URL, shown as a button that says `link_text`, and in full.
        more_links: (text, absolute URL) of each further one.
    """

    subject: str
    paragraphs: Sequence[str]
    link: str = ""
    link_text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    more_links: Sequence[tuple[str, str]] = ()

    @property
    def links(self) -> list[tuple[str, str]]:
        """(text, URL) of each, the first one first."""
        first = [(self.link_text, self.link)] if self.link else []
        return [*first, *self.more_links]


def send_mail(write: Callable[[], Mail], *, to: str, language: str) -> None:
    """Send what `write` returns, which is called with the language ("ko" or "en") switched on.

    Raises:
        OSError and what the mail backend raises: it could not be sent; the task is tried again.
    """
    with translation.override(language):
        mail = write()
        context = {"mail": mail, "language": language, "contact": settings.CONTACT_EMAIL}
        message = EmailMultiAlternatives(
            # Django refuses a header with a line break; names of members can't bring one in.
            subject=" ".join(mail.subject.split()),
            body=render_to_string("common/mail.txt", context),
            to=[to],
            headers={"Auto-Submitted": "auto-generated"} | mail.headers,
        )
        message.attach_alternative(render_to_string("common/mail.html", context), "text/html")
        message.send()
