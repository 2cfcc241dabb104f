"""Where a browser goes to log in at a provider: the authorization code of RFC 6749, 4.1.

No scope is asked for but `openid`, where the provider has that: who somebody is, is enough. The
code comes back in the query. Apple posts it where a name or an address is asked for: such a call
from another site would bring no cookie of ours that is `Lax`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from apps.members.errors import ProviderNotConfigured

# What the providers call it when somebody does not want to; the second is Apple's.
CANCELLED = ("access_denied", "user_cancelled_authorize")
# And when it is they who can't (RFC 6749, 4.1.2.1).
UNAVAILABLE = ("server_error", "temporarily_unavailable")


@dataclass(frozen=True)
class _Door:
    """Where a provider's login begins: the setting of its address, and the path."""

    base: str
    path: str
    # The setting of our id there.
    client_id: str
    # Where its own pages are, one of which leads to the next.
    hosts: str
    query: Mapping[str, str] = field(default_factory=dict)
    # An id token comes of it, which holds the nonce.
    has_nonce: bool = True
    # It takes a code challenge (RFC 7636), so that a stolen code is of no use in another browser.
    # At Apple the nonce does that, and at Naver the state, which its code is exchanged with.
    has_pkce: bool = False


# Without `select_account` whoever is logged in there with one account never gets to name another.
_OPENID = {"scope": "openid", "prompt": "select_account"}
_DOORS = {
    "kakao": _Door(
        "auth_url", "/oauth/authorize", "rest_key", "https://*.kakao.com", _OPENID, has_pkce=True
    ),
    "apple": _Door(
        "url", "/auth/authorize", "services_id", "https://*.apple.com", {"response_mode": "query"}
    ),
    "google": _Door(
        "auth_url",
        "/o/oauth2/v2/auth",
        "web_client_id",
        "https://*.google.com",
        _OPENID,
        has_pkce=True,
    ),
    # "Still in testing", says Facebook of its code challenge.
    "facebook": _Door(
        "www_url",
        "/dialog/oauth",
        "app_id",
        "https://*.facebook.com",
        has_nonce=False,
        has_pkce=True,
    ),
    "naver": _Door(
        "auth_url", "/oauth2.0/authorize", "client_id", "https://*.naver.com", has_nonce=False
    ),
}


def providers() -> list[str]:
    """With whom somebody can log in on a page of ours."""
    return [name for name in _DOORS if settings.SOCIAL[name]["has_web_login"]]


def require_web_login(provider: str) -> Mapping[str, Any]:
    """The provider's settings; raises ProviderNotConfigured."""
    if provider not in providers():
        raise ProviderNotConfigured
    config: Mapping[str, Any] = settings.SOCIAL[provider]
    return config


def has_pkce(provider: str) -> bool:
    """Whether the provider takes a code challenge."""
    return _DOORS[provider].has_pkce


def login_address(
    provider: str, *, redirect_uri: str, state: str, nonce: str, code_challenge: str = ""
) -> str:
    """Where somebody logs in; raises ProviderNotConfigured."""
    config, door = require_web_login(provider), _DOORS[provider]
    query = {
        "response_type": "code",
        "client_id": config[door.client_id],
        "redirect_uri": redirect_uri,
        "state": state,
        **door.query,
    }
    if door.has_nonce:
        query["nonce"] = nonce
    if code_challenge:
        query |= {"code_challenge": code_challenge, "code_challenge_method": "S256"}
    return f"{config[door.base]}{door.path}?{urlencode(query)}"


def form_targets() -> list[str]:
    """Where a form that begins a login leads, as sources of a CSP's `form-action`.

    Chromium and Safari ask it of each redirect that follows a form, up to the provider's page.
    """
    found = []
    for name in providers():
        parts = urlsplit(settings.SOCIAL[name][_DOORS[name].base])
        found += [f"{parts.scheme}://{parts.netloc}", _DOORS[name].hosts]
    return found
