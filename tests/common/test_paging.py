"""Keyset pages: nothing is skipped or shown twice while others post."""

from typing import Any

import pytest

from apps.common.paging import MAX_LIMIT
from tests.builders import ApiClient, make_comment, make_post
from tests.common.test_problems import assert_problem


@pytest.fixture
def thread(alice: ApiClient) -> str:
    """The path of a post's five comments."""
    post = make_post(alice.member)
    for number in range(5):
        make_comment(alice.member, post, f"comment {number}")
    return f"/posts/{post.pk}/comments"


def texts(response: Any) -> list[str]:
    return [item["content"] for item in response.json()["items"]]


def test_pages_follow_each_other_to_the_end(anonymous: ApiClient, thread: str) -> None:
    first = anonymous.get(f"{thread}?limit=2")
    second = anonymous.get(f"{thread}?limit=2&cursor={first.json()['next_cursor']}")
    third = anonymous.get(f"{thread}?limit=2&cursor={second.json()['next_cursor']}")
    assert texts(first) == ["comment 4", "comment 3"]
    assert texts(second) == ["comment 2", "comment 1"]
    assert texts(third) == ["comment 0"]
    assert third.json()["next_cursor"] is None


def test_a_full_last_page_has_no_next(anonymous: ApiClient, thread: str) -> None:
    assert anonymous.get(f"{thread}?limit=5").json()["next_cursor"] is None


def test_what_comes_or_goes_meanwhile_shifts_nothing(alice: ApiClient, thread: str) -> None:
    first = alice.get(f"{thread}?limit=2").json()
    alice.post(thread, {"content": "new"}, format="json")
    alice.delete(f"/comments/{first['items'][1]['id']}")
    second = alice.get(f"{thread}?limit=2&cursor={first['next_cursor']}")
    assert texts(second) == ["comment 2", "comment 1"]


def test_limit_is_20_by_default_and_50_at_most(alice: ApiClient, thread: str) -> None:
    for number in range(50):
        alice.post(thread, {"content": f"more {number}"}, format="json")
    assert len(texts(alice.get(thread))) == 20
    assert len(texts(alice.get(f"{thread}?limit=1000"))) == MAX_LIMIT == 50


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "1.5", "", "²", "%00"])
def test_a_limit_that_makes_no_sense_is_400(anonymous: ApiClient, thread: str, limit: str) -> None:
    problem = assert_problem(anonymous.get(f"{thread}?limit={limit}"), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/limit"


def test_a_limit_of_a_thousand_digits_is_the_most(anonymous: ApiClient, thread: str) -> None:
    assert anonymous.get(f"{thread}?limit={'9' * 1000}").status_code == 200


def test_a_cursor_that_was_tampered_with_is_400(anonymous: ApiClient, thread: str) -> None:
    cursor = anonymous.get(f"{thread}?limit=1").json()["next_cursor"]
    payload, _, signature = cursor.partition(".")
    forged = [
        "",
        "x",
        "%00",
        payload,
        f"{payload}.",
        f".{signature}",
        f"{payload[:-1]}A.{signature}",
        f"{payload}.{signature[:-1]}",
        f"{payload}.{signature.swapcase()}",
        cursor + "A",
        "é" * 5,
        "A" * 10_000,
    ]
    for value in forged:
        assert_problem(anonymous.get(f"{thread}?cursor={value}"), 400, "invalid_cursor")


def test_a_cursor_of_another_list_is_400(alice: ApiClient, thread: str) -> None:
    cursor = alice.get(f"{thread}?limit=1").json()["next_cursor"]
    for path in ("/posts", "/me/drafts", "/me/likes", "/auth/sessions"):
        assert_problem(alice.get(f"{path}?cursor={cursor}"), 400, "invalid_cursor")
