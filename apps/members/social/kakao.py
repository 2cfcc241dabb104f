"""Kakao: id tokens, access tokens and codes; unlinking.

Source: developers.kakao.com, "Kakao Login: REST API" (OpenID Connect, token information, unlink).
"""

import logging

from apps.members.errors import SocialTokenInvalid
from apps.members.social import http, id_tokens
from apps.members.social.proof import (
    Credentials,
    Proof,
    in_seconds,
    make_proof,
    require_configured,
)

logger = logging.getLogger(__name__)

_NAME = "kakao"
_ISSUER = "https://kauth.kakao.com"
# "NotRegisteredUserException": the user is not linked with this app.
_NOT_LINKED = -101


def verify(credentials: Credentials) -> Proof:
    """See social.verify."""
    if credentials.code:
        return _of_code(credentials)
    if credentials.id_token:
        credentials.require_nonce()
        return _of_id_token(credentials.id_token, credentials.nonce)
    return _of_access_token(credentials.access_token)


def _of_code(credentials: Credentials) -> Proof:
    """With OpenID Connect switched on at Kakao, an id token comes too, which holds the nonce."""
    config = require_configured(_NAME, "app_id", "client_ids", "rest_key")
    redirect_uri = credentials.redirect_uri
    if not redirect_uri:
        redirect_uri = require_configured(_NAME, "redirect_uri")["redirect_uri"]
    form = {
        "client_id": config["rest_key"],
        "redirect_uri": redirect_uri,
        "code": credentials.code,
    }
    if credentials.code_verifier:
        form["code_verifier"] = credentials.code_verifier
    if config["client_secret"]:
        form["client_secret"] = config["client_secret"]
    credentials.require_nonce()
    found = http.exchange_code(_NAME, f"{config['auth_url']}/oauth/token", form)
    id_token = found.get("id_token")
    if not isinstance(id_token, str):
        # A code that was stolen would do for anybody.
        logger.error("Kakao gave no id token: switch OpenID Connect on in its console")
        raise SocialTokenInvalid
    return _of_id_token(id_token, credentials.nonce)


def _of_id_token(token: str, nonce: str) -> Proof:
    config = require_configured(_NAME, "client_ids")
    claims = id_tokens.read(
        token,
        provider=_NAME,
        keys_url=f"{config['auth_url']}/.well-known/jwks.json",
        issuers=[_ISSUER],
        audiences=config["client_ids"],
    )
    id_tokens.require_same_nonce(claims, nonce)
    # Kakao's token says nothing of whether the address was checked.
    return make_proof(
        _NAME,
        subject=claims["sub"],
        expires_at=id_tokens.works_until(claims),
        name=claims.get("nickname"),
        email=claims.get("email"),
    )


def _of_access_token(token: str) -> Proof:
    """An access token says nothing by itself: Kakao is asked whose app it is for."""
    config = require_configured(_NAME, "app_id")
    bearer = {"Authorization": f"Bearer {token}"}
    info = http.call(_NAME, "GET", f"{config['api_url']}/v1/user/access_token_info", headers=bearer)
    if info.status != 200 or str(info.data.get("app_id")) != config["app_id"]:
        raise SocialTokenInvalid
    me = http.call(_NAME, "GET", f"{config['api_url']}/v2/user/me", headers=bearer)
    user_id = me.data.get("id")
    if me.status != 200 or not _is_number(user_id) or info.data.get("id") != user_id:
        raise SocialTokenInvalid
    account = me.data.get("kakao_account")
    account = account if isinstance(account, dict) else {}
    profile = account.get("profile")
    return make_proof(
        _NAME,
        subject=str(user_id),
        expires_at=in_seconds(info.data.get("expires_in")),
        name=profile.get("nickname") if isinstance(profile, dict) else "",
        email=account.get("email"),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def unlink(subject: str) -> None:
    """End the link of a user with this app at Kakao; one that has none is no error.

    Raises:
        ProviderNotConfigured, ProviderUnavailable: it is not done.
    """
    config = require_configured(_NAME, "admin_key")
    answer = http.call(
        _NAME,
        "POST",
        f"{config['api_url']}/v1/user/unlink",
        form={"target_id_type": "user_id", "target_id": subject},
        headers={"Authorization": f"KakaoAK {config['admin_key']}"},
    )
    if answer.status != 200 and answer.data.get("code") != _NOT_LINKED:
        logger.error("Kakao refuses to unlink: %s %s", answer.status, answer.data.get("code"))
        raise http.unavailable()
