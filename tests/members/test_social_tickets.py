"""What a login at a provider proves once: tickets of it, and a token that was used."""

import time
from typing import Any

import pytest

from igloo.laptop.providers.world import World
from tests.builders import ApiClient
from tests.members.social import (
    MINJI,
    NEW_MEMBER,
    Unchanged,
    assert_refused,
    id_token_login,
    log_in,
    token_login,
)

pytestmark = pytest.mark.django_db


def test_an_id_token_works_again_after_the_consents_were_asked_for(
    anonymous: ApiClient, providers: World
) -> None:
    body = id_token_login(anonymous, providers, "kakao")
    ticket = log_in(anonymous, "kakao", **body).json()["social_ticket"]
    assert log_in(anonymous, "kakao", **body, **NEW_MEMBER).status_code == 201
    with Unchanged():
        response = log_in(anonymous, "kakao", social_ticket=ticket)
        assert_refused(response, 401, "social_token_used")


@pytest.mark.parametrize(
    "change", ["other provider", "cut", "changed", "old", "another service's signature"]
)
def test_a_ticket_that_is_none(
    anonymous: ApiClient, providers: World, settings: Any, change: str
) -> None:
    if change == "old":
        settings.SOCIAL_TICKET_SECONDS = -1
    body = id_token_login(anonymous, providers, "kakao")
    ticket = log_in(anonymous, "kakao", **body).json()["social_ticket"]
    provider = "kakao"
    match change:
        case "other provider":
            provider = "apple"
        case "cut":
            ticket = ticket[:-5]
        case "changed":
            ticket = ticket[:10] + ("A" if ticket[10] != "A" else "B") + ticket[11:]
        case "another service's signature":
            settings.SECRET_KEY = "another" * 8
    with Unchanged():
        response = log_in(anonymous, provider, social_ticket=ticket, **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")


def test_a_ticket_of_a_ticket_works_no_longer(
    anonymous: ApiClient, providers: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = token_login(anonymous, providers, "kakao")
    first = log_in(anonymous, "kakao", **body).json()
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 400)
    second = log_in(anonymous, "kakao", social_ticket=first["social_ticket"]).json()
    assert (second["code"], second["expires_in"] <= 200) == ("consent_required", True)
    monkeypatch.setattr("time.time", lambda: now + 601)
    with Unchanged():
        response = log_in(anonymous, "kakao", social_ticket=second["social_ticket"], **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")


@pytest.mark.parametrize("more", ["=", "==", "!", "==!!!!"])
def test_a_spent_token_whose_signature_is_spelled_otherwise_is_spent(
    anonymous: ApiClient, providers: World, more: str
) -> None:
    """Base64 has several spellings of a signature, and Google's token may come without a nonce."""
    token = providers.id_token(providers.login("google", MINJI))
    assert log_in(anonymous, "google", id_token=token, **NEW_MEMBER).status_code == 201
    with Unchanged():
        response = log_in(anonymous, "google", id_token=token + more)
        assert_refused(response, 401, "social_token_used")
