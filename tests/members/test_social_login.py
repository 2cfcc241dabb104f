"""POST /auth/nonce and POST /auth/social/{provider}, against providers' own protocols."""

import datetime as dt
import re
import threading
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.common.models import IdempotencyKey, RateWindow
from apps.members.models import Member, SocialIdentity, SocialNonce, SpentCredential
from apps.members.services import proofs, signup
from igloo.laptop.providers.world import World
from tests.builders import CONSENTS_JSON, DEVICE_JSON, ApiClient, make_member, suspended
from tests.concurrency import at_once
from tests.members.social import (
    JUN,
    MINJI,
    NEW_MEMBER,
    RESPELLED,
    WAYS,
    Unchanged,
    assert_refused,
    code_login,
    id_token_login,
    join,
    log_in,
    new_nonce,
    token_login,
)

ALL_WAYS = [pytest.param(*way, id=" ".join(way)) for way in WAYS]


def test_a_nonce_is_given_out_once_and_kept_as_a_hash(anonymous: ApiClient) -> None:
    response = anonymous.post("/auth/nonce")
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    left = dt.datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert dt.timedelta(minutes=9) < left <= dt.timedelta(minutes=10)
    assert new_nonce(anonymous) != body["nonce"]
    assert body["nonce"] not in str(list(SocialNonce.objects.values()))


def test_a_nonce_is_given_again_to_the_same_key_alone(anonymous: ApiClient) -> None:
    first, again, other = (
        anonymous.post("/auth/nonce", headers={"Idempotency-Key": key})
        for key in ("a tap", "a tap", "another")
    )
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"
    assert again["Cache-Control"] == "no-store"
    assert other.json()["nonce"] != first.json()["nonce"]
    assert SocialNonce.objects.count() == 2
    # What is kept of the answer is encrypted with the key.
    kept = b"".join(bytes(row.answer or b"") for row in IdempotencyKey.objects.all())
    assert kept
    assert first.json()["nonce"].encode() not in kept


@pytest.mark.parametrize(("provider", "kind"), ALL_WAYS)
def test_somebody_new_becomes_a_member_and_is_known_the_next_time(
    anonymous: ApiClient, providers: World, provider: str, kind: str
) -> None:
    way = WAYS[provider, kind]
    response = log_in(anonymous, provider, **way(anonymous, providers, provider), **NEW_MEMBER)
    assert response.status_code == 201, response.content
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access_token']}")
    me = anonymous.get("/me").json()
    assert me == body["member"]
    said = [{name: row[name] for name in ("kind", "version", "granted")} for row in me["consents"]]
    assert said == sorted(CONSENTS_JSON, key=lambda consent: consent["kind"])
    assert me["email"] == MINJI.email
    # Apple and Google sign that they checked it; the others don't.
    assert me["email_verified"] is (provider in ("apple", "google"))
    assert me["display_name"] == (me["username"] if provider == "apple" else "민지")
    identity = SocialIdentity.objects.get()
    assert (identity.provider, identity.subject) == (provider, MINJI.subject(provider))
    assert not Member.objects.get().has_usable_password()

    anonymous.credentials()
    again = log_in(anonymous, provider, **way(anonymous, providers, provider))
    assert again.status_code == 200, again.content
    assert again.json()["member"]["id"] == me["id"]
    assert Member.objects.count() == 1


@pytest.mark.parametrize(("provider", "kind"), ALL_WAYS)
def test_what_logged_somebody_in_does_so_no_second_time(
    anonymous: ApiClient, providers: World, provider: str, kind: str
) -> None:
    body = WAYS[provider, kind](anonymous, providers, provider)
    assert log_in(anonymous, provider, **body, **NEW_MEMBER).status_code == 201
    with Unchanged():
        response = log_in(anonymous, provider, **body)
        assert response.json()["code"] in ("nonce_invalid", "social_token_used")
        assert_refused(response, 401, response.json()["code"])
    if "nonce" in body:
        # Nor with another nonce.
        body["nonce"] = new_nonce(anonymous)
        with Unchanged():
            assert_refused(log_in(anonymous, provider, **body), 401, "social_token_used")


