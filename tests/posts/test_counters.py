"""Counters are compared with what they count, and mended, while members go on liking."""

import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from apps.members.models import Member
from apps.members.services import account_state, erasing
from apps.posts.models import Comment, Photo, Post, PostLike
from apps.posts.services import comments, counters, likes, posts
from apps.posts.services.counters import recount_counters
from apps.posts.services.posts import PhotoInput
from tests.builders import make_comment, make_like, make_member, make_post
from tests.concurrency import at_once

POST_COUNTERS = ("photo_count", "like_count", "comment_count")
MEMBER_COUNTERS = (
    "posts_count",
    "followers_count",
    "following_count",
    "blocks_count",
    "blocked_count",
)
NOTHING_WRONG = dict.fromkeys((*POST_COUNTERS, *MEMBER_COUNTERS), 0)


def loved_post() -> Post:
    """Two photos, three likes, three comments; one of each of the latter by a closed account."""
    post = make_post(make_member(), photos=2)
    gone = make_member()
    for member in (make_member(), make_member(), gone):
        make_like(member, post.pk)
    for member in (make_member(), make_member(), gone):
        make_comment(member, post)
    account_state.set_open(member=gone, is_open=False)
    erasing.recount_member(member_id=gone.pk)
    return post


def columns(row: models.Model) -> dict[str, Any]:
    """All of its row, as it is stored now."""
    return type(row)._default_manager.values().get(pk=row.pk)


def updates(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]


def assert_accurate() -> None:
    for post in Post.objects.all():
        assert post.photo_count == post.photos.count()
        assert post.like_count == post.likes.filter(member__is_active=True).count()
        assert post.comment_count == post.comments.filter(author__is_active=True).count()
    for member in Member.objects.all():
        assert member.posts_count == member.posts.filter(status="published").count()


@pytest.mark.django_db
def test_every_counter_is_counted_or_has_nothing_to_count() -> None:
    """A new counter belongs in `counters`, or here."""
    without_rows = {"save_count"}
    found = {
        field.name
        for model in (Post, Member)
        for field in model._meta.fields
        if field.name.endswith("_count")
    }
    assert set(recount_counters()) == found - without_rows | {"posts", "members"}


@pytest.mark.django_db
def test_an_accurate_database_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    post = loved_post()
    make_post(make_member(), publish=False)
    before = [columns(post), columns(post.author)]
    with CaptureQueriesContext(connection) as queries:
        report = recount_counters()
    assert report == NOTHING_WRONG | {"posts": 2, "members": Member.objects.count()}
    assert updates(queries) == []
    assert caplog.records == []
    assert [columns(post), columns(post.author)] == before


@pytest.mark.parametrize("by", [-2, 5], ids=["too low", "too high"])
@pytest.mark.parametrize("counter", ["photo_count", "like_count", "comment_count"])
@pytest.mark.django_db
def test_a_wrong_counter_of_a_post_is_reported_and_mended_and_nothing_else_changes(
    caplog: pytest.LogCaptureFixture, counter: str, by: int
) -> None:
    post = loved_post()
    if counter == "photo_count":
        # No published post may have none.
        by = max(by, -1)
    before = columns(post)
    right = before[counter]
    Post.objects.filter(pk=post.pk).update(**{counter: right + by})
    report = recount_counters()
    assert report == NOTHING_WRONG | {"posts": 1, "members": Member.objects.count(), counter: 1}
    assert columns(post) == before
    drift, summary = caplog.records
    assert drift.levelno == summary.levelno == logging.WARNING
    assert drift.getMessage() == f"post {post.pk}: {counter} was {right + by}, counted {right}"
    assert summary.getMessage().startswith("1 counters were wrong")
    assert recount_counters()[counter] == 0


