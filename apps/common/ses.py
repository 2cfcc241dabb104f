"""Mails through Amazon SES. Imported where a mail is sent and nowhere else: boto3 is heavy."""

from collections.abc import Sequence
from email.charset import BASE64, Charset
from typing import Any

import django_ses
from botocore.config import Config
from django.conf import settings
from django.core.mail import EmailMessage

# 7 bits, which pass all mail servers; Django writes 8.
_SEVEN_BITS = Charset("utf-8")
_SEVEN_BITS.body_encoding = BASE64


class SESBackend(django_ses.SESBackend):
    """django-ses with time-outs, and one try: a task tries again, and knows how often."""

    def __init__(self, **kwargs: Any) -> None:
        config = Config(
            connect_timeout=3,
            read_timeout=settings.EMAIL_TIMEOUT,
            retries={"total_max_attempts": 1},
        )
        super().__init__(aws_config=config, **kwargs)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many were sent."""
        for message in email_messages:
            message.encoding = _SEVEN_BITS
        return super().send_messages(email_messages) or 0
