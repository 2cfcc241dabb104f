"""The settings of the providers that members log in with: docs/social-login.md."""

from collections.abc import Iterator, Mapping
from typing import Any

from igloo.config import Config

# What a deployed stage needs of a provider that it uses. Kakao and Apple have to be told when
# somebody is gone.
_TOGETHER = {
    "kakao": ("app_id", "client_ids", "admin_key"),
    "apple": ("client_ids", "team_id", "key_id", "private_key"),
    "facebook": ("app_id", "app_secret"),
    "naver": ("client_id", "client_secret"),
}


def social_settings(config: Config) -> dict[str, dict[str, Any]]:
    """By provider. One whose ids are missing is not configured: its route says so."""
    return {
        "kakao": {
            "auth_url": config.text("KAKAO_AUTH_URL", "https://kauth.kakao.com"),
            "api_url": config.text("KAKAO_API_URL", "https://kapi.kakao.com"),
            # A number, as text.
            "app_id": config.text("KAKAO_APP_ID"),
            # The app's native and REST API keys: whom an id token may be for.
            "client_ids": config.words("KAKAO_CLIENT_IDS"),
            # To exchange codes, which are for the REST API key.
            "rest_key": config.text("KAKAO_REST_KEY"),
            "client_secret": config.text("KAKAO_CLIENT_SECRET"),
            "redirect_uri": config.text("KAKAO_REDIRECT_URI"),
            # To unlink, and to know Kakao's own calls by.
            "admin_key": config.text("KAKAO_ADMIN_KEY"),
        },
        "apple": {
            "url": config.text("APPLE_URL", "https://appleid.apple.com"),
            # The app's bundle id first, which a code without an id token is for; then service ids.
            "client_ids": config.words("APPLE_CLIENT_IDS"),
            "team_id": config.text("APPLE_TEAM_ID"),
            "key_id": config.text("APPLE_KEY_ID"),
            # PEM; in one line with \\n where a variable can't hold lines.
            "private_key": config.text("APPLE_PRIVATE_KEY").replace("\\n", "\n"),
        },
        "google": {
            "url": config.text("GOOGLE_URL", "https://www.googleapis.com"),
            "client_ids": config.words("GOOGLE_CLIENT_IDS"),
        },
        "facebook": {
            "graph_url": config.text("FACEBOOK_GRAPH_URL", "https://graph.facebook.com"),
            "limited_url": config.text("FACEBOOK_LIMITED_URL", "https://limited.facebook.com"),
            "app_id": config.text("FACEBOOK_APP_ID"),
            "app_secret": config.text("FACEBOOK_APP_SECRET"),
        },
        "naver": {
            "auth_url": config.text("NAVER_AUTH_URL", "https://nid.naver.com"),
            "api_url": config.text("NAVER_API_URL", "https://openapi.naver.com"),
            "client_id": config.text("NAVER_CLIENT_ID"),
            "client_secret": config.text("NAVER_CLIENT_SECRET"),
        },
    }


def social_problems(social: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What a deployed stage must not start with, in words."""
    for provider, values in social.items():
        for name, value in values.items():
            if name.endswith("url") and not value.startswith("https://"):
                yield f"{provider}'s {name} must be https"
        names = _TOGETHER.get(provider, ())
        missing = [name for name in names if not values[name]]
        if missing and len(missing) < len(names):
            yield f"{provider} lacks {', '.join(missing)} (docs/social-login.md)"
