"""What everyone sees counted, while members leave and come back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.members.models import Leaving, Member
from apps.members.services import account_state, leaving
from apps.members.tokens import TokenInvalid
from apps.posts.services import belongings, comments, likes
from tests.background import run_tasks
from tests.builders import make_comment, make_like, make_member, make_post
from tests.concurrency import at_once
from tests.members.test_leaving import assert_counters_right


def test_counters_are_right_at_each_stage(committed: None) -> None:
    alice, bob = make_member("alice"), make_member("bob")
    theirs, own = make_post(bob), make_post(alice)
    for member in (alice, bob):
        make_like(member, theirs.pk)
        make_like(member, own.pk)
        make_comment(member, theirs)
        make_comment(member, own)
    assert_counters_right()

    leaving.leave(member=alice)
    run_tasks()
    theirs.refresh_from_db()
    assert (theirs.like_count, theirs.comment_count) == (1, 1)
    assert_counters_right()

    leaving.come_back(leaving=Leaving.objects.select_related("member").get())
    run_tasks()
    theirs.refresh_from_db()
    assert (theirs.like_count, theirs.comment_count) == (2, 2)
    assert_counters_right()


def test_what_is_taken_back_before_it_was_counted_again(committed: None) -> None:
    """Alice is back, and her like is not in the counter yet, when she takes it away."""
    alice, bob, carol = make_member("alice"), make_member("bob"), make_member("carol")
    post = make_post(bob)
    make_like(alice, post.pk)
    make_like(carol, post.pk)
    mine, other = make_comment(alice, post), make_comment(alice, post)
    leaving.leave(member=alice)
    run_tasks()
    leaving.come_back(leaving=Leaving.objects.select_related("member").get())
    likes.unlike_post(member=Member.objects.get(pk=alice.pk), post_id=post.pk)
    comments.delete_comment(member=Member.objects.get(pk=alice.pk), comment_id=mine.pk)
    comments.delete_comment(member=bob, comment_id=other.pk)
    assert_counters_right()
    run_tasks()
    assert_counters_right()


def test_operators_remove_a_comment_of_one_who_left(committed: None) -> None:
    alice, bob = make_member("alice"), make_member("bob")
    post = make_post(bob)
    first, second = make_comment(alice, post), make_comment(alice, post)
    leaving.leave(member=alice)
    comments.remove_comment(comment_id=first.pk)
    run_tasks()
    comments.remove_comment(comment_id=second.pk)
    assert_counters_right()


def test_what_was_on_its_way_as_the_member_left(committed: None) -> None:
    """Leaving waits for a like that is being written, and refuses one that comes after."""
    alice, post = make_member("alice"), make_post(make_member("bob"))
    stale = Member.objects.get(pk=alice.pk)

    def like() -> str:
        try:
            likes.like_post(member=stale, post_id=post.pk)
        except TokenInvalid as error:
            return error.code
        return "liked"

    def go() -> str:
        leaving.leave(member=alice)
        run_tasks()
        return "left"

    at_once(like, go)
    assert_counters_right()
    with pytest.raises(TokenInvalid):
        likes.like_post(member=stale, post_id=post.pk)
    with pytest.raises(TokenInvalid):
        comments.create_comment(author=stale, post_id=post.pk, content="늦었네요")
    with pytest.raises(TokenInvalid):
        likes.unlike_post(member=stale, post_id=post.pk)
    assert_counters_right()


def test_leaving_waits_for_a_like_that_is_being_written(committed: None) -> None:
    alice, post = make_member("alice"), make_post(make_member("bob"))

    def go() -> None:
        try:
            leaving.leave(member=alice)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            likes.like_post(member=alice, post_id=post.pk)
            left = pool.submit(go)
            with pytest.raises(TimeoutError):
                left.result(timeout=0.3)
        left.result(timeout=5)
    run_tasks()
    assert_counters_right()


@pytest.mark.django_db
def test_many_posts_are_counted_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belongings, "_BATCH", 2)
    alice, bob = make_member("alice"), make_member("bob")
    for _ in range(5):
        post = make_post(bob)
        make_like(alice, post.pk)
        make_comment(alice, post)
    Member.objects.filter(pk=alice.pk).update(is_active=False)
    with CaptureQueriesContext(connection) as queries:
        belongings._recount_likes(alice.pk)
    locks = [query for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert len(locks) == 3
    belongings._recount_comments(alice.pk)
    assert_counters_right()


def test_operators_who_close_and_open_an_account_move_counters(committed: None) -> None:
    alice, post = make_member("alice"), make_post(make_member("bob"))
    make_like(alice, post.pk)
    for is_open in (False, True):
        assert account_state.set_open(member=alice, is_open=is_open)
        run_tasks()
        assert_counters_right()
    leaving.leave(member=Member.objects.get(pk=alice.pk))
    assert account_state.set_open(member=alice, is_open=True)
    assert not Leaving.objects.exists()
    leaving.leave(member=Member.objects.get(pk=alice.pk))
    Leaving.objects.update(erasing_since=timezone.now())
    assert not account_state.set_open(member=alice, is_open=True)
