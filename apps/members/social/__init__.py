"""The providers that members log in with: who somebody is, proved, or a refusal.

One module for each provider, each with `verify(credentials)`. What each checks, and what it comes
from, is in docs/social-login.md.
"""

from importlib import import_module
from types import ModuleType

from apps.members.social.proof import Credentials, Proof


def verify(provider: str, credentials: Credentials) -> Proof:
    """Who it is at the provider.

    Raises:
        ProviderNotConfigured
        SocialTokenInvalid: anything about the token or code is not as it must be.
        InvalidInput: a credential of a kind that the provider has none of, or no nonce.
        ProviderUnavailable: it can't be told now.
    """
    if provider != "apple" and credentials.id_token:
        credentials.require_only("id_token")
    proof: Proof = _module(provider).verify(credentials)
    return proof


def end_link(provider: str, *, subject: str, refresh_token: str, client_id: str) -> None:
    """Tell a provider that somebody is gone: Apple by its (sealed) token, Kakao by its id.

    Raises:
        ProviderNotConfigured, ProviderUnavailable: it is not done.
    """
    if provider == "apple":
        _module(provider).revoke(refresh_token=refresh_token, client_id=client_id)
    else:
        _module(provider).unlink(subject)


def _module(provider: str) -> ModuleType:
    # On demand: `jwt` and its `cryptography` are a tenth of a cold start.
    return import_module(f"{__name__}.{provider}")
