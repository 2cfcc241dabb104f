"""Facebook: access tokens of classic login, id tokens of limited login (iOS); on a page, codes;
signed requests.

Source: developers.facebook.com, "Manually build a login flow" (debug_token), "Secure Graph API
calls" (appsecret_proof), "Limited Login: validating the token", "Data deletion request callback".
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import orjson

from apps.members.errors import SocialTokenInvalid
from apps.members.social import http, id_tokens
from apps.members.social.proof import Credentials, Proof, make_proof, require_configured

_NAME = "facebook"
# The second is what older versions of the SDK get.
_ISSUERS = ("https://limited.facebook.com", "https://www.facebook.com")
# Seconds that a token is remembered for which never expires: as long as the longest that does.
_NEVER = 60 * 24 * 3600


def verify(credentials: Credentials) -> Proof:
    """See social.verify."""
    if credentials.redirect_uri:
        return _of_access_token(_access_token_of_code(credentials))
    credentials.require_only("id_token", "access_token")
    if credentials.id_token:
        credentials.require_nonce()
        return _of_id_token(credentials)
    return _of_access_token(credentials.access_token)


def _access_token_of_code(credentials: Credentials) -> str:
    credentials.require_only("code")
    credentials.require_nonce()
    config = require_configured(_NAME, "app_id", "app_secret")
    found = http.exchange_code(
        _NAME,
        f"{config['graph_url']}/oauth/access_token",
        {
            "client_id": config["app_id"],
            "client_secret": config["app_secret"],
            "redirect_uri": credentials.redirect_uri,
            "code": credentials.code,
            "code_verifier": credentials.code_verifier,
        },
    )
    token = found.get("access_token")
    if not isinstance(token, str):
        raise SocialTokenInvalid
    return token


def _of_id_token(credentials: Credentials) -> Proof:
    config = require_configured(_NAME, "app_id")
    claims = id_tokens.read(
        credentials.id_token,
        provider=_NAME,
        keys_url=f"{config['limited_url']}/.well-known/oauth/openid/jwks/",
        issuers=_ISSUERS,
        audiences=[config["app_id"]],
    )
    id_tokens.require_same_nonce(claims, credentials.nonce)
    return make_proof(
        _NAME,
        subject=claims["sub"],
        expires_at=id_tokens.works_until(claims),
        name=claims.get("name"),
        email=claims.get("email"),
    )


def _of_access_token(token: str) -> Proof:
    config = require_configured(_NAME, "app_id", "app_secret")
    app_token = f"{config['app_id']}|{config['app_secret']}"
    query = {"input_token": token, "access_token": app_token}
    answer = http.call(_NAME, "GET", f"{config['graph_url']}/debug_token", query=query)
    info = answer.data.get("data")
    if answer.status != 200 or not isinstance(info, dict):
        raise SocialTokenInvalid
    if info.get("is_valid") is not True or str(info.get("app_id")) != config["app_id"]:
        raise SocialTokenInvalid
    query = {
        "fields": "id,name,email",
        "access_token": token,
        # The caller knows the app's secret: a token alone, stolen elsewhere, would not do.
        "appsecret_proof": hmac.new(
            config["app_secret"].encode(), token.encode(), hashlib.sha256
        ).hexdigest(),
    }
    me = http.call(_NAME, "GET", f"{config['graph_url']}/me", query=query)
    if me.status != 200 or not me.data.get("id") or me.data["id"] != info.get("user_id"):
        raise SocialTokenInvalid
    expires_at = info.get("expires_at")
    return make_proof(
        _NAME,
        subject=me.data["id"],
        expires_at=expires_at
        if isinstance(expires_at, int) and expires_at > 0
        else time.time() + _NEVER,
        name=me.data.get("name"),
        email=me.data.get("email"),
    )


def read_signed_request(text: str) -> Mapping[str, Any]:
    """What Facebook signed with the app's secret; raises SocialTokenInvalid."""
    config = require_configured(_NAME, "app_id", "app_secret")
    signature, _, payload = text.partition(".")
    expected = hmac.new(
        config["app_secret"].encode(), payload.encode("utf-8", "replace"), hashlib.sha256
    ).digest()
    try:
        sent = _decoded(signature)
        if not hmac.compare_digest(sent, expected):
            raise SocialTokenInvalid
        data = orjson.loads(_decoded(payload))
    except (binascii.Error, ValueError) as error:
        raise SocialTokenInvalid from error
    if not isinstance(data, dict) or data.get("algorithm") != "HMAC-SHA256":
        raise SocialTokenInvalid
    return data


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
