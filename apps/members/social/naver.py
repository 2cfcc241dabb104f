"""Naver: codes. A bare access token names no app, so none is taken.

Source: developers.naver.com, "네이버 로그인 API 명세".
"""

import time

from apps.members.errors import SocialTokenInvalid
from apps.members.social import http
from apps.members.social.proof import (
    CODE_SECONDS,
    Credentials,
    Proof,
    make_proof,
    require_configured,
)

_NAME = "naver"


def verify(credentials: Credentials) -> Proof:
    """See social.verify. The nonce is the `state` that the login began with."""
    credentials.require_only("code")
    config = require_configured(_NAME, "client_id", "client_secret")
    credentials.require_nonce()
    found = http.exchange_code(
        _NAME,
        f"{config['auth_url']}/oauth2.0/token",
        {
            "client_id": config["client_id"],
            "client_secret": config["client_secret"],
            "code": credentials.code,
            "state": credentials.nonce,
        },
    )
    token = found.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise SocialTokenInvalid
    me = http.call(
        _NAME,
        "GET",
        f"{config['api_url']}/v1/nid/me",
        headers={"Authorization": f"Bearer {token}"},
    )
    person = me.data.get("response")
    if me.status != 200 or me.data.get("resultcode") != "00" or not isinstance(person, dict):
        raise SocialTokenInvalid
    return make_proof(
        _NAME,
        subject=person.get("id"),
        expires_at=time.time() + CODE_SECONDS,
        name=person.get("nickname") or person.get("name"),
        email=person.get("email"),
    )
