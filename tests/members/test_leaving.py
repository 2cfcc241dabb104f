"""DELETE /me, what it hides and ends, and the ways back."""

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from apps.members.errors import LoginFailed
from apps.members.models import DeviceSession, Follow, Leaving, Member
from apps.members.services import account_state, leaving, sessions
from apps.members.services.passwords import reset_password
from apps.posts.models import Comment, Post, PostLike
from apps.tasks.models import BackgroundTask
from tests.background import run_tasks
from tests.builders import (
    DEVICE,
    DEVICE_JSON,
    PASSWORD,
    ApiClient,
    make_comment,
    make_like,
    make_member,
    make_post,
    suspended,
)
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once

WAY_BACK = dt.timedelta(days=6, hours=20)


def delete(client: ApiClient, password: str = PASSWORD) -> Any:
    return client.delete("/me", {"password": password}, format="json")


def log_in(username: str, password: str = PASSWORD, **more: Any) -> Any:
    body = {"username": username, "password": password, "device": DEVICE_JSON} | more
    return ApiClient().post("/auth/login", body, format="json")


def assert_counters_right() -> None:
    """What everyone sees of each post is what is there of open accounts."""
    for post in Post.objects.all():
        open_likes = PostLike.objects.filter(post=post, member__is_active=True)
        assert post.like_count == open_likes.count()
        open_comments = Comment.objects.filter(post=post, author__is_active=True)
        assert post.comment_count == open_comments.count()
    for member in Member.objects.all():
        followers = Follow.objects.filter(followed=member, follower__is_active=True)
        assert member.followers_count == followers.count()
        following = Follow.objects.filter(follower=member, followed__is_active=True)
        assert member.following_count == following.count()
        assert member.posts_count == member.posts.filter(status="published").count()


def verified(member: Member, email: str = "minji@example.com") -> Member:
    member.email, member.email_verified = email, True
    member.save(update_fields=["email", "email_verified"])
    return member


# --- Leaving ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_leaving_hides_and_ends_everything_at_once(alice: ApiClient, bob: ApiClient) -> None:
    post = make_post(alice.member)
    comment = make_comment(alice.member, make_post(bob.member))
    make_like(alice.member, comment.post_id)
    tablet = ApiClient(alice.member)
    before = timezone.now()

    answer = delete(alice)
    assert answer.status_code == 202
    row = Leaving.objects.get()
    assert row.member_id == alice.member.pk
    assert before + WAY_BACK <= row.erase_at <= timezone.now() + WAY_BACK
    assert answer.json() == {"erase_at": row.erase_at.isoformat().replace("+00:00", "Z")}

    for client in (alice, tablet):
        assert_problem(client.get("/me"), 401, "token_invalid")
        assert_problem(delete(client), 401, "token_invalid")
    assert not DeviceSession.objects.open().filter(member=alice.member).exists()
    reasons = DeviceSession.objects.filter(member=alice.member).values_list("end_reason", flat=True)
    assert set(reasons) == {"left"}
    assert bob.get(f"/members/{alice.member.pk}").status_code == 404
    assert bob.get(f"/posts/{post.pk}").status_code == 404
    assert bob.get("/posts").json()["items"][0]["id"] == str(comment.post_id)
    assert len(bob.get("/posts").json()["items"]) == 1
    assert bob.get(f"/posts/{comment.post_id}/comments").json()["items"] == []
    assert bob.get(f"/posts/{comment.post_id}/likes").json()["items"] == []


