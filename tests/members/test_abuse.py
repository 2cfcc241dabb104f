"""Guessing passwords and what it costs the member; devices and places."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.db import connection
from django.utils import timezone
from rest_framework.settings import api_settings

from apps.common.models import RateWindow
from apps.members.models import DeviceSession, Member
from apps.members.services import links, passwords, sessions
from tests.builders import DEVICE_JSON, PASSWORD, ApiClient, confirmed, make_member
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.members.mailbox import mails_to
from tests.members.test_password_reset import ADDRESS, NEW
from tests.members.test_signup import BODY

HOME, HOME_LATER, AWAY = "203.0.113.7", "203.0.113.250", "198.51.100.9"


def log_in(address: str, password: str = PASSWORD, username: str = "minji", **device: str) -> Any:
    body = {"username": username, "password": password, "device": DEVICE_JSON | device}
    return ApiClient().post("/auth/login", body, format="json", REMOTE_ADDR=address)


def guess_from(addresses: list[str], username: str = "minji") -> list[int]:
    return [log_in(address, "a guess", username).status_code for address in addresses]


def strangers(count: int, third: int = 0) -> list[str]:
    """Addresses in as many networks."""
    return [f"10.{number}.{third}.1" for number in range(count)]


@pytest.fixture
def minji(db: None, settings: Any) -> Member:
    """Logged in at home; ten may fail elsewhere."""
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_stranger": (10, 3600)}
    member = make_member("minji")
    assert log_in(HOME).status_code == 200
    return member


# --- Guessing ---------------------------------------------------------------------------------


def test_an_attack_from_many_addresses_is_stopped_and_the_member_at_home_is_not(
    minji: Member,
) -> None:
    assert guess_from(strangers(12)) == [401] * 10 + [429] * 2
    assert log_in(HOME).status_code == 200
    # Their provider gave them another address of the same network.
    assert log_in(HOME_LATER).status_code == 200


def test_during_an_attack_a_correct_password_from_elsewhere_gets_no_hint(minji: Member) -> None:
    guess_from(strangers(10))
    wrong, right = log_in(AWAY, "a guess"), log_in(AWAY)
    problems = [assert_problem(answer, 429, "throttled") for answer in (wrong, right)]
    assert {**problems[0], "request_id": ""} == {**problems[1], "request_id": ""}
    assert 3500 < int(right["Retry-After"]) <= 3600
    assert DeviceSession.objects.filter(member=minji).count() == 2


def test_an_attack_on_a_name_that_nobody_has_looks_the_same(minji: Member) -> None:
    assert guess_from(strangers(11), "nobody") == guess_from(strangers(11), "minji")
    assert guess_from([AWAY], "nobody") == [429]


def test_an_attack_on_one_member_is_no_other_members_matter(minji: Member) -> None:
    make_member("bob")
    guess_from(strangers(11))
    assert log_in(AWAY, username="bob").status_code == 200


def test_the_case_of_the_name_makes_no_other_account_of_it(minji: Member) -> None:
    guess_from(strangers(5), "MINJI")
    assert guess_from(strangers(6, third=1), "minji") == [401] * 5 + [429]


def test_when_the_window_is_over_strangers_may_try_again(minji: Member) -> None:
    guess_from(strangers(11))
    past = timezone.now() - dt.timedelta(seconds=3601)
    RateWindow.objects.filter(key__startswith="login_stranger").update(started_at=past)
    assert log_in(AWAY).status_code == 200


def test_logins_that_succeed_are_not_counted(minji: Member) -> None:
    assert [log_in(address).status_code for address in strangers(12)] == [200] * 12
    assert RateWindow.objects.get(key="login_stranger:minji").hits == 0


def test_failures_at_home_are_not_the_accounts_but_the_addresses(minji: Member) -> None:
    assert guess_from([HOME] * 11)[-1] == 429
    assert log_in(HOME).status_code == 429
    assert log_in(HOME_LATER).status_code == 200
    assert log_in(AWAY).status_code == 200


def test_an_ipv6_line_is_one_caller(minji: Member, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_stranger": (100, 3600)}
    line = [f"2001:db8:1:2::{number:x}" for number in range(1, 12)]
    assert guess_from(line) == [401] * 10 + [429]
    assert log_in("2001:db8:1:3::1").status_code == 200


def test_an_ipv6_line_is_one_place(minji: Member) -> None:
    assert log_in("2001:db8:1:3::1").status_code == 200
    guess_from(strangers(11))
    assert log_in("2001:db8:1:3:ffff::9").status_code == 200
    assert log_in("2001:db8:1:4::1").status_code == 429


def test_behind_our_proxy_places_are_those_it_tells_and_no_others(
    minji: Member, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", 1)

    def call(forwarded: str, password: str = PASSWORD) -> int:
        body = {"username": "minji", "password": password, "device": DEVICE_JSON}
        answer = ApiClient().post(
            "/auth/login",
            body,
            format="json",
            REMOTE_ADDR="10.255.0.1",
            HTTP_X_FORWARDED_FOR=forwarded,
        )
        return answer.status_code

    # Each says that it is at home; the proxy adds where it really is.
    answers = [call(f"{HOME}, {address}", "a guess") for address in strangers(11)]
    assert answers == [401] * 10 + [429]
    assert call(f"{AWAY}, {HOME}") == 200
    assert call(f"{HOME}, {AWAY}") == 429


@pytest.mark.usefixtures("committed")
def test_guesses_at_once_are_all_counted(settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_stranger": (10, 3600)}
    make_member("minji")

    def attack(third: int) -> Callable[[], list[int]]:
        return lambda: guess_from(strangers(5, third))

    found = [status for answers in at_once(*map(attack, range(4))) for status in answers]
    assert sorted(found) == [401] * 10 + [429] * 10


def test_a_place_that_the_member_threw_out_is_a_strangers(minji: Member) -> None:
    assert log_in(AWAY).status_code == 200
    thief = DeviceSession.objects.filter(member=minji).latest("id")
    sessions.end_session(session=thief, reason=DeviceSession.EndReason.REMOVED)
    guess_from(strangers(11))
    assert log_in(AWAY).status_code == 429
    assert log_in(HOME).status_code == 200


def test_a_phone_that_moves_is_known_where_it_refreshes(minji: Member) -> None:
    tokens = log_in(HOME).json()
    answer = ApiClient().post(
        "/auth/refresh",
        {"refresh_token": tokens["refresh_token"]},
        format="json",
        REMOTE_ADDR=AWAY,
    )
    assert answer.status_code == 200
    guess_from(strangers(11))
    assert log_in(AWAY).status_code == 200
    assert log_in(HOME).status_code == 200


def test_a_logout_does_not_make_home_strange(minji: Member) -> None:
    DeviceSession.objects.filter(member=minji).update(ended_at=timezone.now(), end_reason="logout")
    guess_from(strangers(11))
    assert log_in(HOME).status_code == 200


def test_who_resets_the_password_away_from_home_gets_in_there_during_an_attack(
    minji: Member,
) -> None:
    confirmed(minji)
    guess_from(strangers(11))
    body = {"token": links.reset_token(minji), "new_password": NEW}
    answer = ApiClient().post("/auth/password/reset/confirm", body, format="json", REMOTE_ADDR=AWAY)
    assert answer.status_code == 204
    assert log_in("192.0.2.1", NEW).status_code == 429
    assert log_in(AWAY, NEW).status_code == 200


def test_the_table_tells_neither_addresses_nor_who_shares_one(minji: Member) -> None:
    make_member("bob")
    log_in(HOME, username="bob")
    kept = [key for row in DeviceSession.objects.values_list("networks", flat=True) for key in row]
    assert kept
    assert len(set(kept)) == len(kept)
    assert not [key for key in kept if "203" in key and "113" in key]


def test_a_session_keeps_its_last_8_networks(minji: Member) -> None:
    token = log_in(HOME).json()["refresh_token"]
    for address in strangers(10):
        body = {"refresh_token": token}
        answer = ApiClient().post("/auth/refresh", body, format="json", REMOTE_ADDR=address)
        token = answer.json()["refresh_token"]
    session = DeviceSession.objects.filter(member=minji).latest("id")
    assert len(session.networks) == len(set(session.networks)) == 8
    guess_from(strangers(11, third=9))
    assert log_in("10.9.0.77").status_code == 200
    assert log_in("10.1.0.77").status_code == 429


# --- The same answer, the same work -----------------------------------------------------------


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[str]:
    """The passwords that were hashed, by whatever name. It takes long, which would tell."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    made: list[str] = []
    monkeypatch.setattr(hashers.PBKDF2PasswordHasher, "iterations", 1000)
    encode = hashers.PBKDF2PasswordHasher.encode

    def noted(self: Any, password: str, salt: str, iterations: int | None = None) -> str:
        made.append(password)
        assert (iterations or self.iterations) == 1000
        return encode(self, password, salt, iterations)

    monkeypatch.setattr(hashers.PBKDF2PasswordHasher, "encode", noted)
    return made


