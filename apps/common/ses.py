"""Mails through Amazon SES. Imported where a mail is sent and nowhere else: boto3 is heavy."""

from typing import Any

import django_ses
from botocore.config import Config
from django.conf import settings


class SESBackend(django_ses.SESBackend):
    """django-ses with time-outs, and one try: a task tries again, and knows how often."""

    def __init__(self, **kwargs: Any) -> None:
        config = Config(
            connect_timeout=3,
            read_timeout=settings.EMAIL_TIMEOUT,
            retries={"total_max_attempts": 1},
        )
        super().__init__(aws_config=config, **kwargs)