@pytest.mark.parametrize("spelling", RESPELLED)
def test_a_token_that_is_spelled_another_way_is_the_same(
    anonymous: ApiClient, providers: World, spelling: str
) -> None:
    """Google's need no nonce, so nothing else keeps one from being used again."""
    token = providers.id_token(providers.login("google", MINJI))
    assert log_in(anonymous, "google", id_token=token, **NEW_MEMBER).status_code == 201
    with Unchanged():
        response = log_in(anonymous, "google", id_token=RESPELLED[spelling](token))
        assert_refused(response, 401, "social_token_used")


@pytest.mark.parametrize("spelling", ["padded", "with a letter that is skipped"])
def test_a_token_that_is_spelled_as_no_provider_does(
    anonymous: ApiClient, providers: World, spelling: str
) -> None:
    token = providers.id_token(providers.login("google", MINJI))
    with Unchanged():
        response = log_in(anonymous, "google", id_token=RESPELLED[spelling](token), **NEW_MEMBER)
        assert_refused(response, 401, "social_token_invalid")


@pytest.mark.parametrize("ending", ["=", "%20", ",", '"', "\\"])
def test_an_access_token_that_is_spelled_another_way(
    anonymous: ApiClient, providers: World, ending: str
) -> None:
    body = token_login(anonymous, providers, "facebook")
    assert log_in(anonymous, "facebook", **body, **NEW_MEMBER).status_code == 201
    calls = list(providers.calls)
    with Unchanged():
        response = log_in(anonymous, "facebook", access_token=body["access_token"] + ending)
        assert_refused(response, 400, "invalid_input")
    assert providers.calls == calls


@pytest.mark.parametrize(("provider", "kind"), ALL_WAYS)
def test_somebody_new_is_asked_for_consents_and_comes_back_with_the_ticket(
    anonymous: ApiClient, providers: World, provider: str, kind: str
) -> None:
    body = WAYS[provider, kind](anonymous, providers, provider)
    with Unchanged():
        problem = assert_refused(log_in(anonymous, provider, **body), 409, "consent_required")
    assert {item["kind"] for item in problem["missing"]} == {"terms", "privacy"}
    assert {error["pointer"] for error in problem["errors"]} == {"/consents", "/birth_date"}
    assert 590 < problem["expires_in"] <= 600
    calls = len(providers.calls)

    ticket = {"social_ticket": problem["social_ticket"]}
    assert log_in(anonymous, provider, **ticket, **NEW_MEMBER).status_code == 201
    assert len(providers.calls) == calls, "the provider was asked again"
    with Unchanged():
        assert_refused(log_in(anonymous, provider, **ticket), 401, "social_token_used")
        refused = log_in(anonymous, provider, **body)
        assert_refused(refused, 401, refused.json()["code"])


def with_version(version: str) -> list[dict[str, Any]]:
    return [CONSENTS_JSON[0] | {"version": version}, CONSENTS_JSON[1]]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"consents": CONSENTS_JSON[:1]}, 409, "consent_required"),
        ({"consents": with_version("2026-10-01")}, 409, "consent_required"),
        ({"consents": with_version("9999-12-31")}, 400, "invalid_input"),
        ({"birth_date": None}, 409, "consent_required"),
        ({"birth_date": f"{timezone.now().year - 10}-01-01"}, 403, "under_age"),
        ({"birth_date": "1800-01-01"}, 400, "invalid_input"),
        ({"consents": CONSENTS_JSON * 2}, 400, "invalid_input"),
        ({"device": None}, 400, "invalid_input"),
    ],
)
def test_a_new_member_who_may_not_join(
    anonymous: ApiClient, providers: World, changes: dict[str, Any], status: int, code: str
) -> None:
    body = id_token_login(anonymous, providers, "google")
    sent = {"device": DEVICE_JSON} | body | NEW_MEMBER | changes
    sent = {name: value for name, value in sent.items() if value is not None}
    with Unchanged():
        response = anonymous.post("/auth/social/google", sent, format="json")
        assert_refused(response, status, code)
    # Nothing was spent.
    assert log_in(anonymous, "google", **body, **NEW_MEMBER).status_code == 201


