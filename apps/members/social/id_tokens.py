"""Providers' signed tokens: OpenID Connect Core 1.0, 3.1.3.7."""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Any

from apps.members.errors import SocialTokenInvalid
from apps.members.social import jwks

# All of them sign with this one; a token that names another is refused before its key is looked
# for, so that `none`, or HMAC with the public key as its secret, gets nowhere.
ALGORITHM = "RS256"
# Seconds that clocks may differ by.
LEEWAY = 30
_LONGEST_KEY_ID = 200
# RFC 7515, 7.1: without padding. PyJWT skips what is no base64url, and takes padding.
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


def read(
    token: str,
    *,
    provider: str,
    keys_url: str,
    issuers: Sequence[str],
    audiences: Sequence[str],
    required: Sequence[str] = ("exp", "iat", "sub"),
) -> Mapping[str, Any]:
    """The claims of a token that the provider signed for one of `audiences`.

    Raises:
        SocialTokenInvalid, ProviderUnavailable
    """
    import jwt  # it brings `cryptography`, a tenth of a cold start

    if not _COMPACT.fullmatch(token):
        raise SocialTokenInvalid
    try:
        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(key_id, str):
            raise SocialTokenInvalid
        if len(key_id) > _LONGEST_KEY_ID or "crit" in header:
            raise SocialTokenInvalid
        key = jwt.PyJWK(dict(jwks.signing_key(provider, keys_url, key_id)), algorithm=ALGORITHM)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=list(audiences),
            issuer=list(issuers),
            leeway=LEEWAY,
            options={"require": ["iss", "aud", *required]},
        )
    # RecursionError: a header or a payload of brackets within brackets.
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise SocialTokenInvalid from error
    audience = claims["aud"]
    if isinstance(audience, list) and not set(audience) <= set(audiences):
        # Also for somebody we don't know, who could use it here.
        raise SocialTokenInvalid
    return claims


def require_same_nonce(claims: Mapping[str, Any], nonce: str) -> None:
    """Raises SocialTokenInvalid where the token's nonce is not this one, or its SHA-256 in hex.

    Apple's and Google's SDKs are often given the hash, so that a token that leaks does not tell
    the nonce.
    """
    claimed = claims.get("nonce")
    if not isinstance(claimed, str):
        raise SocialTokenInvalid
    hashed = hashlib.sha256(nonce.encode()).hexdigest()
    sent = claimed.encode("utf-8", "surrogatepass")
    if not (compare_digest(sent, nonce.encode()) or compare_digest(sent, hashed.encode())):
        raise SocialTokenInvalid


def works_until(claims: Mapping[str, Any]) -> int:
    """When the token stops being taken, in seconds since 1970."""
    return max(int(claims["exp"]), int(time.time())) + LEEWAY
