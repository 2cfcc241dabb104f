"""Google: id tokens.

Source: developers.google.com/identity, "Verify the Google ID token on your server side".
"""

from apps.members.social import id_tokens
from apps.members.social.proof import Credentials, Proof, make_proof, require_configured

_NAME = "google"
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")


def verify(credentials: Credentials) -> Proof:
    """See social.verify. A nonce is checked where the app sends one, or the token has one."""
    credentials.require_only("id_token")
    config = require_configured(_NAME, "client_ids")
    claims = id_tokens.read(
        credentials.id_token,
        provider=_NAME,
        keys_url=f"{config['url']}/oauth2/v3/certs",
        issuers=_ISSUERS,
        audiences=config["client_ids"],
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