def test_a_suspended_member_logs_in_and_an_inactive_one_does_not(
    anonymous: ApiClient, providers: World
) -> None:
    member = suspended(join(anonymous, providers, "kakao"))
    body = id_token_login(anonymous, providers, "kakao")
    assert log_in(anonymous, "kakao", **body).json()["member"]["suspended_until"]
    Member.objects.filter(pk=member.pk).update(is_active=False)
    body = id_token_login(anonymous, providers, "kakao")
    with Unchanged():
        assert_refused(log_in(anonymous, "kakao", **body, **NEW_MEMBER), 401, "login_failed")


@pytest.mark.parametrize(
    ("name", "username"),
    [
        ("Jun Park", r"jun_park"),
        ("jun.park_1", r"jun\.park_1"),
        ("Admin", r"home\d{5}"),
        ("Igloo Team", r"home\d{5}"),
        ("민지", r"home\d{5}"),
        ("\u24b6lice", r"home\d{5}"),
        ("ab", r"home\d{5}"),
        ("..", r"home\d{5}"),
        ("a" * 60, r"a{24}"),
        ("Taken", r"taken\d{5}"),
        ("", r"home\d{5}"),
    ],
)
def test_the_username_of_a_new_member(
    anonymous: ApiClient, providers: World, name: str, username: str
) -> None:
    make_member("taken")
    body = id_token_login(anonymous, providers, "google", name=name)
    member = log_in(anonymous, "google", **body, **NEW_MEMBER).json()["member"]
    assert re.fullmatch(username, member["username"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u0000민지\u202e\n", "민지"),
        ("\u1106\u1175\u11ab\u110c\u1175", "민지"),
        ("\u3164", None),
        ("\ud800", None),
        ("가" * 200, "가" * 30),
        (17, None),
    ],
)
def test_a_providers_name_is_made_fit_to_show(
    anonymous: ApiClient, providers: World, name: Any, shown: str | None
) -> None:
    body = id_token_login(anonymous, providers, "google", name=name)
    member = log_in(anonymous, "google", **body, **NEW_MEMBER).json()["member"]
    assert member["display_name"] == (shown or member["username"])


@pytest.mark.parametrize(
    "email", ["no address", "a@b@c", '"a\x0cb"@example.com', "x" * 300 + "@example.com", 5, None]
)
def test_a_providers_address_that_is_none(
    anonymous: ApiClient, providers: World, email: Any
) -> None:
    body = id_token_login(anonymous, providers, "google", email=email)
    member = log_in(anonymous, "google", **body, **NEW_MEMBER).json()["member"]
    assert (member["email"], member["email_verified"]) == (None, False)


