"""Leaving, and coming back, of who logs in with a provider."""

import dataclasses
import datetime as dt
import re
from typing import Any

import pytest

from apps.members import tasks
from apps.members.models import Leaving, Member, PendingUnlink, SocialIdentity
from apps.members.services import erasing
from igloo.laptop.providers.world import World
from tests.background import run_tasks
from tests.builders import PASSWORD, ApiClient, make_member
from tests.members.social import (
    JUN,
    MINJI,
    NEW_MEMBER,
    RESPELLED,
    WAYS,
    Unchanged,
    assert_refused,
    id_token_login,
    join,
    log_in,
    new_nonce,
)

ALL_WAYS = [pytest.param(*way, id=" ".join(way)) for way in WAYS]


def leave(client: ApiClient, provider: str, **body: Any) -> Any:
    return client.delete("/me", {"provider": provider} | body, format="json")


@pytest.mark.parametrize(("provider", "kind"), ALL_WAYS)
def test_a_new_login_is_proof_enough_to_leave_and_the_next_one_comes_back(
    anonymous: ApiClient, providers: World, provider: str, kind: str
) -> None:
    way = WAYS[provider, kind]
    body = way(anonymous, providers, provider)
    joined = log_in(anonymous, provider, **body, **NEW_MEMBER).json()
    member = Member.objects.get(pk=joined["member"]["id"])
    response = leave(ApiClient(member), provider, **way(anonymous, providers, provider))
    assert response.status_code == 202, response.content
    assert not Member.objects.get(pk=member.pk).is_active

    body = way(anonymous, providers, provider)
    with Unchanged():
        problem = log_in(anonymous, provider, **body).json()
        assert (problem["status"], problem["code"]) == (409, "account_leaving")
    assert problem["erase_at"] == response.json()["erase_at"]
    # A code works once at its provider: its ticket stands for it.
    back = log_in(anonymous, provider, social_ticket=problem["social_ticket"], restore=True)
    assert back.status_code == 200, back.content
    assert back.json()["member"]["id"] == str(member.pk)
    assert not Leaving.objects.exists()


def test_somebody_elses_login_is_no_proof(anonymous: ApiClient, providers: World) -> None:
    minji, jun = join(anonymous, providers, "kakao"), join(anonymous, providers, "kakao", JUN)
    for body in (
        id_token_login(anonymous, providers, "kakao", JUN),
        id_token_login(anonymous, providers, "kakao", JUN, aud="another-app"),
    ):
        client = ApiClient(minji)
        with Unchanged():
            assert_refused(leave(client, "kakao", **body), 401, "social_token_invalid")
    assert Member.objects.filter(pk__in=[minji.pk, jun.pk], is_active=True).count() == 2


@pytest.mark.parametrize("spelling", ["as it was", *RESPELLED])
def test_the_login_of_before_is_no_new_one(
    anonymous: ApiClient, providers: World, spelling: str
) -> None:
    token = providers.id_token(providers.login("google", MINJI))
    assert log_in(anonymous, "google", id_token=token, **NEW_MEMBER).status_code == 201
    client = ApiClient(Member.objects.get())
    if spelling in RESPELLED:
        token = RESPELLED[spelling](token)
    assert_refused(leave(client, "google", id_token=token), 401, "social_token_used")
    assert Member.objects.get().is_active


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/password", "required"),
        ({"id_token": "x"}, "/password", "required"),
        ({"provider": "kakao"}, "", "one_of"),
        ({"provider": "kakao", "id_token": "x", "access_token": "y"}, "", "one_of"),
        ({"provider": "myspace", "id_token": "x"}, "/provider", "invalid_choice"),
    ],
)
def test_what_is_no_proof_at_all(
    alice: ApiClient, providers: World, body: Any, pointer: str, code: str
) -> None:
    answer = alice.delete("/me", body, format="json")
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    if code == "required":
        assert "비밀번호" in error["detail"]
        assert "provider" in error["detail"]
    assert alice.get("/me").status_code == 200


@pytest.mark.parametrize("provider", ["kakao", "apple"])
def test_the_provider_is_told_when_the_way_back_is_over(
    committed: None,
    local_place: Any,
    later: Any,
    providers: World,
    provider: str,
) -> None:
    client = ApiClient()
    # A code gives Apple's refresh token, which is to be revoked.
    body = WAYS[provider, "code"](client, providers, provider)
    member = Member.objects.get(
        pk=log_in(client, provider, **body, **NEW_MEMBER).json()["member"]["id"]
    )
    leave(ApiClient(member), provider, **id_token_login(client, providers, provider))
    run_tasks()
    assert SocialIdentity.objects.exists()
    assert not providers.ended

    later(dt.timedelta(days=7, seconds=1))
    tasks.erase_due_members.enqueue()
    run_tasks()
    tasks.finish_erasing.enqueue()
    run_tasks()
    assert not Member.objects.exists()
    assert not SocialIdentity.objects.exists()
    assert not PendingUnlink.objects.exists()
    assert len(providers.ended) == 1


def test_a_login_of_an_account_that_an_operator_closed(
    anonymous: ApiClient, providers: World
) -> None:
    member = join(anonymous, providers, "kakao")
    Member.objects.filter(pk=member.pk).update(is_active=False)
    body = id_token_login(anonymous, providers, "kakao")
    with Unchanged():
        assert_refused(log_in(anonymous, "kakao", **body, restore=True), 401, "login_failed")


def test_the_password_still_does(providers: World, db: None) -> None:
    client = ApiClient(make_member("alice"))
    assert client.delete("/me", {"password": PASSWORD}, format="json").status_code == 202


def test_nobody_gets_the_name_of_someone_who_was_erased(
    anonymous: ApiClient, providers: World
) -> None:
    erasing._retain(make_member("alice"))
    Member.objects.all().delete()
    nonce = new_nonce(anonymous)
    person = dataclasses.replace(MINJI, name="Alice")
    token = providers.id_token(providers.login("google", person, nonce=nonce))
    answer = log_in(anonymous, "google", id_token=token, nonce=nonce, **NEW_MEMBER)
    assert answer.status_code == 201, answer.content
    assert re.fullmatch(r"alice\d{5}", answer.json()["member"]["username"])