@pytest.mark.django_db
def test_a_refresh_token_dies_with_the_account() -> None:
    pair = sessions.open_session(member=make_member("minji"), device=DEVICE)
    client = ApiClient()
    client.use(pair)
    assert delete(client).status_code == 202
    body = {"refresh_token": pair.refresh_token}
    answer = ApiClient().post("/auth/refresh", body, format="json")
    assert_problem(answer, 401, "refresh_token_invalid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": "not it at all"}, 403, "password_wrong"),
        ({"password": PASSWORD.upper()}, 403, "password_wrong"),
        ({"password": "nul\0"}, 400, "invalid_input"),
        ({"password": "한" * 129}, 400, "invalid_input"),
        ({"password": None}, 400, "invalid_input"),
        ({}, 400, "invalid_input"),
        ([], 400, "invalid_input"),
    ],
)
@pytest.mark.django_db
def test_without_the_password_nothing_changes(
    alice: ApiClient, body: Any, status: int, code: str
) -> None:
    before = Member.objects.values().get(pk=alice.member.pk)
    assert_problem(alice.delete("/me", body, format="json"), status, code)
    assert Member.objects.values().get(pk=alice.member.pk) == before
    assert not Leaving.objects.exists()
    assert alice.get("/me").status_code == 200


@pytest.mark.django_db
def test_guessing_the_password_is_counted(alice: ApiClient) -> None:
    codes = [delete(alice, "not it at all").json()["code"] for _ in range(11)]
    assert codes == ["password_wrong"] * 10 + ["throttled"]
    # The right one does not help either, and changing the password counts with it.
    assert_problem(delete(alice), 429, "throttled")
    body = {"current_password": PASSWORD, "new_password": "quite another one"}
    assert_problem(alice.post("/auth/password/change", body, format="json"), 429, "throttled")


@pytest.mark.django_db
def test_a_member_without_a_password_cannot_guess_one(alice: ApiClient) -> None:
    reset_password(member=alice.member, new_password=None)
    alice.use(sessions.open_session(member=alice.member, device=DEVICE))
    assert_problem(delete(alice, "!"), 403, "password_wrong")


@pytest.mark.django_db
def test_a_suspended_member_may_leave() -> None:
    assert delete(ApiClient(suspended(make_member()))).status_code == 202


@pytest.mark.django_db
def test_an_operator_stays(olga: ApiClient) -> None:
    assert_problem(delete(olga), 403, "operators_stay")
    assert olga.get("/me").status_code == 200
    assert not Leaving.objects.exists()


def test_two_taps_leave_once(committed: None) -> None:
    alice = ApiClient(make_member("alice"))
    first, second = at_once(lambda: delete(alice), lambda: delete(alice))
    assert {first.status_code, second.status_code} <= {202, 401}
    assert 202 in {first.status_code, second.status_code}
    assert Leaving.objects.count() == 1


def test_no_session_opened_meanwhile_survives(committed: None) -> None:
    for number in range(5):
        alice = make_member(f"alice{number}")
        pair = sessions.open_session(member=alice, device=DEVICE)
        body = {"refresh_token": pair.refresh_token}
        at_once(
            lambda alice=alice: leaving.leave(member=alice),
            lambda alice=alice: log_in(alice.username),
            lambda body=body: ApiClient().post("/auth/refresh", body, format="json"),
        )
        assert not DeviceSession.objects.open().filter(member=alice).exists()
        assert_problem(log_in(alice.username), 409, "account_leaving")


def test_leaving_again_is_harmless(committed: None) -> None:
    alice = make_member("alice")
    stale = Member.objects.get(pk=alice.pk)
    assert leaving.leave(member=alice).pk == leaving.leave(member=stale).pk


def test_a_password_that_changed_meanwhile_does_not_count(committed: None) -> None:
    alice = make_member("alice")
    stale = Member.objects.get(pk=alice.pk)
    reset_password(member=alice, new_password="quite another one")
    with pytest.raises(leaving.PasswordWrong):
        leaving.leave(member=stale)
    assert not Leaving.objects.exists()


@pytest.mark.django_db
def test_the_database_allows_no_erasing_before_leaving() -> None:
    now = timezone.now()
    with pytest.raises(Exception, match="leaving_before_erasing"), transaction.atomic():
        Leaving.objects.create(member=make_member(), left_at=now, erase_at=now)


# --- Coming back --------------------------------------------------------------------------------


