"""A POST that is sent again with the same Idempotency-Key happens once."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from apps.common.models import IdempotencyKey
from apps.members.models import Member
from apps.posts.models import Comment, Post
from tests.builders import CONSENTS_JSON, DEVICE_JSON, PASSWORD, ApiClient, make_member, make_post
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once

KEY = {"Idempotency-Key": "9b2f-first-tap"}


def post_draft(client: ApiClient, title: str = "초안", **headers: str) -> Any:
    return client.post("/posts", {"title": title}, format="json", headers=KEY | headers)


def test_the_first_answer_is_given_again(alice: ApiClient) -> None:
    first = post_draft(alice)
    again = post_draft(alice)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert again["ETag"] == first["ETag"]
    assert Post.objects.count() == 1


def test_keys_older_than_a_day_are_deleted_as_new_ones_come(alice: ApiClient) -> None:
    for number in range(3):
        post_draft(alice, **{"Idempotency-Key": f"old {number}"})
    IdempotencyKey.objects.update(started_at=timezone.now() - dt.timedelta(hours=25))
    post_draft(alice)
    assert IdempotencyKey.objects.count() == 1


def test_another_body_with_the_same_key_is_409(alice: ApiClient) -> None:
    post_draft(alice, "하나")
    assert_problem(post_draft(alice, "둘"), 409, "idempotency_key_reused")
    assert Post.objects.count() == 1


def test_another_path_with_the_same_key_is_409(alice: ApiClient) -> None:
    post = make_post(alice.member)
    post_draft(alice)
    response = alice.post(
        f"/posts/{post.pk}/comments", {"content": "x"}, format="json", headers=KEY
    )
    assert_problem(response, 409, "idempotency_key_reused")
    assert not Comment.objects.exists()


def test_members_do_not_share_keys(alice: ApiClient, bob: ApiClient) -> None:
    assert post_draft(alice).json()["id"] != post_draft(bob).json()["id"]


def test_a_refused_request_may_be_tried_again_with_its_key(alice: ApiClient) -> None:
    body = {"title": "", "status": "published"}
    for _ in range(2):
        response = alice.post("/posts", body, format="json", headers=KEY)
        assert_problem(response, 400, "invalid_input")
    assert not IdempotencyKey.objects.exists()
    assert not Post.objects.exists()


def test_after_a_day_the_key_is_free(alice: ApiClient) -> None:
    post_draft(alice)
    IdempotencyKey.objects.update(started_at=timezone.now() - dt.timedelta(hours=25))
    assert "Idempotency-Replayed" not in post_draft(alice)
    assert Post.objects.count() == 2


def test_while_the_first_runs_the_second_is_409(alice: ApiClient) -> None:
    post_draft(alice)
    IdempotencyKey.objects.update(status=None, answer=None)
    assert_problem(post_draft(alice), 409, "idempotency_in_progress")
    assert Post.objects.count() == 1


def test_a_request_whose_process_died_is_run_again(alice: ApiClient) -> None:
    post_draft(alice)
    long_ago = timezone.now() - dt.timedelta(minutes=2)
    IdempotencyKey.objects.update(status=None, answer=None, started_at=long_ago)
    assert post_draft(alice).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "한글"])
def test_a_key_that_is_not_printable_ascii_is_400(alice: ApiClient, key: str) -> None:
    response = post_draft(alice, **{"Idempotency-Key": key})
    assert_problem(response, 400, "invalid_idempotency_key")


def test_a_signup_is_replayed_with_its_tokens_and_the_table_holds_none(
    anonymous: ApiClient,
) -> None:
    body = {
        "username": "minji",
        "password": PASSWORD,
        "birth_date": "1996-05-04",
        "consents": CONSENTS_JSON,
        "device": DEVICE_JSON,
    }
    first = anonymous.post("/auth/signup", body, format="json", headers=KEY)
    again = anonymous.post("/auth/signup", body, format="json", headers=KEY)
    assert first.status_code == 201
    assert again.json() == first.json()
    assert again["Cache-Control"] == first["Cache-Control"] == "no-store"
    assert Member.objects.count() == 1
    [row] = IdempotencyKey.objects.all()
    stored = bytes(row.answer or b"") + bytes(row.key_hash) + bytes(row.request_hash)
    assert first.json()["refresh_token"].encode() not in stored
    assert KEY["Idempotency-Key"].encode() not in stored
    # Somebody else who guesses the key but not the password gets nothing.
    other = anonymous.post(
        "/auth/signup", body | {"password": "another one"}, format="json", headers=KEY
    )
    assert_problem(other, 409, "idempotency_key_reused")


@pytest.mark.usefixtures("committed")
def test_two_taps_at_once_make_one_post() -> None:
    member = make_member()
    clients = [ApiClient(member) for _ in range(4)]
    responses = at_once(*(lambda client=client: post_draft(client) for client in clients))
    assert Post.objects.count() == 1
    codes = sorted(response.status_code for response in responses)
    assert codes[0] == 201
    assert set(codes) <= {201, 409}
    for response in responses:
        if response.status_code == 409:
            assert response.json()["code"] == "idempotency_in_progress"
