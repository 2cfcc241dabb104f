"""Who is suspended reads and does not write, and is told until when."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from apps.members.models import Member
from tests.builders import DEVICE_JSON, PASSWORD, ApiClient, make_member, suspended
from tests.common.test_problems import assert_problem
from tests.test_roles import TABLE, World

REFUSED = [
    pytest.param(*row[:4], row[4][2], id=f"{row[0]} {row[2]}") for row in TABLE if row[4][3] == 403
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "route", "path", "body", "status"), REFUSED)
def test_a_suspension_that_is_over_refuses_nothing(
    method: str, route: str, path: str, body: Any, status: int
) -> None:
    world = World(make_member("theowner"))
    path, body = world.fill(path), world.fill(body)
    until = timezone.now() - dt.timedelta(seconds=1)
    Member.objects.filter(pk=world.owner.pk).update(suspended_until=until)
    client = ApiClient(world.owner)
    assert getattr(client, method.lower())(path, body, format="json").status_code == status


@pytest.mark.django_db
def test_a_suspended_member_is_told_until_when_and_may_log_in() -> None:
    suspended(make_member("minji"))
    client = ApiClient()
    body = {"username": "minji", "password": PASSWORD, "device": DEVICE_JSON}
    tokens = client.post("/auth/login", body, format="json").json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    until = client.get("/me").json()["suspended_until"]
    problem = assert_problem(client.patch("/me", {"bio": "x"}, format="json"), 403, "suspended")
    assert problem["suspended_until"] == until == tokens["member"]["suspended_until"]
    assert until.endswith("Z")


FOR_GOOD = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("until", "korean", "english"),
    [
        (dt.datetime(2060, 2, 28, 15, 30, tzinfo=dt.UTC), "2060-02-29 00:30", "2060-02-29 00:30"),
        (FOR_GOOD, "영구", "for good"),
    ],
)
def test_the_text_says_until_when_in_korean_time(
    alice: ApiClient, until: dt.datetime, korean: str, english: str
) -> None:
    Member.objects.update(suspended_until=until)
    for language, words in (("ko", korean), ("en", english)):
        headers = {"Accept-Language": language}
        answer = alice.patch("/me", {"bio": "x"}, format="json", headers=headers)
        assert words in assert_problem(answer, 403, "suspended")["detail"]


def test_a_suspension_that_is_over_is_told_no_more(alice: ApiClient) -> None:
    until = timezone.now() + dt.timedelta(days=1)
    Member.objects.update(suspended_until=until)
    seen = alice.get("/me")
    assert seen.json()["suspended_until"]
    Member.objects.update(suspended_until=timezone.now())
    after = alice.get("/me", headers={"If-None-Match": seen["ETag"]})
    assert after.status_code == 200
    assert after.json()["suspended_until"] is None
