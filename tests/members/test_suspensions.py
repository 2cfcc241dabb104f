"""A suspension is not shaken off by leaving, by unlinking or at the provider."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.members.models import Member, RetainedRecord
from apps.members.services import erasing, suspensions
from igloo.laptop.providers.world import World
from tests.builders import PASSWORD, ApiClient, make_member
from tests.members.planted import columns_with
from tests.members.social import JUN, MINJI, NEW_MEMBER, id_token_login, join, log_in
from tests.members.test_erasing import run_periodic
from tests.members.test_social_leaving import leave
from tests.members.webhooks import send

DAY = dt.timedelta(days=1)
WEEK = 7 * DAY


def suspend(member: Member, days: int) -> dt.datetime:
    until = timezone.now() + days * DAY
    Member.objects.filter(pk=member.pk).update(suspended_until=until)
    return until


def rejoin(providers: World, provider: str = "kakao", person: Any = MINJI) -> Any:
    """A new member; what the API says of until when they are suspended."""
    client = ApiClient()
    body = id_token_login(client, providers, provider, person)
    response = log_in(client, provider, **body, **NEW_MEMBER)
    assert response.status_code == 201, response.content
    return response.json()["member"]["suspended_until"]


def leave_and_be_erased(
    member: Member, providers: World, provider: str, later: Any, after: dt.timedelta = WEEK
) -> None:
    """`after` is since the test began."""
    client = ApiClient(member)
    body = id_token_login(client, providers, provider)
    assert leave(client, provider, **body).status_code == 202
    later(after)
    run_periodic()
    assert not Member.objects.filter(pk=member.pk).exists()


@pytest.mark.parametrize("provider", ["kakao", "apple", "google"])
def test_who_was_erased_joins_again_suspended(
    committed: None,
    local_place: Any,
    later: Any,
    providers: World,
    provider: str,
) -> None:
    member = join(ApiClient(), providers, provider)
    until = suspend(member, 30)
    leave_and_be_erased(member, providers, provider, later)
    [record] = RetainedRecord.objects.filter(kind="suspension")
    assert (record.data, record.delete_at) == ({"until": until.isoformat()}, until)
    assert columns_with(MINJI.subject(provider)) == set()

    assert rejoin(providers, provider, JUN) is None
    assert rejoin(providers, provider) == until.isoformat().replace("+00:00", "Z")
    again = ApiClient(Member.objects.latest("created_at"))
    answer = again.patch("/me", {"bio": "x"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")


def test_when_it_is_over_nothing_is_left_of_it(
    committed: None,
    local_place: Any,
    later: Any,
    providers: World,
) -> None:
    member = join(ApiClient(), providers, "kakao")
    suspend(member, 30)
    leave_and_be_erased(member, providers, "kakao", later)
    later(31 * DAY)
    assert erasing.delete_retained_records() >= 1
    assert not RetainedRecord.objects.filter(kind="suspension").exists()


@pytest.mark.parametrize("days", [None, 3])
def test_nothing_is_kept_of_who_is_suspended_no_more(
    committed: None,
    local_place: Any,
    later: Any,
    providers: World,
    days: int | None,
) -> None:
    member = join(ApiClient(), providers, "kakao")
    if days:
        suspend(member, days)
    leave_and_be_erased(member, providers, "kakao", later)
    assert not RetainedRecord.objects.filter(kind="suspension").exists()
    assert rejoin(providers) is None


@pytest.mark.parametrize("how", ["unlinked", "at the provider"])
def test_a_login_that_is_taken_away_brings_no_free_account(
    providers: World, db: None, how: str
) -> None:
    member = join(ApiClient(), providers, "kakao")
    member.set_password(PASSWORD)
    member.save(update_fields=["password"])
    until = suspend(member, 30)
    if how == "unlinked":
        assert ApiClient(member).delete("/me/identities/kakao").status_code == 204
    else:
        assert send(Client(), providers, "kakao").status_code == 200
    body = id_token_login(ApiClient(), providers, "kakao")
    client = ApiClient()
    response = log_in(client, "kakao", **body, **NEW_MEMBER)
    assert response.status_code == 201
    found = response.json()["member"]["suspended_until"]
    assert found == until.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.parametrize("days", [None, 3, 60])
def test_what_an_operator_decides_holds_for_the_accounts_to_come(
    committed: None,
    local_place: Any,
    later: Any,
    providers: World,
    days: int | None,
    is_lost: bool,
) -> None:
    """The suspension came with the login, from an account that was erased before."""
    first = join(ApiClient(), providers, "kakao")
    suspend(first, 30)
    leave_and_be_erased(first, providers, "kakao", later)
    rejoin(providers)
    second = Member.objects.get()
    if is_lost:
        second.set_password(PASSWORD)
        second.save(update_fields=["password"])
        assert ApiClient(second).delete("/me/identities/kakao").status_code == 204
    second.suspended_until = suspend(second, days) if days else None
    second.save(update_fields=["suspended_until"])
    suspensions.follow_suspension(member=second)
    kept = suspensions.suspended_until(provider="kakao", subject=MINJI.subject("kakao"))
    assert kept == second.suspended_until
    if not is_lost:
        leave_and_be_erased(second, providers, "kakao", later, after=3 * WEEK)
    # Until it is over; who was let go joins as anybody does.
    found = rejoin(providers)
    assert found == (
        kept.isoformat().replace("+00:00", "Z") if kept and kept > timezone.now() else None
    )


@pytest.mark.parametrize("before", [None, 3])
def test_one_that_came_after_the_providers_notice_stays_too(
    committed: None, local_place: Any, later: Any, providers: World, before: int | None
) -> None:
    """The login is gone by then. The longer one of two holds."""
    member = join(ApiClient(), providers, "kakao")
    if before:
        suspend(member, before)
    assert send(Client(), providers, "kakao").status_code == 200
    until = suspend(member, 30)
    later(WEEK)
    run_periodic()
    assert not Member.objects.filter(pk=member.pk).exists()
    assert rejoin(providers, "kakao", JUN) is None
    assert rejoin(providers) == until.isoformat().replace("+00:00", "Z")


def unlinked_while_suspended(providers: World, days: int) -> dt.datetime:
    """A member who took Kakao's login away; until when they are suspended."""
    member = join(ApiClient(), providers, "kakao")
    member.set_password(PASSWORD)
    member.save(update_fields=["password"])
    until = suspend(member, days)
    assert ApiClient(member).delete("/me/identities/kakao").status_code == 204
    return until


