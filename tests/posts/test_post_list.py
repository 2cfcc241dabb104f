"""GET /posts, /me/likes, /me/drafts: filters, order, and a fixed number of queries."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.posts.models import Post
from tests.builders import ApiClient, make_comment, make_like, make_member, make_post
from tests.common.test_problems import assert_problem


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [item["id"] for item in response.json()["items"]]


def keys(posts: Iterable[Post]) -> set[str]:
    return {str(post.pk) for post in posts}


@pytest.fixture
def homes(alice: ApiClient, bob: ApiClient) -> dict[str, Post]:
    """Four homes that differ in everything."""
    describe = {
        "a": ("1-7", "villa", ["modern"], ["red"], alice),
        "b": ("8-15", "villa", ["modern", "korean"], ["red", "beige"], alice),
        "c": ("16-25", "duplex", ["korean"], ["navy"], bob),
        "d": ("26-", "apartment", [], [], bob),
    }
    return {
        name: make_post(
            client.member,
            pyeong_id=pyeong,
            housing_type_id=housing_type,
            styles=styles,
            colors=colors,
        )
        for name, (pyeong, housing_type, styles, colors, client) in describe.items()
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abcd"),
        ("pyeong=1-7", "a"),
        ("pyeong=1-7,26-", "ad"),
        ("housing_type=villa", "ab"),
        ("style=korean", "bc"),
        ("style=korean,modern", "abc"),
        ("color=red", "ab"),
        ("color=beige,navy", "bc"),
        ("housing_type=villa&style=korean", "b"),
        ("housing_type=villa&style=korean&color=navy", ""),
        ("housing_type=spaceship", ""),
        ("housing_type=", "abcd"),
        ("sort=latest", "abcd"),
        ("unknown=filter", "abcd"),
    ],
)
def test_a_comma_means_any_and_another_filter_means_all(
    anonymous: ApiClient, homes: dict[str, Post], query: str, expected: str
) -> None:
    assert set(ids(anonymous.get(f"/posts?{query}"))) == keys(homes[name] for name in expected)


def test_by_author(anonymous: ApiClient, alice: ApiClient, homes: dict[str, Post]) -> None:
    found = ids(anonymous.get(f"/posts?author={alice.member.pk}"))
    assert found == [str(homes["b"].pk), str(homes["a"].pk)]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("housing_type=%00", "/housing_type"),
        ("style=Modern!", "/style"),
        ("color=" + ",".join(["red"] * 21), "/color"),
        ("author=me", "/author"),
        ("author=%00", "/author"),
        ("sort=random", "/sort"),
    ],
)
def test_a_filter_that_makes_no_sense_is_400(
    anonymous: ApiClient, query: str, pointer: str
) -> None:
    problem = assert_problem(anonymous.get(f"/posts?{query}"), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == pointer


def test_the_newest_publication_comes_first_however_old_the_draft_was(
    alice: ApiClient, anonymous: ApiClient
) -> None:
    draft = make_post(alice.member, publish=False)
    post = make_post(alice.member)
    alice.patch(f"/posts/{draft.pk}", {"status": "published"}, format="json")
    assert ids(anonymous.get("/posts")) == [str(draft.pk), str(post.pk)]


def test_posts_of_the_same_moment_are_all_shown_once(
    alice: ApiClient, anonymous: ApiClient
) -> None:
    made = keys(make_post(alice.member) for _ in range(5))
    Post.objects.update(published_at=timezone.now())
    seen, cursor = [], ""
    while cursor is not None:
        page = anonymous.get(f"/posts?limit=2{cursor and f'&cursor={cursor}'}").json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 5
    assert set(seen) == made


def test_a_post_published_meanwhile_shifts_nothing(alice: ApiClient) -> None:
    old = [make_post(alice.member) for _ in range(4)]
    first = alice.get("/posts?limit=2").json()
    make_post(alice.member)
    second = ids(alice.get(f"/posts?limit=2&cursor={first['next_cursor']}"))
    assert second == [str(old[1].pk), str(old[0].pk)]


def test_liked_by_me_is_the_viewers_own(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    post = make_post(alice.member)
    make_like(bob.member, post.pk)
    for client, liked in ((bob, True), (alice, False), (anonymous, False)):
        [card] = client.get("/posts").json()["items"]
        assert (card["liked_by_me"], card["like_count"]) == (liked, 1)
        alone = client.get(f"/posts/{post.pk}").json()
        assert (alone["liked_by_me"], alone["like_count"]) == (liked, 1)


def test_my_likes_come_in_the_order_of_liking(alice: ApiClient, bob: ApiClient) -> None:
    first, second, third = (make_post(alice.member) for _ in range(3))
    for post in (second, third, first):
        make_like(bob.member, post.pk)
    make_like(alice.member, third.pk)
    assert ids(bob.get("/me/likes")) == [str(post.pk) for post in (first, third, second)]
    page = bob.get("/me/likes?limit=1").json()
    assert ids(bob.get(f"/me/likes?cursor={page['next_cursor']}")) == [
        str(third.pk),
        str(second.pk),
    ]


def test_the_excerpt_is_short_and_on_one_line(alice: ApiClient) -> None:
    make_post(alice.member, content="첫 줄\n\n둘째   줄")
    make_post(alice.member, content="가" * 2000)
    long, short = [item["excerpt"] for item in alice.get("/posts").json()["items"]]
    assert short == "첫 줄 둘째 줄"
    assert long == "가" * 99 + "…"


def queries(client: ApiClient, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_lists_take_the_same_few_queries_at_1_and_at_50_rows(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    public = ["/posts?limit=50", "/posts?style=korean&color=beige&limit=50"]
    own = ["/me/drafts?limit=50", "/me/likes?limit=50"]
    # The list itself is one query; a viewer adds one: who is calling.
    budget = [(anonymous, path, 1) for path in public] + [(bob, path, 2) for path in public + own]
    for rows, added in ((1, 1), (50, 49)):
        for _ in range(added):
            make_like(bob.member, make_post(alice.member).pk)
            make_post(bob.member, publish=False)
        for client, path, expected in budget:
            assert len(client.get(path).json()["items"]) == rows
            assert queries(client, path) == expected


def test_what_hangs_on_a_post_takes_the_same_few_queries_at_1_and_at_50_rows(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    post = make_post(alice.member)
    for rows, added in ((1, 1), (50, 49)):
        for _ in range(added):
            make_comment(bob.member, post)
            make_like(make_member(), post.pk)
        for path in ("", "/comments?limit=50", "/likes?limit=50"):
            if path:
                items = anonymous.get(f"/posts/{post.pk}{path}").json()["items"]
                assert len(items) == rows
            # A post alone: its row, its photos. A list: is the post there, the rows. A viewer adds
            # one: who is calling.
            assert queries(anonymous, f"/posts/{post.pk}{path}") == 2
            assert queries(bob, f"/posts/{post.pk}{path}") == 3


def test_old_posts_are_found_by_published_at(alice: ApiClient, anonymous: ApiClient) -> None:
    posts = [make_post(alice.member) for _ in range(3)]
    long_ago = timezone.now() - dt.timedelta(days=400)
    Post.objects.filter(pk=posts[2].pk).update(published_at=long_ago)
    assert ids(anonymous.get("/posts"))[-1] == str(posts[2].pk)