@pytest.mark.django_db
def test_who_fails_to_log_in_cannot_tell_why(hashed: list[str]) -> None:
    make_member("known")
    closed = make_member("closed")
    Member.objects.filter(pk=closed.pk).update(is_active=False)
    social = make_member("social")
    passwords.reset_password(member=social, new_password=None)
    seen = set()
    for username, password in [
        ("known", "a guess"),
        ("nobody", "a guess"),
        ("closed", "a guess"),
        ("social", "a guess"),
    ]:
        hashed.clear()
        with connection.execute_wrapper(counting := Counting()):
            problem = assert_problem(log_in(AWAY, password, username), 401, "login_failed")
        seen.add((len(hashed), counting.count, problem["detail"]))
    assert len(seen) == 1
    assert seen.pop()[0] == 1
    # Who knows the password of a closed account waits longer, and knew it before.
    assert_problem(log_in(AWAY, PASSWORD, "closed"), 401, "login_failed")


class Counting:
    """How many queries were made."""

    count = 0

    def __call__(self, execute: Any, *args: Any) -> Any:
        self.count += 1
        return execute(*args)


def test_signing_up_is_throttled_and_makes_nothing(anonymous: ApiClient, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"signup": (2, 3600)}
    made = [
        anonymous.post("/auth/signup", BODY | {"username": f"minji{n}"}, format="json").status_code
        for n in range(3)
    ]
    assert made == [201, 201, 429]
    # What can't be read counts as well, and is not read any more.
    answer = anonymous.post("/auth/signup", b"{" * 1000, content_type="application/json")
    assert_problem(answer, 429, "throttled")
    assert Member.objects.count() == 2


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 10 * 1024 * 1024])
def test_a_sign_up_of_megabytes_is_refused(anonymous: ApiClient, size: int) -> None:
    body = b'{"username": "' + b"x" * size + b'"}'
    answer = anonymous.post("/auth/signup", body, content_type="application/json")
    assert_problem(answer, 413, "body_too_large")
    assert not Member.objects.exists()


