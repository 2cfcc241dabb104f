"""Erasing that is cut off, done again, or done twice at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import storages

from apps.common import batches
from apps.media import services as media
from apps.media.models import Upload
from apps.members.errors import LoginFailed
from apps.members.models import Leaving, Member, RetainedRecord
from apps.members.services import (
    erasing,
    leaving,
    operator_log,
    own_belongings,
    sessions,
    traces,
)
from apps.posts.models import Comment, Photo, Post, PostLike
from apps.posts.services import belongings as posts
from tests.background import run_tasks
from tests.builders import (
    DEVICE,
    PASSWORD,
    make_comment,
    make_like,
    make_member,
    make_post,
    processed_upload,
)
from tests.concurrency import at_once
from tests.media.storage import Place
from tests.members.planted import MARK, plant, stored_files
from tests.members.test_erasing import WEEK, erase, erase_after_a_week, what_is_left_of
from tests.members.test_leaving import assert_counters_right


@pytest.mark.parametrize("stops_at", [1, 2, 3, 5, 8, 13, 14])
def test_cut_off_anywhere_it_goes_on(
    committed: None,
    local_place: Place,
    later: Any,
    monkeypatch: pytest.MonkeyPatch,
    stops_at: int,
) -> None:
    planted = plant()
    row = leaving.leave(member=planted.member)
    run_tasks()
    later(WEEK)
    calls = 0

    def after(change: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == stops_at:
                raise KeyboardInterrupt
            return change(*args, **kwargs)

        return counted

    for module, name in (
        (posts, "lock_posts"),
        (posts, "_move_log_of_posts"),
        (media, "delete_files"),
        (own_belongings, "delete_in_batches"),
        (traces, "prune_expired_rows"),
        (traces, "_delete_tasks"),
    ):
        monkeypatch.setattr(module, name, after(getattr(module, name)))
    with pytest.raises(KeyboardInterrupt):
        erase(row.pk)
    assert Leaving.objects.get().erasing_since
    assert_counters_right()
    with pytest.raises(LoginFailed):
        sessions.log_in(
            username=planted.member.username, password=PASSWORD, device=DEVICE, restore=True
        )
    assert erase(row.pk) == "emptied"
    assert erase(row.pk) == "not due"
    assert what_is_left_of(planted) == set()
    assert not any(MARK.encode() in data for data in stored_files().values())
    assert RetainedRecord.objects.filter(kind="login").count() == 2
    assert RetainedRecord.objects.filter(kind="username").count() == 1


def test_storage_that_is_away_leaves_the_rows_that_name_files(
    committed: None,
    local_place: Place,
    later: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = make_member("alice")
    upload = processed_upload(alice)
    row = leaving.leave(member=alice)
    later(WEEK)

    def fail(name: str) -> None:
        raise OSError("storage is away")

    with monkeypatch.context() as away:
        away.setattr(storages["originals"], "delete", fail)
        with pytest.raises(OSError, match="away"):
            erasing.erase_member(leaving_id=row.pk)
    assert Upload.objects.filter(pk=upload.pk).exists()
    assert erase(row.pk) == "emptied"
    assert stored_files() == {}


def test_twice_at_once_is_once(committed: None, local_place: Place, later: Any) -> None:
    planted = plant()
    row = leaving.leave(member=planted.member)
    run_tasks()
    later(WEEK)
    answers = at_once(*[lambda: erase(row.pk)] * 2)
    assert "emptied" in answers
    assert not Member.objects.filter(pk=planted.member.pk).exists()
    assert what_is_left_of(planted) == set()
    assert RetainedRecord.objects.filter(kind="username").count() == 1
    assert_counters_right()


def test_more_than_one_batch(
    committed: None,
    later: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in (
        (posts, "_BATCH"),
        (posts, "_POSTS"),
        (media, "_ERASE_BATCH"),
        (batches, "BATCH"),
        (operator_log, "_BATCH"),
        (traces, "_BATCH"),
    ):
        monkeypatch.setattr(module, name, 2)
    alice, bob = make_member("alice"), make_member("bob")
    for _ in range(5):
        post = make_post(bob)
        make_like(alice, post.pk)
        make_comment(alice, post)
        make_comment(bob, make_post(alice))
    erase_after_a_week(alice, later)
    assert Post.objects.count() == 5
    assert not PostLike.objects.exists()
    assert not Comment.objects.exists()
    assert Upload.objects.count() == Photo.objects.count() == 5
    assert_counters_right()


def test_others_go_on_while_a_member_is_erased(committed: None, later: Any) -> None:
    """They like and comment on the posts whose counters the erasing holds; nobody deadlocks."""
    alice, bob, carol = make_member("alice"), make_member("bob"), make_member("carol")
    homes = [make_post(bob) for _ in range(6)]
    for home in homes:
        make_like(alice, home.pk)
        make_comment(alice, home)
    row = leaving.leave(member=alice)
    later(WEEK)

    def visit() -> str:
        for home in reversed(homes):
            make_like(carol, home.pk)
            make_comment(carol, home)
        return "visited"

    assert at_once(visit, lambda: erase(row.pk)) == ["visited", "emptied"]
    assert_counters_right()
    assert {post.like_count for post in Post.objects.all()} == {1}
