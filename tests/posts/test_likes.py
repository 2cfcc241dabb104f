"""PUT and DELETE /posts/{id}/like, GET /posts/{id}/likes."""

import pytest

from apps.posts.models import Post, PostLike
from tests.builders import ApiClient, make_member, make_post
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once


def like_count(post: Post) -> int:
    return Post.objects.get(pk=post.pk).like_count


def test_a_like_counts_once_and_can_be_taken_back_once(alice: ApiClient, bob: ApiClient) -> None:
    post = make_post(alice.member)
    for _ in range(2):
        response = bob.put(f"/posts/{post.pk}/like")
        assert (response.status_code, response.content) == (204, b"")
    assert like_count(post) == PostLike.objects.count() == 1
    for _ in range(2):
        assert bob.delete(f"/posts/{post.pk}/like").status_code == 204
    assert like_count(post) == PostLike.objects.count() == 0


def test_who_likes_a_post_newest_first(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    post = make_post(alice.member)
    for client in (alice, bob):
        client.put(f"/posts/{post.pk}/like")
    items = anonymous.get(f"/posts/{post.pk}/likes").json()["items"]
    assert [item["username"] for item in items] == ["bob", "alice"]


def test_ones_own_draft_takes_no_like(alice: ApiClient) -> None:
    draft = make_post(alice.member, publish=False)
    assert_problem(alice.put(f"/posts/{draft.pk}/like"), 409, "post_not_published")
    assert not PostLike.objects.exists()


def test_an_unknown_post_is_404(alice: ApiClient) -> None:
    path = "/posts/00000000-0000-7000-8000-000000000000"
    for response in (
        alice.put(f"{path}/like"),
        alice.delete(f"{path}/like"),
        alice.get(f"{path}/likes"),
    ):
        assert_problem(response, 404, "not_found")


@pytest.mark.usefixtures("committed")
def test_the_counter_is_right_when_many_like_at_once() -> None:
    post = make_post(make_member())
    clients = [ApiClient(make_member()) for _ in range(4)]

    def tap(client: ApiClient) -> None:
        # Each likes, likes again, takes it back and likes.
        for method in (client.put, client.put, client.delete, client.put):
            assert method(f"/posts/{post.pk}/like").status_code == 204

    at_once(*(lambda client=client: tap(client) for client in clients))
    assert like_count(post) == PostLike.objects.count() == 4


@pytest.mark.usefixtures("committed")
def test_one_member_who_taps_twice_at_once_likes_once() -> None:
    post, member = make_post(make_member()), make_member()
    clients = [ApiClient(member) for _ in range(4)]
    at_once(*(lambda client=client: client.put(f"/posts/{post.pk}/like") for client in clients))
    assert like_count(post) == PostLike.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_a_like_while_the_post_is_deleted_is_404_or_gone_with_it() -> None:
    author = make_member()
    post = make_post(author)
    owner, fan = ApiClient(author), ApiClient(make_member())
    responses = at_once(
        lambda: owner.delete(f"/posts/{post.pk}"), lambda: fan.put(f"/posts/{post.pk}/like")
    )
    assert responses[0].status_code == 204
    assert responses[1].status_code in {204, 404}
