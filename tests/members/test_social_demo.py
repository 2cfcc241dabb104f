"""The page of `make run`, and the way through a stand-in's own page and back."""

import http.client
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import RequestFactory

from igloo.laptop.providers.demo_page import login_page
from igloo.laptop.providers.world import World
from tests.builders import ApiClient
from tests.members.social import MINJI, NEW_MEMBER, log_in, new_nonce


def page_data() -> dict[str, Any]:
    """What the page's script is given."""
    page = login_page(RequestFactory().get("/demo/login")).content.decode()
    [text] = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page)
    found: dict[str, Any] = json.loads(text)
    return found


def get(url: str) -> tuple[int, str, str]:
    """The status, the body, and where a redirect leads."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers.get("Location", "")
    finally:
        connection.close()


def post(url: str) -> tuple[int, Any]:
    """The status, and the JSON of the answer to a POST of nothing."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("POST", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize("provider", ["kakao", "apple", "google", "facebook", "naver"])
def test_somebody_agrees_at_the_provider_and_is_logged_in(
    anonymous: ApiClient, providers: World, provider: str
) -> None:
    data = page_data()
    [login] = [found for found in data["logins"] if found["provider"] == provider]
    nonce = new_nonce(anonymous)
    query = {
        "client_id": login["client_id"],
        "redirect_uri": data["redirect_uri"],
        "state": nonce,
        "nonce": nonce,
    }
    status, page, _ = get(f"{login['url']}?{urlencode(query)}")
    assert (status, MINJI.name in page) == (200, True)
    status, _, address = get(f"{login['url']}?{urlencode(query | {'person': '0'})}")
    assert status == 302
    assert address.startswith(data["redirect_uri"])
    back = urlsplit(address)
    found = parse_qs(back.query or back.fragment)
    assert found["state"] == [nonce]
    proof = {kind: found[kind][0] for kind in login["kind"].split()} | {"nonce": nonce}
    assert log_in(anonymous, provider, **proof, **NEW_MEMBER).status_code == 201


def test_an_app_that_the_provider_does_not_know_gets_nothing(providers: World) -> None:
    for login in page_data()["logins"]:
        query = {"client_id": "other", "redirect_uri": "https://evil.example", "person": "0"}
        status, _, address = get(f"{login['url']}?{urlencode(query)}")
        assert (status, address) == (400, "")
