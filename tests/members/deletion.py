"""Deleting an account with a login at a provider, as a browser does it."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from apps.members.models import Member, SocialIdentity
from igloo.laptop.providers.world import Person, World
from tests.builders import make_member
from tests.members.social import MINJI
from tests.members.test_social_demo import get

DELETE = "/account/delete"
PROVIDERS = ("kakao", "apple", "google", "facebook", "naver")
COOKIE = "igloo-login"


def new_browser() -> Client:
    """One that speaks English and checks CSRF as a real one meets it."""
    return Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})


@pytest.fixture
def browser() -> Client:
    """Somebody's."""
    return new_browser()


@pytest.fixture(autouse=True)
def at_public_address(providers: World, settings: Settings) -> None:
    """The stand-ins know igloo by this address."""
    settings.PUBLIC_BASE_URL = providers.values["PUBLIC_BASE_URL"]


def member_of(provider: str, person: Person = MINJI, username: str = "alice") -> Member:
    """Who logs in with that provider and nothing else, and has no address."""
    member = make_member(username)
    member.set_unusable_password()
    member.save(update_fields=["password"])
    SocialIdentity.objects.create(
        member=member, provider=provider, subject=person.subject(provider)
    )
    return member


def begin(browser: Client, provider: str, **fields: str) -> Any:
    """Press a provider's button; the answer to that."""
    page = browser.get(DELETE).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    return browser.post(f"{DELETE}/{provider}", {"csrfmiddlewaretoken": token[1]} | fields)


def choose(address: str, person: str = "0") -> str:
    """Choose somebody, or `nobody`, on the stand-in's page; our path that it leads to."""
    status, page, _ = get(address)
    assert (status, MINJI.name in page) == (200, True), page
    status, _, back = get(f"{address}&person={person}")
    assert status == 302
    parts = urlsplit(back)
    return f"{parts.path}?{parts.query}"


def answer_for(browser: Client, provider: str, person: str = "0") -> str:
    """Where a login that began in the browser comes back to."""
    return choose(begin(browser, provider)["Location"], person)


def query_of(address: str) -> dict[str, str]:
    """What an address holds, each once."""
    found = parse_qs(urlsplit(address).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}
