"""Throttles count across processes and say when to come back."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from apps.common.errors import Throttled
from apps.common.models import RateWindow
from apps.common.throttles import count_call
from tests.builders import DEVICE_JSON, ApiClient
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once


def login(client: ApiClient, username: str, **extra: Any) -> Any:
    body = {"username": username, "password": "wrong", "device": DEVICE_JSON}
    return client.post("/auth/login", body, format="json", **extra)


def test_past_the_limit_the_answer_is_429_with_its_headers(
    anonymous: ApiClient, settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_account": (2, 60)}
    assert [login(anonymous, "minji").status_code for _ in range(2)] == [401, 401]
    response = login(anonymous, "minji")
    assert_problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert response["RateLimit-Limit"] == "2"
    assert response["RateLimit-Remaining"] == "0"
    assert response["RateLimit-Reset"] == response["Retry-After"]


def test_another_address_is_not_locked_out(anonymous: ApiClient, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_account": (1, 60)}
    login(anonymous, "minji")
    assert login(anonymous, "minji").status_code == 429
    assert login(anonymous, "minji", REMOTE_ADDR="10.1.2.3").status_code == 401
    assert login(anonymous, "someone-else").status_code == 401


def test_a_forwarded_address_counts_only_behind_our_own_proxy(
    anonymous: ApiClient, settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_account": (1, 60)}
    login(anonymous, "minji", HTTP_X_FORWARDED_FOR="1.1.1.1")
    again = login(anonymous, "minji", HTTP_X_FORWARDED_FOR="2.2.2.2")
    assert again.status_code == 429


def test_writes_of_a_member_are_counted_and_reads_are_not(alice: ApiClient, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"write": (2, 60)}
    for _ in range(2):
        assert alice.patch("/me", {}, format="json").status_code == 200
    assert_problem(alice.patch("/me", {"bio": "x"}, format="json"), 429, "throttled")
    assert alice.get("/me").json()["bio"] == ""


@pytest.mark.django_db
def test_a_window_that_is_over_starts_anew(settings: Any) -> None:
    settings.THROTTLE_RATES = {"write": (1, 60)}
    count_call("write", "x")
    with pytest.raises(Throttled):
        count_call("write", "x")
    RateWindow.objects.update(started_at=timezone.now() - dt.timedelta(seconds=61))
    count_call("write", "x")
    assert RateWindow.objects.get().hits == 1


@pytest.mark.usefixtures("committed")
def test_calls_at_once_are_all_counted(settings: Any) -> None:
    settings.THROTTLE_RATES = {"write": (1000, 60)}
    at_once(*(lambda: [count_call("write", "x") for _ in range(25)] for _ in range(4)))
    assert RateWindow.objects.get().hits == 100
