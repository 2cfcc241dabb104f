"""Idempotency keys and rate windows are deleted when nothing asks for them any more."""

import datetime as dt
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.common import batches
from apps.common.errors import Throttled
from apps.common.idempotency import KEEP
from apps.common.models import IdempotencyKey, RateWindow
from apps.common.pruning import prune_expired_rows
from apps.common.throttles import count_call
from apps.posts.models import Post
from tests.builders import ApiClient
from tests.common.test_idempotency import post_draft

MICROSECOND = dt.timedelta(microseconds=1)
MINUTE = dt.timedelta(minutes=1)
NOTHING = {"idempotency_keys": 0, "rate_windows": 0}


def make_keys(count: int, age: dt.timedelta, **fields: Any) -> list[IdempotencyKey]:
    """Keys that came so long ago; without more fields their requests never ended."""
    now = timezone.now()
    return IdempotencyKey.objects.bulk_create(
        IdempotencyKey(
            key_hash=IdempotencyKey().pk.bytes * 2,
            request_hash=bytes(32),
            started_at=now - age,
            **fields,
        )
        for _ in range(count)
    )


def make_windows(count: int, age: dt.timedelta, name: str = "caller") -> list[RateWindow]:
    """Windows that began so long ago."""
    now = timezone.now()
    return RateWindow.objects.bulk_create(
        RateWindow(key=f"write:{name} {number}", started_at=now - age, hits=1)
        for number in range(count)
    )


@pytest.mark.django_db
def test_there_is_nothing_to_prune() -> None:
    assert prune_expired_rows() == NOTHING


@pytest.mark.django_db
def test_keys_go_after_a_day_whether_their_requests_ended_or_not() -> None:
    answered = {"status": 201, "answer": b"x"}
    make_keys(2, KEEP + MINUTE, **answered)
    make_keys(1, KEEP + MINUTE)
    live = make_keys(1, KEEP - MINUTE, **answered) + make_keys(1, dt.timedelta(0))
    assert prune_expired_rows() == NOTHING | {"idempotency_keys": 3}
    assert set(IdempotencyKey.objects.all()) == set(live)


def test_a_key_goes_only_when_its_answer_is_not_given_again(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = post_draft(alice)
    [key] = IdempotencyKey.objects.all()

    # The last moment at which it is replayed.
    monkeypatch.setattr(timezone, "now", lambda: key.started_at + KEEP)
    assert prune_expired_rows()["idempotency_keys"] == 0
    again = post_draft(alice)
    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content

    # And the first at which it would not be.
    monkeypatch.setattr(timezone, "now", lambda: key.started_at + KEEP + MICROSECOND)
    assert prune_expired_rows()["idempotency_keys"] == 1
    assert "Idempotency-Replayed" not in post_draft(alice)
    assert Post.objects.count() == 2


@pytest.mark.django_db
def test_windows_go_when_the_longest_is_over(settings: Any) -> None:
    # The longest is neither the first, nor the last, nor the one with the highest limit.
    settings.THROTTLE_RATES = {"write": (9000, 60), "signup": (3, 3600), "refresh": (20, 300)}
    make_windows(2, 61 * MINUTE, "old")
    # Over for `write`, but their scope might be `signup`.
    live = make_windows(2, 59 * MINUTE, "young")
    assert prune_expired_rows() == NOTHING | {"rate_windows": 2}
    assert set(RateWindow.objects.all()) == set(live)


@pytest.mark.parametrize("period", [60, 7200])
@pytest.mark.django_db
def test_whoever_is_throttled_stays_so_until_the_window_is_over(settings: Any, period: int) -> None:
    settings.THROTTLE_RATES = {"signup": (1, period)}
    count_call("signup", "x")
    RateWindow.objects.update(started_at=timezone.now() - dt.timedelta(seconds=period - 30))
    assert prune_expired_rows() == NOTHING
    with pytest.raises(Throttled):
        count_call("signup", "x")
    RateWindow.objects.update(started_at=timezone.now() - dt.timedelta(seconds=period + 30))
    assert prune_expired_rows() == NOTHING | {"rate_windows": 1}
    count_call("signup", "x")
    assert RateWindow.objects.get().hits == 1


@pytest.mark.django_db
def test_the_laptops_own_rates_hold_windows_for_a_day() -> None:
    day = dt.timedelta(days=1)
    make_windows(1, day - MINUTE)
    assert prune_expired_rows() == NOTHING
    RateWindow.objects.update(started_at=timezone.now() - day - MINUTE)
    assert prune_expired_rows() == NOTHING | {"rate_windows": 1}


@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.django_db
def test_more_than_one_batch(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    make_keys(count, 2 * KEEP)
    make_windows(count, 2 * KEEP, "old")
    live = [*make_keys(3, MINUTE), *make_windows(3, MINUTE, "young")]
    with CaptureQueriesContext(connection) as queries:
        assert prune_expired_rows() == {"idempotency_keys": count, "rate_windows": count}
    deletions = [query for query in queries if query["sql"].startswith("DELETE")]
    assert len(deletions) == 2 * math.ceil(count / 2)
    assert {*IdempotencyKey.objects.all(), *RateWindow.objects.all()} == set(live)


@pytest.mark.django_db
def test_a_batch_costs_the_same_whatever_its_size(django_assert_num_queries: Any) -> None:
    for count in (1, 10):
        make_keys(count, 2 * KEEP)
        make_windows(count, 2 * KEEP)
        # For each table: a savepoint and its end, the lock, the deletion.
        with django_assert_num_queries(8):
            prune_expired_rows()


# --- At once ------------------------------------------------------------------------------------


def prune_apart() -> dict[str, int]:
    """For another thread, which has a connection of its own."""
    try:
        return prune_expired_rows()
    finally:
        connection.close()


@pytest.mark.usefixtures("committed")
def test_rows_that_are_in_use_are_skipped() -> None:
    key, _other = make_keys(2, 2 * KEEP)
    window, _other_window = make_windows(2, 2 * KEEP)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        IdempotencyKey.objects.select_for_update().get(pk=key.pk)
        RateWindow.objects.select_for_update().get(pk=window.pk)
        report = pool.submit(prune_apart).result(timeout=5)
    assert report == {"idempotency_keys": 1, "rate_windows": 1}
    assert IdempotencyKey.objects.get() == key
    assert RateWindow.objects.get() == window
