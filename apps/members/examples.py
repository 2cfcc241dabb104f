"""Examples for the API's document."""

from typing import Any

MEMBER: dict[str, Any] = {
    "id": "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a11",
    "username": "minji.home",
    "display_name": "민지",
    "bio": "볕 잘 드는 13평에서 식물과 살아요.",
    "avatar": None,
    "kind": "common",
    "posts_count": 3,
    "followers_count": 0,
    "following_count": 0,
}
OTHER_MEMBER = MEMBER | {"followed_by_me": False, "follows_me": False}
CONSENTS = [
    {"kind": "terms", "version": "2026-11-01", "granted": True},
    {"kind": "privacy", "version": "2026-11-01", "granted": True},
]
CONSENTS_SAID = [consent | {"created_at": "2026-11-23T09:00:00Z"} for consent in CONSENTS]
MARKETING = {
    "kind": "marketing",
    "granted": True,
    "version": "2026-11-01",
    "created_at": "2026-11-23T09:00:00Z",
    "current_version": "2026-11-01",
    "agree_again": False,
    "confirm_by": "2028-11-22T09:00:00Z",
}
ME = MEMBER | {
    "email": None,
    "email_verified": False,
    "has_password": True,
    "locale": "ko",
    "created_at": "2026-11-23T09:00:00Z",
    "suspended_until": None,
    "consents": CONSENTS_SAID,
}
DEVICE = {"name": "민지의 iPhone", "platform": "ios", "app_version": "1.0.0"}
LOGIN = {"username": "minji.home", "password": "a long passphrase", "device": DEVICE}
SIGNUP = LOGIN | {"birth_date": "1996-05-04", "consents": CONSENTS}
TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiJ9.…",
    "refresh_token": "6kq0vX3cQm0yq7k…",
    "token_type": "Bearer",
    "expires_in": 900,
    "member": ME,
}
SESSION = {
    "id": "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a12",
    "device": DEVICE,
    "place": None,
    "created_at": "2026-11-23T09:00:00Z",
    "last_used_at": "2026-11-23T09:00:00Z",
    "current": True,
}

# What a link in a mail carries.
LINK = {"token": "019a7c1e8f3b7c409d555d1c0f6e2a11.d0a1b2-5e3c…"}
LEAVING = {"erase_at": "2026-11-30T09:00:00Z"}
EXPORT_STARTED = {"id": "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a13", "status": "processing"}
EXPORT = {
    "id": "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a13",
    "status": "ready",
    "url": "https://igloo.example.com/account/export/IjAxOWE3…",
    "expires_at": "2026-11-24T09:00:00Z",
    "size": 48210044,
}
SOCIAL_LOGIN = {
    "id_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2ln",
    "nonce": "mBq3vXs0c1yq7kY2vJ5uQw",
    "device": DEVICE,
    "birth_date": "1996-05-04",
    "consents": CONSENTS,
}
NONCE = {"nonce": "mBq3vXs0c1yq7kY2vJ5uQw", "expires_at": "2026-11-23T09:10:00Z"}
IDENTITY = {"provider": "kakao", "linked_at": "2026-11-23T09:00:00Z"}


def page(item: Any) -> dict[str, Any]:
    """A list of one."""
    return {"items": [item], "next_cursor": None}
