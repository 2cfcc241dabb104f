"""Google: id tokens; on a page, codes.

Source: developers.google.com/identity, "Verify the Google ID token on your server side" and
"OpenID Connect: server flow".
"""

from collections.abc import Sequence

from apps.members.errors import SocialTokenInvalid
from apps.members.social import http, id_tokens
from apps.members.social.proof import Credentials, Proof, make_proof, require_configured

_NAME = "google"
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")


def verify(credentials: Credentials) -> Proof:
    """See social.verify. A nonce is checked where the app sends one, or the token has one."""
    if credentials.redirect_uri:
        return _of_code(credentials)
    credentials.require_only("id_token")
    config = require_configured(_NAME, "client_ids")
    return _of_id_token(credentials.id_token, credentials, config["client_ids"])


def _of_code(credentials: Credentials) -> Proof:
    credentials.require_only("code")
    credentials.require_nonce()
    config = require_configured(_NAME, "web_client_id", "web_client_secret")
    found = http.exchange_code(
        _NAME,
        f"{config['token_url']}/token",
        {
            "client_id": config["web_client_id"],
            "client_secret": config["web_client_secret"],
            "redirect_uri": credentials.redirect_uri,
            "code": credentials.code,
            "code_verifier": credentials.code_verifier,
        },
    )
    id_token = found.get("id_token")
    if not isinstance(id_token, str):
        raise SocialTokenInvalid
    return _of_id_token(id_token, credentials, [config["web_client_id"]])


def _of_id_token(token: str, credentials: Credentials, audiences: Sequence[str]) -> Proof:
    config = require_configured(_NAME, "url")
    claims = id_tokens.read(
        token,
        provider=_NAME,
        keys_url=f"{config['url']}/oauth2/v3/certs",
        issuers=_ISSUERS,
        audiences=audiences,
    )
    if credentials.nonce or "nonce" in claims:
        credentials.require_nonce()
        id_tokens.require_same_nonce(claims, credentials.nonce)
    return make_proof(
        _NAME,
        subject=claims["sub"],
        expires_at=id_tokens.works_until(claims),
        name=claims.get("name"),
        email=claims.get("email"),
        email_verified=claims.get("email_verified") is True,
    )
