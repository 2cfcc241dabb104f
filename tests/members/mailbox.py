"""What members find in their mail, once the tasks have run."""

import re
from urllib.parse import parse_qs, urlsplit

from django.core import mail
from django.core.mail import EmailMultiAlternatives

from apps.tasks.runner import run_due_tasks


def mails_to(address: str) -> list[EmailMultiAlternatives]:
    """All that came, the oldest first."""
    run_due_tasks()
    return [message for message in mail.outbox if message.to == [address]]


def links_in(message: EmailMultiAlternatives) -> list[str]:
    """Paths of its text, with their queries; the HTML has the same."""
    found = re.findall(r"^http://\S+$", message.body, re.MULTILINE)
    [(html, _)] = message.alternatives
    assert all(f'href="{link}"' in html for link in found)
    return [urlsplit(link).path + "?" + urlsplit(link).query for link in found]


def token_in(message: EmailMultiAlternatives) -> str:
    """What its only link carries."""
    [link] = links_in(message)
    [token] = parse_qs(urlsplit(link).query)["token"]
    return token