def test_a_login_offers_to_come_back(committed: None) -> None:
    alice = ApiClient(make_member("alice"))
    post = make_post(alice.member)
    before = alice.get("/me").json()
    delete(alice)

    problem = assert_problem(log_in("alice"), 409, "account_leaving")
    assert problem["erase_at"] == Leaving.objects.get().erase_at.isoformat().replace("+00:00", "Z")
    assert_problem(log_in("alice", "not it at all"), 401, "login_failed")
    assert_problem(log_in("alice", "not it at all", restore=True), 401, "login_failed")
    assert Leaving.objects.exists()

    answer = log_in("Alice", restore=True)
    assert answer.status_code == 200
    assert answer.json()["member"] == before
    assert not Leaving.objects.exists()
    assert ApiClient().get(f"/posts/{post.pk}").status_code == 200
    assert log_in("alice").status_code == 200
    # The devices of before stay logged out.
    assert_problem(alice.get("/me"), 401, "token_invalid")


@pytest.mark.django_db
def test_restore_is_nothing_to_a_member_who_stays(alice: ApiClient) -> None:
    assert log_in("alice", restore=True).status_code == 200
    alice.member.refresh_from_db()
    assert alice.member.reopened_at is None


def test_after_seven_days_there_is_no_way_back(committed: None, later: Any) -> None:
    leaving.leave(member=make_member("alice"))
    later(WAY_BACK + dt.timedelta(seconds=1))
    assert_problem(log_in("alice"), 401, "login_failed")
    assert_problem(log_in("alice", restore=True), 401, "login_failed")


@pytest.mark.django_db
def test_once_erasing_has_begun_there_is_no_way_back() -> None:
    leaving.leave(member=make_member("alice"))
    Leaving.objects.update(erasing_since=timezone.now())
    assert_problem(log_in("alice", restore=True), 401, "login_failed")


@pytest.mark.django_db
def test_an_account_that_operators_closed_is_no_account_that_leaves(alice: ApiClient) -> None:
    account_state.set_open(member=alice.member, is_open=False)
    assert_problem(log_in("alice", restore=True), 401, "login_failed")


def test_coming_back_needs_the_password_of_now(committed: None) -> None:
    """It was checked before the row was locked."""
    alice = make_member("alice")
    leaving.leave(member=alice)
    stale = Member.objects.get(pk=alice.pk)
    reset_password(member=alice, new_password="quite another one")
    assert leaving.refuse_or_restore(member=stale, restore=True) is None
    with pytest.raises(LoginFailed):
        sessions.log_in(username="alice", password=PASSWORD, device=DEVICE, restore=True)


def test_coming_back_twice_at_once_is_coming_back(committed: None) -> None:
    leaving.leave(member=make_member("alice"))
    answers = at_once(*[lambda: log_in("alice", restore=True)] * 3)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert log_in("alice").status_code == 200


# --- The mail -----------------------------------------------------------------------------------


def test_the_mail_tells_of_the_way_back(committed: None, settings: Settings) -> None:
    alice = verified(make_member("alice"))
    Member.objects.filter(pk=alice.pk).update(locale="en")
    leaving.leave(member=alice)
    run_tasks()
    [message] = mail.outbox
    assert message.to == ["minji@example.com"]
    assert f"{settings.PUBLIC_BASE_URL}/account/restore?token=" in message.body
    until = timezone.localtime(Leaving.objects.get().erase_at)
    assert f"{until:%Y-%m-%d %H:%M} (Korean time)" in message.body


def test_none_goes_to_an_address_that_was_taken_away_meanwhile(committed: None) -> None:
    alice = verified(make_member("alice"))
    leaving.leave(member=alice)
    Member.objects.update(email_verified=False)
    run_tasks()
    assert mail.outbox == []


@pytest.mark.parametrize("email", ["", "unverified@example.com"])
def test_no_mail_goes_where_nobody_said_it_is_theirs(committed: None, email: str) -> None:
    alice = make_member("alice", email=email)
    leaving.leave(member=alice)
    run_tasks()
    assert mail.outbox == []


def test_no_task_says_the_link(committed: None) -> None:
    leaving.leave(member=verified(make_member("alice")))
    run_tasks()
    token = mail.outbox[0].body.partition("token=")[2].split()[0]
    for task in BackgroundTask.objects.all():
        assert token not in str(task.args_kwargs)
        assert "minji@example.com" not in str(task.args_kwargs)
