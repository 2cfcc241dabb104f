"""Encryption of a text that rests in a row, where nobody is to read it.

Keys are those of Fernet (github.com/fernet/spec): 32 bytes in URL-safe base64. The first one
encrypts, each of them decrypts, so keys can be changed.
"""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def seal(text: str, keys: Sequence[str]) -> str:
    """The text, encrypted with the first key."""
    return _cipher(keys).encrypt(text.encode()).decode()


def unseal(sealed: str, keys: Sequence[str]) -> str:
    """What was sealed with any of the keys; raises cryptography.fernet.InvalidToken."""
    return _cipher(keys).decrypt(sealed).decode()


def reseal(sealed: str, keys: Sequence[str]) -> str:
    """The same, encrypted with the first key; raises cryptography.fernet.InvalidToken."""
    return _cipher(keys).rotate(sealed).decode()


def secret_key(purpose: str) -> str:
    """A key made of the SECRET_KEY, another one for each purpose."""
    digest = salted_hmac(purpose, "key", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode()


def _cipher(keys: Sequence[str]) -> "MultiFernet":
    # Here: `cryptography` is a tenth of a cold start.
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in keys])