@pytest.mark.parametrize("own", [None, 3, 60])
def test_linking_shakes_no_suspension_off(providers: World, db: None, own: int | None) -> None:
    """The longer one of the two holds, from the linking on."""
    kept = unlinked_while_suspended(providers, 30)
    other = make_member("other")
    until = max(kept, suspend(other, own)) if own else kept
    client = ApiClient(other)
    etag = client.get("/me")["ETag"]
    body = id_token_login(client, providers, "kakao")
    assert client.put("/me/identities/kakao", body, format="json").status_code == 204
    seen = client.get("/me", headers={"If-None-Match": etag})
    if own != 60:
        assert seen.json()["suspended_until"] == until.isoformat().replace("+00:00", "Z")
    other.refresh_from_db()
    assert other.suspended_until == until
    phone = ApiClient()
    login = log_in(phone, "kakao", **id_token_login(phone, providers, "kakao")).json()
    assert login["member"]["id"] == str(other.pk)
    assert login["member"]["suspended_until"] == until.isoformat().replace("+00:00", "Z")


def test_linking_anothers_login_suspends_nobody(providers: World, db: None) -> None:
    unlinked_while_suspended(providers, 30)
    client = ApiClient(make_member("other"))
    body = id_token_login(client, providers, "kakao", JUN)
    assert client.put("/me/identities/kakao", body, format="json").status_code == 204
    assert client.get("/me").json()["suspended_until"] is None


def test_coming_back_shakes_no_suspension_off(providers: World, db: None) -> None:
    """Of another account that the login was linked to since its provider ended it here."""
    member = join(ApiClient(), providers, "kakao")
    assert send(Client(), providers, "kakao").status_code == 200
    other = make_member("other")
    client = ApiClient(other)
    body = id_token_login(client, providers, "kakao")
    assert client.put("/me/identities/kakao", body, format="json").status_code == 204
    until = suspend(other, 30)
    assert client.delete("/me/identities/kakao").status_code == 204
    phone = ApiClient()
    again = id_token_login(phone, providers, "kakao")
    back = log_in(phone, "kakao", **again, restore=True).json()["member"]
    assert back["id"] == str(member.pk)
    assert back["suspended_until"] == until.isoformat().replace("+00:00", "Z")