# --- Devices and places -----------------------------------------------------------------------


def places(client: ApiClient) -> list[str | None]:
    return [item["place"] for item in client.get("/auth/sessions").json()["items"]]


@pytest.mark.parametrize(
    ("header", "sent", "kept"),
    [
        ("", "Seoul", None),
        ("CloudFront-Viewer-City", "Seoul", "Seoul"),
        ("CloudFront-Viewer-City", "서울".encode().decode("latin-1"), "서울"),
        ("CloudFront-Viewer-City", "", None),
        ("CloudFront-Viewer-City", "x" * 500, "x" * 100),
        ("CloudFront-Viewer-City", "Se\x01oul\u00ff", "Seoul�"),
    ],
)
def test_a_device_shows_about_where_it_is_if_an_operator_wants_that(
    anonymous: ApiClient, settings: Any, header: str, sent: str, kept: str | None
) -> None:
    settings.DEVICE_PLACE_HEADER = header
    make_member("minji")
    body = {"username": "minji", "password": PASSWORD, "device": DEVICE_JSON}
    tokens = anonymous.post(
        "/auth/login", body, format="json", HTTP_CLOUDFRONT_VIEWER_CITY=sent
    ).json()
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    assert places(anonymous) == [kept, None]


@pytest.fixture
def told(minji: Member) -> Member:
    """Has a confirmed address."""
    return confirmed(minji, ADDRESS)


def test_a_new_device_is_told_by_mail(told: Member, settings: Any) -> None:
    settings.DEVICE_PLACE_HEADER = "X-City"
    body = {"username": "minji", "password": PASSWORD}
    body["device"] = {"name": "<b>Galaxy</b>", "platform": "android", "app_version": "1"}
    ApiClient().post("/auth/login", body, format="json", REMOTE_ADDR=HOME, HTTP_X_CITY="Busan")
    [message] = mails_to(ADDRESS)
    assert message.subject == "새로운 기기에서 로그인했어요"
    created_at = DeviceSession.objects.latest("id").created_at
    korean = created_at.astimezone(dt.timezone(dt.timedelta(hours=9)))
    for words in ("<b>Galaxy</b> (Android)", "Busan", f"{korean:%Y-%m-%d %H:%M}(한국 시간)"):
        assert words in message.body
    assert "로그아웃하고 비밀번호를 바꿔 주세요" in message.body
    assert "<b>Galaxy" not in message.alternatives[0][0]


def test_the_same_device_at_home_is_not_told_and_elsewhere_it_is(told: Member) -> None:
    log_in(HOME)
    log_in(HOME_LATER)
    assert mails_to(ADDRESS) == []
    log_in(AWAY)
    assert len(mails_to(ADDRESS)) == 1
    log_in(AWAY)
    log_in(HOME, name="another phone")
    assert len(mails_to(ADDRESS)) == 2


def test_a_thief_who_logs_out_at_once_is_told_all_the_same(told: Member) -> None:
    tokens = log_in(AWAY).json()
    client = ApiClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    assert client.post("/auth/logout").status_code == 204
    [message] = mails_to(ADDRESS)
    assert "Place" not in message.body
    assert "위치" not in message.body


def test_signing_up_and_an_unconfirmed_address_are_told_nothing(minji: Member) -> None:
    Member.objects.filter(pk=minji.pk).update(email=ADDRESS)
    assert log_in(AWAY, name="another phone").status_code == 200
    assert mails_to(ADDRESS) == mail.outbox == []


def test_a_login_that_fails_is_told_to_nobody(told: Member) -> None:
    assert log_in(AWAY, "a guess", name="another phone").status_code == 401
    assert mails_to(ADDRESS) == mail.outbox == []
