"""Texts that a task's row must hold and nobody read there: it is kept after the member is gone."""

import base64
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


def seal(text: str) -> str:
    """What `unseal` makes the text of, with the SECRET_KEY."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text; raises cryptography.fernet.InvalidToken where the SECRET_KEY is another by now."""
    return _cipher().decrypt(sealed).decode()


def _cipher() -> "Fernet":
    # Here: `cryptography` is a tenth of a cold start.
    from cryptography.fernet import Fernet

    key = salted_hmac("apps.members.sealed", "key", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
