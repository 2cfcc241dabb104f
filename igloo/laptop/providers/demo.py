"""The settings with which igloo takes the stand-ins for the providers."""

from igloo.laptop.providers.world import make_apple_key


def settings_of(url: str, public_url: str) -> dict[str, dict[str, str]]:
    """Names and values, by whose they are. `url` is the stand-ins', `public_url` igloo's own."""
    return {
        # Where the stand-ins send a browser back to.
        "igloo": {"PUBLIC_BASE_URL": public_url},
        "kakao": {
            "KAKAO_AUTH_URL": f"{url}/kakao/kauth",
            "KAKAO_API_URL": f"{url}/kakao/kapi",
            "KAKAO_APP_ID": "1234567",
            "KAKAO_CLIENT_IDS": "demo-kakao-native,demo-kakao-rest",
            "KAKAO_REST_KEY": "demo-kakao-rest",
            "KAKAO_CLIENT_SECRET": "demo-kakao-secret",
            "KAKAO_ADMIN_KEY": "demo-kakao-admin",
            "KAKAO_REDIRECT_URI": f"{public_url}/demo/login",
            "KAKAO_WEB_LOGIN": "true",
        },
        "apple": {
            "APPLE_URL": f"{url}/apple",
            "APPLE_CLIENT_IDS": "com.example.igloo",
            "APPLE_SERVICES_ID": "com.example.igloo.web",
            "APPLE_TEAM_ID": "DEMOTEAM01",
            "APPLE_KEY_ID": "DEMOKEY001",
            "APPLE_PRIVATE_KEY": make_apple_key(),
        },
        "google": {
            "GOOGLE_URL": f"{url}/google",
            "GOOGLE_AUTH_URL": f"{url}/google",
            "GOOGLE_TOKEN_URL": f"{url}/google",
            "GOOGLE_CLIENT_IDS": "demo-ios.apps.googleusercontent.com",
            "GOOGLE_WEB_CLIENT_ID": "demo-web.apps.googleusercontent.com",
            "GOOGLE_WEB_CLIENT_SECRET": "demo-google-secret",
        },
        "facebook": {
            "FACEBOOK_GRAPH_URL": f"{url}/facebook/graph",
            "FACEBOOK_LIMITED_URL": f"{url}/facebook/limited",
            "FACEBOOK_WWW_URL": f"{url}/facebook/www",
            "FACEBOOK_APP_ID": "7654321",
            "FACEBOOK_APP_SECRET": "demo-facebook-secret",
            "FACEBOOK_WEB_LOGIN": "true",
        },
        "naver": {
            "NAVER_AUTH_URL": f"{url}/naver/nid",
            "NAVER_API_URL": f"{url}/naver/openapi",
            "NAVER_CLIENT_ID": "demo-naver",
            "NAVER_CLIENT_SECRET": "demo-naver-secret",
            "NAVER_WEB_LOGIN": "true",
        },
    }


def flat(values: dict[str, dict[str, str]]) -> dict[str, str]:
    """The same, as one."""
    return {name: value for group in values.values() for name, value in group.items()}
