"""/demo/login: a page that logs in as an app would, with the stand-ins for the providers.

Only where `make run` has started them: see `DEMO_PROVIDERS` in the settings.
"""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import path

_FILE = Path(__file__).with_name("login.html")


def _logins() -> list[dict[str, str]]:
    """Where each provider's login begins, and what comes back from there."""
    social = settings.SOCIAL
    starts = {
        "kakao": ("code", f"{social['kakao']['auth_url']}/oauth/authorize", "rest_key"),
        "apple": ("code id_token", f"{social['apple']['url']}/auth/authorize", "client_ids"),
        "google": ("id_token", f"{social['google']['auth_url']}/o/oauth2/v2/auth", "client_ids"),
        "facebook": ("id_token", f"{social['facebook']['limited_url']}/dialog/oauth", "app_id"),
        "naver": ("code", f"{social['naver']['auth_url']}/oauth2.0/authorize", "client_id"),
    }
    found = []
    for provider, (kind, url, name) in starts.items():
        client = social[provider][name]
        client_id = client[0] if isinstance(client, list) else client
        found.append({"provider": provider, "kind": kind, "url": url, "client_id": client_id})
    return found


def login_page(request: HttpRequest) -> HttpResponse:
    """The page; its script talks to the API alone."""
    data = {
        "logins": _logins(),
        "redirect_uri": settings.SOCIAL["kakao"]["redirect_uri"],
        "consents": settings.CONSENT_VERSIONS,
    }
    page = Template(_FILE.read_text(encoding="utf-8"))
    return HttpResponse(page.render(Context({"data": data, **data})))


urlpatterns = [path("login", login_page)]