@pytest.mark.django_db
def test_a_members_posts_are_the_published_ones(caplog: pytest.LogCaptureFixture) -> None:
    member = make_member()
    make_post(member)
    make_post(member, publish=False)
    make_post(make_member())
    before = columns(member)
    assert before["posts_count"] == 1
    Member.objects.filter(pk=member.pk).update(posts_count=2)
    assert recount_counters() == NOTHING_WRONG | {"posts": 3, "members": 2, "posts_count": 1}
    assert columns(member) == before
    assert f"member {member.pk}: posts_count was 2, counted 1" in caplog.messages


@pytest.mark.django_db
def test_only_rows_that_are_wrong_are_written() -> None:
    wrong, right = loved_post(), loved_post()
    Post.objects.filter(pk=wrong.pk).update(like_count=0, comment_count=0)
    with CaptureQueriesContext(connection) as queries:
        recount_counters()
    [update] = updates(queries)
    assert str(wrong.pk) in update
    assert str(right.pk) not in update
    assert_accurate()


@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.django_db
def test_every_batch_is_looked_at(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(counters, "_BATCH", 2)
    author = make_member()
    for _ in range(count):
        make_post(author, photos=0, publish=False)
    for _ in range(count - 1):
        make_member()
    Post.objects.update(like_count=1)
    Member.objects.update(posts_count=1)
    with CaptureQueriesContext(connection) as queries:
        report = recount_counters()
    assert len(updates(queries)) == 2 * math.ceil(count / 2)
    assert (report["posts"], report["members"]) == (count, count)
    assert (report["like_count"], report["posts_count"]) == (count, count)
    assert_accurate()


@pytest.mark.django_db
def test_a_batch_costs_the_same_whatever_its_size(django_assert_num_queries: Any) -> None:
    author = make_member()
    for count in (1, 9):
        for _ in range(count):
            make_post(author, photos=0, publish=False)
            make_member()
        # Posts: a savepoint and its end, the lock, three counters. Members: the same with five.
        with django_assert_num_queries(6 + 8):
            recount_counters()
        Post.objects.update(like_count=7, comment_count=7)
        Member.objects.update(posts_count=7)
        # One more for each, whatever was wrong.
        with django_assert_num_queries(7 + 9):
            recount_counters()


@pytest.mark.django_db
def test_the_log_is_bounded_and_the_summary_tells_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(counters, "_MAX_LINES", 3)
    for _ in range(2):
        make_post(make_member(), photos=0, publish=False)
    Post.objects.update(like_count=7, comment_count=7)
    Member.objects.update(posts_count=7)
    report = recount_counters()
    assert report["like_count"] == report["comment_count"] == report["posts_count"] == 2
    assert len(caplog.records) == 4
    assert caplog.messages[-1] == f"6 counters were wrong: {report}"
    assert_accurate()


@pytest.mark.django_db
def test_a_published_post_without_photos_is_reported_and_keeps_nobody_from_being_mended(
    caplog: pytest.LogCaptureFixture, django_assert_num_queries: Any
) -> None:
    """The database refuses such a count; somebody has to look at the post."""
    broken, other = make_post(make_member()), loved_post()
    Post.objects.update(like_count=7)
    Photo.objects.filter(post=broken).delete()
    # The likes of both are mended the first time.
    for query_count in (7 + 8, 6 + 8):
        with django_assert_num_queries(query_count):
            assert recount_counters()["photo_count"] == 1
    left = f"post {broken.pk}: photo_count was 1, counted 0; left, it would break a constraint"
    assert caplog.messages.count(left) == 2
    broken.refresh_from_db()
    other.refresh_from_db()
    assert (broken.photo_count, broken.like_count, other.like_count) == (1, 0, 2)


# --- At once ------------------------------------------------------------------------------------


def recount_apart() -> dict[str, int]:
    """For another thread, which has a connection of its own."""
    try:
        return recount_counters()
    finally:
        connection.close()


def await_blocked(run: Future[Any]) -> None:
    """Until the other thread waits for a lock that this one's transaction holds."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            assert not run.done(), "it did not wait"
            cursor.execute(
                "SELECT bool_or(pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
                " FROM pg_locks WHERE NOT granted"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("it waits for nothing")


WRITES: dict[str, Callable[[Post, Member], object]] = {
    "like": lambda post, member: likes.like_post(member=member, post_id=post.pk),
    "take a like back": lambda post, member: likes.unlike_post(
        member=PostLike.objects.filter(post=post).earliest("id").member, post_id=post.pk
    ),
    "comment": lambda post, member: make_comment(member, post),
    "remove a comment": lambda post, member: comments.remove_comment(
        comment_id=Comment.objects.filter(post=post).earliest("id").pk
    ),
    "change photos": lambda post, member: posts.update_post(
        post_id=post.pk,
        member=post.author,
        changes={"photos": [PhotoInput(upload_id=post.photos.all()[0].pk)]},
        expected=None,
    ),
    "publish": lambda post, member: make_post(post.author),
    "delete": lambda post, member: posts.delete_post(post_id=post.pk, member=post.author),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.usefixtures("committed")
def test_a_write_that_has_not_ended_is_waited_for_and_then_counted(
    write: Callable[[Post, Member], object],
) -> None:
    post, member = loved_post(), make_member()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            write(post, member)
            run = pool.submit(recount_apart)
            await_blocked(run)
        report = run.result(timeout=10)
    assert report | NOTHING_WRONG == report
    assert_accurate()


def can_lock(row: models.Model, strength: str) -> bool:
    """Whether another transaction gets this lock on it at once."""
    query = f"SELECT FROM {row._meta.db_table} WHERE id = %s FOR {strength} NOWAIT"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(query, [row.pk])
    except OperationalError:
        return False
    return True


@pytest.mark.usefixtures("committed")
def test_rows_stay_locked_from_before_they_are_counted_until_they_are_mended() -> None:
    post = loved_post()
    author = post.author
    Post.objects.update(like_count=7)
    Member.objects.update(posts_count=7)
    free: list[bool] = []

    def try_locks() -> list[bool]:
        # As who changes a counter locks a row, and as who writes a row that points to it.
        strengths = ("NO KEY UPDATE", "KEY SHARE")
        return [can_lock(row, strength) for strength in strengths for row in (post, author)]

    def look(execute: Any, sql: str, *args: Any) -> Any:
        if "COUNT(" in sql or sql.startswith("UPDATE"):
            free.extend(*at_once(try_locks))
        return execute(sql, *args)

    with connection.execute_wrapper(look):
        recount_counters()
    # Each counter of posts is counted, posts are mended; then the same with members, who can still
    # log in meanwhile.
    post_steps, member_steps = len(POST_COUNTERS) + 1, len(MEMBER_COUNTERS) + 1
    assert free == post_steps * [False, True, True, True] + member_steps * [True, False, True, True]
    assert can_lock(post, "UPDATE")
    assert_accurate()


@pytest.mark.usefixtures("committed")
def test_a_wrong_counter_is_reported_when_it_is_mended_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_post(make_member())
    Post.objects.update(like_count=7)
    stored: list[int] = []

    def warning(*args: object) -> None:
        # As somebody else sees it.
        stored.extend(at_once(lambda: Post.objects.get().like_count))

    monkeypatch.setattr(counters.logger, "warning", warning)
    recount_counters()
    assert stored == [0, 0]


@pytest.mark.usefixtures("committed")
def test_counters_are_right_when_members_like_and_comment_while_they_are_recounted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counters, "_BATCH", 2)
    author = make_member()
    homes = [make_post(author) for _ in range(3)]
    members = [make_member() for _ in range(2)]
    Post.objects.update(like_count=7, comment_count=7)
    Member.objects.update(posts_count=7)

    def visit(member: Member) -> None:
        for _ in range(5):
            for post in homes:
                make_like(member, post.pk)
                comment = make_comment(member, post)
                likes.unlike_post(member=member, post_id=post.pk)
                make_like(member, post.pk)
                comments.delete_comment(member=member, comment_id=comment.pk)

    def recount() -> None:
        for _ in range(15):
            recount_counters()

    at_once(*(lambda member=member: visit(member) for member in members), recount, recount)
    assert_accurate()
    assert PostLike.objects.count() == 6
