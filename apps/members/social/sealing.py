"""Encryption of what has to be given back to a provider: see SOCIAL_TOKEN_KEYS."""

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def seal(text: str) -> str:
    """The text, encrypted with the first key."""
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed with any of the keys; raises cryptography's InvalidToken."""
    return _fernet().decrypt(sealed.encode()).decode()


def reseal(sealed: str) -> str:
    """The same, encrypted with the first key."""
    return _fernet().rotate(sealed.encode()).decode()


def _fernet() -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # a tenth of a cold start

    return MultiFernet([Fernet(key) for key in settings.SOCIAL_TOKEN_KEYS])
