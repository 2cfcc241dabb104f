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
# Logging in on a page of ours: by which settings it is asked for, and what else it takes.
_FOR_WEB: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "kakao": (("web_login",), ("app_id", "client_ids", "rest_key")),
    "apple": (("services_id",), ("client_ids", "team_id", "key_id", "private_key")),
    "google": (("web_client_id", "web_client_secret"), ()),
    "facebook": (("web_login",), ("app_id", "app_secret")),
    "naver": (("web_login",), ("client_id", "client_secret")),
}


def social_settings(config: Config) -> dict[str, dict[str, Any]]:
    """By provider. One whose ids are missing is not configured: its route says so.

    `has_web_login` says whether somebody can log in with it on a page of ours.
    """
    found = _by_provider(config)
    for provider, values in found.items():
        asked, needed = _FOR_WEB[provider]
        values["has_web_login"] = all(values[name] for name in (*asked, *needed))
    return found


def _by_provider(config: Config) -> dict[str, dict[str, Any]]:
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
            # The app's; of the page it is made.
            "redirect_uri": config.text("KAKAO_REDIRECT_URI"),
            # Its console knows the page's redirect URI.
            "web_login": config.flag("KAKAO_WEB_LOGIN"),
            # To unlink, and to know Kakao's own calls by.
            "admin_key": config.text("KAKAO_ADMIN_KEY"),
        },
        "apple": {
            "url": config.text("APPLE_URL", "https://appleid.apple.com"),
            # The app's bundle id first, which a code without an id token is for; then service ids.
            "client_ids": config.words("APPLE_CLIENT_IDS"),
            # Whom a login on a page is for.
            "services_id": config.text("APPLE_SERVICES_ID"),
            "team_id": config.text("APPLE_TEAM_ID"),
            "key_id": config.text("APPLE_KEY_ID"),
            # PEM; in one line with \\n where a variable can't hold lines.
            "private_key": config.text("APPLE_PRIVATE_KEY").replace("\\n", "\n"),
        },
        "google": {
            "url": config.text("GOOGLE_URL", "https://www.googleapis.com"),
            "client_ids": config.words("GOOGLE_CLIENT_IDS"),
            "auth_url": config.text("GOOGLE_AUTH_URL", "https://accounts.google.com"),
            "token_url": config.text("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com"),
            "web_client_id": config.text("GOOGLE_WEB_CLIENT_ID"),
            "web_client_secret": config.text("GOOGLE_WEB_CLIENT_SECRET"),
        },
        "facebook": {
            "graph_url": config.text("FACEBOOK_GRAPH_URL", "https://graph.facebook.com"),
            "limited_url": config.text("FACEBOOK_LIMITED_URL", "https://limited.facebook.com"),
            "www_url": config.text("FACEBOOK_WWW_URL", "https://www.facebook.com"),
            "app_id": config.text("FACEBOOK_APP_ID"),
            "app_secret": config.text("FACEBOOK_APP_SECRET"),
            "web_login": config.flag("FACEBOOK_WEB_LOGIN"),
        },
        "naver": {
            "auth_url": config.text("NAVER_AUTH_URL", "https://nid.naver.com"),
            "api_url": config.text("NAVER_API_URL", "https://openapi.naver.com"),
            "client_id": config.text("NAVER_CLIENT_ID"),
            "client_secret": config.text("NAVER_CLIENT_SECRET"),
            "web_login": config.flag("NAVER_WEB_LOGIN"),
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
        asked, needed = _FOR_WEB[provider]
        missing = [name for name in (*asked, *needed) if not values[name]]
        if missing and any(values[name] for name in asked):
            yield f"{provider}'s web login lacks {', '.join(missing)} (docs/social-login.md)"
