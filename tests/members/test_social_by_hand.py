"""The stand-ins by hand: what docs/social-login.md says to paste, and the buttons of their page."""

import re
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from apps.members.models import Leaving, Member, SocialIdentity
from igloo.laptop.providers.by_hand import TELLING
from igloo.laptop.providers.server import ProviderServer
from igloo.laptop.providers.world import PROVIDERS, World
from tests.builders import ApiClient
from tests.members.social import JUN, MINJI, NEW_MEMBER, join, log_in, new_nonce
from tests.members.test_social_demo import get, post

DOCS = (Path(settings.BASE_DIR) / "docs" / "social-login.md").read_text(encoding="utf-8")


@pytest.fixture
def told(
    committed: None, live_server: LiveServer, providers: World, monkeypatch: pytest.MonkeyPatch
) -> World:
    """The stand-ins, whose notices go to a real server of this test's."""
    monkeypatch.setitem(providers.values, "PUBLIC_BASE_URL", live_server.url)
    return providers


def test_the_docs_work_when_pasted(
    told: World, live_server: LiveServer, provider_server: ProviderServer
) -> None:
    [script] = re.findall(r"test_social_by_hand\.py runs these\. -->\n```sh\n(.*?)```", DOCS, re.S)
    script = script.replace("http://localhost:8000", live_server.url)
    script = script.replace("http://127.0.0.1:40000", provider_server.url)
    said = subprocess.run(
        ["bash", "-e"], input=script, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    answers: list[Any] = [orjson.loads(line) for line in said.splitlines() if line]
    me, refused, linked, notice, left = answers
    assert me["email"] == MINJI.email
    assert (refused["status"], refused["code"]) == (401, "nonce_invalid")
    assert [item["provider"] for item in linked["items"]] == ["kakao", "apple"]
    assert notice == {"igloo_answered": 200, "with": ""}
    assert [item["provider"] for item in left["items"]] == ["apple"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_login_by_hand_is_one(
    anonymous: ApiClient, providers: World, provider_server: ProviderServer, provider: str
) -> None:
    nonce = new_nonce(anonymous)
    status, login = post(f"{provider_server.url}/{provider}/sdk?person=1&nonce={nonce}")
    assert status == 200
    assert log_in(anonymous, provider, **login, **NEW_MEMBER).status_code == 201
    assert SocialIdentity.objects.get().subject == JUN.subject(provider)


@pytest.mark.parametrize("provider", TELLING)
def test_a_notice_by_hand_ends_the_login(
    told: World, provider_server: ProviderServer, provider: str
) -> None:
    member = join(ApiClient(), told, provider)
    status, page, _ = get(f"{provider_server.url}/")
    action = f"/{provider}/notice?person=0"
    assert (status, f'action="{action}"' in page) == (200, True)
    assert post(f"{provider_server.url}{action}")[1]["igloo_answered"] == 200
    assert not SocialIdentity.objects.exists()
    assert Leaving.objects.get().member == member
    # Once more it is nobody's.
    answer = post(f"{provider_server.url}{action}")[1]
    assert answer["igloo_answered"] == 200
    assert Member.objects.count() == 1


@pytest.mark.parametrize("person", ["3", "-1", "x", "%C2%B2"])
def test_a_person_that_there_is_none_of(provider_server: ProviderServer, person: str) -> None:
    assert post(f"{provider_server.url}/kakao/sdk?person={person}")[0] == 400
