"""Device sessions that are over go after 92 days, with their tokens; the admin's go at once."""

import datetime as dt
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.members.models import DeviceSession, RefreshToken
from apps.members.services import sessions
from apps.members.services.sessions import delete_expired_sessions
from tests.builders import ApiClient, make_member
from tests.common.test_problems import assert_problem
from tests.members.test_sessions import log_in, refresh, use

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


def make_session(**times: dt.timedelta) -> DeviceSession:
    """A session with two spent tokens and one that is not, of a member with one more session."""
    pair = log_in(ApiClient(), make_member().username).json()
    for _ in range(2):
        pair = refresh(ApiClient(), pair["refresh_token"]).json()
    session = DeviceSession.objects.latest("id")
    return aged(session, **times)


def aged(session: DeviceSession, **times: dt.timedelta) -> DeviceSession:
    """The same session, its times moved to so long from now."""
    if "ended_at" in times:
        sessions.end_session(session=session, reason=DeviceSession.EndReason.LOGOUT)
    now = timezone.now()
    changes = {name: now + distance for name, distance in times.items()}
    if changes:
        DeviceSession.objects.filter(pk=session.pk).update(**changes)
    session.refresh_from_db()
    return session


def left() -> set[UUID]:
    return set(DeviceSession.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"expires_at": SECOND * 60},
        {"expires_at": -91 * DAY},
        {"ended_at": -91 * DAY},
        {"ended_at": -91 * DAY, "expires_at": -91 * DAY},
    ],
    ids=["live", "about to expire", "just expired", "just ended", "both"],
)
@pytest.mark.django_db
def test_a_session_that_is_live_or_over_for_less_than_92_days_stays_with_its_tokens(
    times: dict[str, dt.timedelta],
) -> None:
    session = make_session(**times)
    # Used long ago is not over long ago.
    DeviceSession.objects.update(created_at=timezone.now() - 300 * DAY)
    before = left()
    assert delete_expired_sessions() == 0
    assert left() == before
    assert session.tokens.count() == 3


@pytest.mark.parametrize(
    "times",
    [
        {"ended_at": -93 * DAY},
        {"expires_at": -93 * DAY},
        {"ended_at": -93 * DAY, "expires_at": -91 * DAY},
        # A password change ends those that have expired as well.
        {"ended_at": -SECOND, "expires_at": -93 * DAY},
    ],
    ids=["ended", "expired", "ended, then expired", "expired, then ended"],
)
@pytest.mark.django_db
def test_a_session_that_is_over_for_92_days_goes_with_its_tokens(
    times: dict[str, dt.timedelta],
) -> None:
    other = make_session()
    session = make_session(**times)
    before, tokens = left(), RefreshToken.objects.count()
    assert delete_expired_sessions() == 1
    assert before - left() == {session.pk}
    assert RefreshToken.objects.count() == tokens - 3
    assert other.tokens.count() == 3


@pytest.mark.parametrize("column", ["ended_at", "expires_at"])
@pytest.mark.django_db
def test_the_92_days_are_over_when_they_are_over(
    monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    session = make_session(**{column: -DAY})
    over = getattr(session, column)
    monkeypatch.setattr(timezone, "now", lambda: over + 92 * DAY)
    assert delete_expired_sessions() == 0
    monkeypatch.setattr(timezone, "now", lambda: over + 92 * DAY + dt.timedelta(microseconds=1))
    assert delete_expired_sessions() == 1
    assert session.pk not in left()


@pytest.mark.parametrize("over", ["ended_at", "expires_at"])
def test_tokens_of_a_session_that_is_gone_are_refused_as_before(
    anonymous: ApiClient, over: str
) -> None:
    make_member("alice")
    first = log_in(anonymous).json()
    second = refresh(anonymous, first["refresh_token"]).json()
    session = aged(DeviceSession.objects.latest("id"), **{over: -93 * DAY})

    def answers() -> list[Any]:
        anonymous.credentials()
        spent, unspent = (refresh(anonymous, pair["refresh_token"]) for pair in (first, second))
        access = use(anonymous, second["access_token"]).get("/me")
        problems = [
            assert_problem(spent, 401, "refresh_token_invalid"),
            assert_problem(unspent, 401, "refresh_token_invalid"),
            assert_problem(access, 401, "token_invalid"),
        ]
        return [problem | {"request_id": ""} for problem in problems]

    before = answers()
    assert delete_expired_sessions() == 1
    assert session.pk not in left()
    assert answers() == before


def test_a_member_goes_on_when_their_old_sessions_go(anonymous: ApiClient) -> None:
    member = make_member("alice")
    [old] = DeviceSession.objects.all()
    aged(old, ended_at=-93 * DAY)
    pair = log_in(anonymous).json()
    assert delete_expired_sessions() == 1
    assert use(anonymous, pair["access_token"]).get("/me").json()["id"] == str(member.pk)
    anonymous.credentials()
    again = refresh(anonymous, pair["refresh_token"])
    assert again.status_code == 200
    # What guards the chain is still there: the spent token in another's hands ends it.
    RefreshToken.objects.filter(spent_at__isnull=False).update(spent_at=timezone.now() - DAY)
    delete_expired_sessions()
    assert_problem(refresh(anonymous, pair["refresh_token"]), 401, "refresh_token_invalid")
    assert DeviceSession.objects.get().end_reason == "reuse"


@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.django_db
def test_more_than_one_batch(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(sessions, "_DELETE_BATCH", 2)
    live = []
    for _ in range(count):
        make_member()
        aged(DeviceSession.objects.latest("id"), expires_at=-93 * DAY)
        make_member()
        live.append(DeviceSession.objects.latest("id").pk)
    with CaptureQueriesContext(connection) as queries:
        assert delete_expired_sessions() == count
    deletion = 'DELETE FROM "members_devicesession"'
    deletions = [query for query in queries if query["sql"].startswith(deletion)]
    assert len(deletions) == math.ceil(count / 2)
    assert left() == set(live)


@pytest.mark.django_db
def test_a_batch_costs_the_same_whatever_its_size(django_assert_num_queries: Any) -> None:
    for count in (1, 10):
        for _ in range(count):
            make_session(ended_at=-93 * DAY)
        # The admin's sessions; a savepoint and its end, the sessions (once to lock, once for
        # Django's collector), their tokens' deletion, theirs.
        with django_assert_num_queries(1 + 6):
            assert delete_expired_sessions() == count


@pytest.mark.usefixtures("committed")
def test_a_session_that_is_being_used_is_left_for_the_next_time() -> None:
    held, free = make_session(expires_at=-93 * DAY), make_session(expires_at=-93 * DAY)

    def delete() -> int:
        try:
            return delete_expired_sessions()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        DeviceSession.objects.select_for_update().get(pk=held.pk)
        assert pool.submit(delete).result(timeout=5) == 1
    assert held.pk in left()
    assert free.pk not in left()
    assert held.tokens.count() == 3
    assert delete_expired_sessions() == 1


def test_an_operators_login_goes_when_it_has_expired(olga: ApiClient) -> None:
    stores = []
    for _ in range(2):
        store = SessionStore()
        store["operator"] = "olga"
        store.create()
        stores.append(store.session_key)
    expired, live = stores
    Session.objects.filter(pk=expired).update(expire_date=timezone.now() - SECOND)
    # They are no device sessions.
    assert delete_expired_sessions() == 0
    assert [session.pk for session in Session.objects.all()] == [live]
    assert olga.get("/me").status_code == 200
