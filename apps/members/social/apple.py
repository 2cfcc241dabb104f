"""Apple: id tokens, with codes that give a refresh token to revoke; notices.

Source: developer.apple.com, "Sign in with Apple REST API" (verify a user, generate and validate
tokens, revoke tokens, processing changes for accounts).
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from apps.common import sealing
from apps.members.errors import SocialTokenInvalid
from apps.members.social import http, id_tokens
from apps.members.social.proof import Credentials, Proof, make_proof, require_configured

logger = logging.getLogger(__name__)

_NAME = "apple"
_ISSUER = "https://appleid.apple.com"
# Seconds that a client secret is good for; each is made for one call.
_SECRET_SECONDS = 300


def verify(credentials: Credentials) -> Proof:
    """See social.verify. A code is exchanged for the refresh token, which is kept encrypted."""
    credentials.require_only("id_token", "code")
    if credentials.redirect_uri:
        credentials.require_only("code")
        client_ids = [require_configured(_NAME, "services_id")["services_id"]]
    else:
        client_ids = require_configured(_NAME, "client_ids")["client_ids"]
    credentials.require_nonce()
    proof = None
    if credentials.id_token:
        proof = _of_id_token(credentials.id_token, credentials.nonce, client_ids)
        if not credentials.code:
            return proof
    return _with_code(credentials, proof, client_ids)


def _of_id_token(token: str, nonce: str, client_ids: Sequence[str]) -> Proof:
    claims = _read(token, client_ids)
    id_tokens.require_same_nonce(claims, nonce)
    proof = make_proof(
        _NAME,
        subject=claims["sub"],
        expires_at=id_tokens.works_until(claims),
        email=claims.get("email"),
        # Apple sends it as a text or as a truth value.
        email_verified=claims.get("email_verified") in (True, "true"),
    )
    audience = claims["aud"]
    return replace(proof, client_id=audience if isinstance(audience, str) else audience[0])


def _with_code(credentials: Credentials, proof: Proof | None, client_ids: Sequence[str]) -> Proof:
    config = require_configured(_NAME, "client_ids", "team_id", "key_id", "private_key")
    client_id = proof.client_id if proof else client_ids[0]
    form = {
        "client_id": client_id,
        "client_secret": _client_secret(config, client_id),
        "code": credentials.code,
    }
    if credentials.redirect_uri:
        form["redirect_uri"] = credentials.redirect_uri
    found = http.exchange_code(_NAME, f"{config['url']}/auth/token", form)
    id_token, refresh_token = found.get("id_token"), found.get("refresh_token")
    if not isinstance(id_token, str) or not isinstance(refresh_token, str):
        raise SocialTokenInvalid
    claims = _read(id_token, client_ids)
    if proof is None:
        proof = _of_id_token(id_token, credentials.nonce, client_ids)
    if claims["sub"] != proof.subject or proof.client_id != client_id:
        raise SocialTokenInvalid
    return replace(proof, refresh_token=sealing.seal(refresh_token, settings.SOCIAL_TOKEN_KEYS))


def _read(token: str, client_ids: Sequence[str]) -> Mapping[str, Any]:
    return _signed(token, client_ids, required=("exp", "iat", "sub"))


def read_notice(token: str) -> Mapping[str, Any]:
    """The claims of a server-to-server notification; raises as `id_tokens.read` does."""
    config = require_configured(_NAME, "client_ids")
    return _signed(token, config["client_ids"], required=("iat", "jti", "events"))


def _signed(token: str, client_ids: Sequence[str], required: tuple[str, ...]) -> Mapping[str, Any]:
    config = require_configured(_NAME, "url")
    return id_tokens.read(
        token,
        provider=_NAME,
        keys_url=f"{config['url']}/auth/keys",
        issuers=[_ISSUER],
        audiences=client_ids,
        required=required,
    )


def _client_secret(config: Mapping[str, Any], client_id: str) -> str:
    import jwt  # see id_tokens

    now = int(time.time())
    return jwt.encode(
        {
            "iss": config["team_id"],
            "iat": now,
            "exp": now + _SECRET_SECONDS,
            "aud": _ISSUER,
            "sub": client_id,
        },
        config["private_key"],
        algorithm="ES256",
        headers={"kid": config["key_id"]},
    )


def revoke(*, refresh_token: str, client_id: str) -> None:
    """Revoke a sealed refresh token; one that is no good any more is no error.

    Raises:
        ProviderNotConfigured, ProviderUnavailable: it is not done.
    """
    config = require_configured(_NAME, "team_id", "key_id", "private_key")
    answer = http.call(
        _NAME,
        "POST",
        f"{config['url']}/auth/revoke",
        form={
            "client_id": client_id,
            "client_secret": _client_secret(config, client_id),
            "token": sealing.unseal(refresh_token, settings.SOCIAL_TOKEN_KEYS),
            "token_type_hint": "refresh_token",
        },
    )
    if answer.status != 200 and answer.data.get("error") != "invalid_grant":
        logger.error("Apple refuses to revoke: %s %s", answer.status, answer.data.get("error"))
        raise http.unavailable()
