"""Comments: write, read, change, delete."""

import pytest

from apps.posts.models import Comment, Post
from tests.builders import ApiClient, make_comment, make_member, make_post
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once


def comment_count(post: Post) -> int:
    return Post.objects.get(pk=post.pk).comment_count


def test_a_comment_is_counted_and_read_by_everyone(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    post = make_post(alice.member)
    response = bob.post(f"/posts/{post.pk}/comments", {"content": " 예뻐요!\n정말 "}, format="json")
    assert response.status_code == 201
    made = response.json()
    assert made["content"] == "예뻐요!\n정말"
    assert made["author"]["username"] == "bob"
    assert made["edited_at"] is None
    assert made["parent_id"] is None
    assert (made["like_count"], made["reply_count"], made["liked_by_me"]) == (0, 0, False)
    assert anonymous.get(f"/posts/{post.pk}/comments").json()["items"] == [made]
    assert comment_count(post) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "blank"),
        ("   ", "blank"),
        ("\x00", "blank"),
        ("\u200b", "blank"),
        ("가" * 501, "too_long"),
        (None, "null"),
        ([], "invalid"),
    ],
)
def test_a_comment_that_says_nothing_or_too_much_is_400(
    alice: ApiClient, content: object, code: str
) -> None:
    post = make_post(alice.member)
    path = f"/posts/{post.pk}/comments"
    problem = assert_problem(
        alice.post(path, {"content": content}, format="json"), 400, "invalid_input"
    )
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/content", code)]
    assert comment_count(post) == Comment.objects.count() == 0


def test_500_characters_fit(alice: ApiClient) -> None:
    post = make_post(alice.member)
    response = alice.post(f"/posts/{post.pk}/comments", {"content": "가" * 500}, format="json")
    assert response.status_code == 201


def test_a_draft_takes_no_comment(alice: ApiClient, bob: ApiClient) -> None:
    draft = make_post(alice.member, publish=False)
    path = f"/posts/{draft.pk}/comments"
    body = {"content": "x"}
    assert_problem(alice.post(path, body, format="json"), 409, "post_not_published")
    assert_problem(bob.post(path, body, format="json"), 404, "not_found")
    assert_problem(bob.get(path), 404, "not_found")
    assert not Comment.objects.exists()


def test_its_author_changes_it(alice: ApiClient, bob: ApiClient) -> None:
    comment = make_comment(bob.member, make_post(alice.member))
    path = f"/comments/{comment.pk}"
    response = bob.patch(path, {"content": "고쳤어요"}, format="json")
    assert response.status_code == 200
    assert response.json()["content"] == "고쳤어요"
    assert response.json()["edited_at"] is not None
    etag = response["ETag"]
    bob.patch(path, {"content": "또"}, format="json")
    stale = bob.patch(path, {"content": "x"}, format="json", headers={"If-Match": etag})
    assert_problem(stale, 412, "stale")


def test_nobody_else_changes_or_deletes_it(alice: ApiClient, bob: ApiClient) -> None:
    post = make_post(alice.member)
    comment = make_comment(alice.member, post)
    path = f"/comments/{comment.pk}"
    assert_problem(bob.patch(path, {"content": "x"}, format="json"), 403, "not_yours")
    assert_problem(bob.delete(path), 403, "not_yours")
    comment.refresh_from_db()
    assert comment.content == "예뻐요!"
    assert comment_count(post) == 1


def test_not_even_the_posts_author_changes_a_guests_words(alice: ApiClient, bob: ApiClient) -> None:
    comment = make_comment(bob.member, make_post(alice.member))
    response = alice.patch(f"/comments/{comment.pk}", {"content": "x"}, format="json")
    assert_problem(response, 403, "not_yours")


@pytest.mark.parametrize("who", ["its author", "the post's author"])
def test_its_author_and_the_posts_author_delete_it(
    alice: ApiClient, bob: ApiClient, who: str
) -> None:
    post = make_post(alice.member)
    path = f"/comments/{make_comment(bob.member, post).pk}"
    client = bob if who == "its author" else alice
    assert client.delete(path).status_code == 204
    assert_problem(client.delete(path), 404, "not_found")
    assert comment_count(post) == Comment.objects.count() == 0


@pytest.mark.usefixtures("committed")
def test_the_counter_is_right_when_many_comment_and_delete_at_once() -> None:
    post = make_post(make_member())
    clients = [ApiClient(make_member()) for _ in range(4)]

    def talk(client: ApiClient) -> None:
        path = f"/posts/{post.pk}/comments"
        first = client.post(path, {"content": "하나"}, format="json").json()
        client.post(path, {"content": "둘"}, format="json")
        assert client.delete(f"/comments/{first['id']}").status_code == 204

    at_once(*(lambda client=client: talk(client) for client in clients))
    assert comment_count(post) == Comment.objects.count() == 4


@pytest.mark.usefixtures("committed")
def test_deleting_twice_at_once_counts_once() -> None:
    member = make_member()
    post = make_post(member)
    make_comment(member, post)
    path = f"/comments/{make_comment(member, post).pk}"
    clients = [ApiClient(member) for _ in range(3)]
    responses = at_once(*(lambda client=client: client.delete(path) for client in clients))
    assert sorted(response.status_code for response in responses) == [204, 404, 404]
    assert comment_count(post) == 1