def test_the_first_answer_is_given_again_to_the_same_key(
    anonymous: ApiClient, providers: World
) -> None:
    body = code_login(anonymous, providers, "kakao") | NEW_MEMBER
    key = {"Idempotency-Key": "a tap"}
    first = log_in(anonymous, "kakao", **body, headers=key)
    calls = len(providers.calls)
    again = log_in(anonymous, "kakao", **body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert again["Cache-Control"] == first["Cache-Control"] == "no-store"
    assert len(providers.calls) == calls


def test_a_key_whose_request_was_refused_can_be_used_again(
    anonymous: ApiClient, providers: World
) -> None:
    body = id_token_login(anonymous, providers, "kakao") | NEW_MEMBER
    providers.down.add("kakao")
    caches["shared"].clear()
    key = {"Idempotency-Key": "a tap"}
    assert log_in(anonymous, "kakao", **body, headers=key).status_code == 503
    providers.down.clear()
    caches["shared"].clear()
    RateWindow.objects.all().delete()
    assert log_in(anonymous, "kakao", **body, headers=key).status_code == 201


def test_a_known_member_costs_no_call_and_few_queries(
    anonymous: ApiClient, providers: World
) -> None:
    join(anonymous, providers, "kakao")
    body = id_token_login(anonymous, providers, "kakao")
    calls = len(providers.calls)
    with CaptureQueriesContext(connection) as queries:
        assert log_in(anonymous, "kakao", **body).status_code == 200
    assert len(providers.calls) == calls
    # Savepoints aside: the throttle, the nonce, whether it is spent, the keys; the member and the
    # identity; nonce and token spent (3); session and refresh token; the consents of the answer.
    statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(statements) == 12, "\n".join(statements)


@pytest.mark.usefixtures("committed")
def test_two_taps_at_once_make_one_member(
    providers: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ApiClient()
    # All of them have found nobody before the first one makes the member.
    barrier, check = threading.Barrier(4), signup.require_old_enough

    def wait_for_the_others(birth_date: dt.date) -> None:
        check(birth_date)
        barrier.wait(timeout=20)

    monkeypatch.setattr(signup, "require_old_enough", wait_for_the_others)
    bodies = [id_token_login(client, providers, "google") for _ in range(4)]
    answers = at_once(
        *(lambda body=body: log_in(ApiClient(), "google", **body, **NEW_MEMBER) for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["member"]["id"] for answer in answers}) == 1
    assert Member.objects.count() == SocialIdentity.objects.count() == 1


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("known", [True, False])
def test_one_token_sent_twice_at_once_logs_in_once(providers: World, known: bool) -> None:
    client = ApiClient()
    if known:
        join(client, providers, "kakao")
    body = id_token_login(client, providers, "kakao") | NEW_MEMBER
    answers = at_once(*[lambda: log_in(ApiClient(), "kakao", **body)] * 4)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200 if known else 201, 401, 401, 401]
    assert {a.json()["code"] for a in answers if a.status_code == 401} <= {
        "nonce_invalid",
        "social_token_used",
    }


def test_what_works_nowhere_any_more_is_pruned(anonymous: ApiClient, providers: World) -> None:
    join(anonymous, providers, "kakao")
    new_nonce(anonymous)
    assert proofs.prune() == 0
    later = timezone.now() + dt.timedelta(hours=2)
    SocialNonce.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    SpentCredential.objects.filter(expires_at__lt=later).update(expires_at=timezone.now())
    assert proofs.prune() == 2
    assert not SocialNonce.objects.exists()
    assert not SpentCredential.objects.exists()


def test_logins_are_counted_by_address(
    anonymous: ApiClient, providers: World, settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"signup": (1, 3600)}
    join(anonymous, providers, "google", MINJI)
    body = id_token_login(anonymous, providers, "google", JUN)
    with Unchanged():
        assert_refused(log_in(anonymous, "google", **body, **NEW_MEMBER), 429, "throttled")
    # Who is known is not counted there.
    body = id_token_login(anonymous, providers, "google", MINJI)
    assert log_in(anonymous, "google", **body, **NEW_MEMBER).status_code == 200


def test_a_provider_without_settings(anonymous: ApiClient, settings: Any) -> None:
    empty = {
        name: "" if isinstance(value, str) else []
        for values in settings.SOCIAL.values()
        for name, value in values.items()
    }
    settings.SOCIAL = {
        provider: {name: empty[name] for name in values}
        for provider, values in settings.SOCIAL.items()
    }
    for provider, kind in WAYS:
        sent = {kind: "x" * 40, "nonce": new_nonce(anonymous)}
        response = log_in(anonymous, provider, **sent)
        assert_refused(response, 404, "provider_not_configured")


def test_a_token_login_is_not_an_apple_thing(anonymous: ApiClient, providers: World) -> None:
    body = token_login(anonymous, providers, "kakao")
    with Unchanged():
        problem = assert_refused(log_in(anonymous, "apple", **body), 400, "invalid_input")
    assert [e["pointer"] for e in problem["errors"]] == ["/access_token"]
