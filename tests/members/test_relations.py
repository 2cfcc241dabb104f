"""Follow, block and mute: /members/{id}/…, and the lists of them."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.members.models import Block, Follow, Member, Mute
from apps.members.services import relations
from apps.posts.models import Comment, PostLike
from apps.posts.services.counters import recount_counters
from tests.builders import ApiClient, make_comment, make_like, make_member, make_post
from tests.common.test_problems import assert_problem

VERBS = ("follow", "block", "mute")
ROWS = {"follow": Follow, "block": Block, "mute": Mute}


def profile(viewer: ApiClient, other: ApiClient) -> dict[str, Any]:
    response = viewer.get(f"/members/{other.member.pk}")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def put(client: ApiClient, other: ApiClient, verb: str) -> None:
    assert client.put(f"/members/{other.member.pk}/{verb}").status_code == 204


def delete(client: ApiClient, other: ApiClient, verb: str) -> None:
    assert client.delete(f"/members/{other.member.pk}/{verb}").status_code == 204


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [item["username"] for item in response.json()["items"]]


def assert_counters_right() -> None:
    report = recount_counters()
    assert not any(count for name, count in report.items() if name.endswith("_count")), report


@pytest.fixture
def charlie(db: None) -> ApiClient:
    """A third one."""
    return ApiClient(make_member("charlie"))


@pytest.mark.parametrize("verb", VERBS)
def test_again_is_harmless_and_so_is_taking_it_back_twice(
    alice: ApiClient, bob: ApiClient, verb: str
) -> None:
    for _ in range(2):
        put(alice, bob, verb)
        assert ROWS[verb].objects.count() == 1
    assert_counters_right()
    for _ in range(2):
        delete(alice, bob, verb)
        assert ROWS[verb].objects.count() == 0
    assert_counters_right()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("method", ["put", "delete"])
def test_nobody_does_it_to_themselves(alice: ApiClient, verb: str, method: str) -> None:
    response = getattr(alice, method)(f"/members/{alice.member.pk}/{verb}")
    assert_problem(response, 400, "yourself")
    assert not ROWS[verb].objects.exists()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("method", ["put", "delete"])
@pytest.mark.parametrize("why", ["unknown", "closed", "blocks me"])
def test_who_is_not_there_is_404_whatever_the_reason(
    alice: ApiClient, bob: ApiClient, verb: str, method: str, why: str
) -> None:
    member_id = bob.member.pk
    match why:
        case "unknown":
            member_id = "00000000-0000-7000-8000-000000000000"
        case "closed":
            Member.objects.filter(pk=member_id).update(is_active=False)
        case "blocks me":
            put(bob, alice, "block")
    before = [list(model.objects.values()) for model in ROWS.values()]
    response = getattr(alice, method)(f"/members/{member_id}/{verb}")
    assert_problem(response, 404, "not_found")
    assert [list(model.objects.values()) for model in ROWS.values()] == before


@pytest.mark.parametrize("verb", ["block", "mute"])
def test_who_is_suspended_or_owes_a_consent_stays_safe_from_others(
    sue: ApiClient, alice: ApiClient, bob: ApiClient, settings: Any, verb: str
) -> None:
    settings.CONSENT_VERSIONS = settings.CONSENT_VERSIONS | {"terms": "2099-01-01"}
    for client in (sue, alice):
        put(client, bob, verb)
        assert names(client.get(f"/me/{verb}s")) == ["bob"]
        delete(client, bob, verb)
        assert names(client.get(f"/me/{verb}s")) == []
    assert not ROWS[verb].objects.exists()


def test_following_is_a_write_like_any_other(
    sue: ApiClient, alice: ApiClient, bob: ApiClient, settings: Any
) -> None:
    settings.CONSENT_VERSIONS = settings.CONSENT_VERSIONS | {"terms": "2099-01-01"}
    path = f"/members/{bob.member.pk}/follow"
    for method in ("put", "delete"):
        assert_problem(getattr(sue, method)(path), 403, "suspended")
        assert_problem(getattr(alice, method)(path), 409, "consent_required")
    assert not Follow.objects.exists()


@pytest.mark.parametrize("verb", ["follow", "mute"])
def test_whom_i_block_i_can_only_unblock(alice: ApiClient, bob: ApiClient, verb: str) -> None:
    put(alice, bob, "block")
    for method in (alice.put, alice.delete):
        assert_problem(method(f"/members/{bob.member.pk}/{verb}"), 404, "not_found")
    delete(alice, bob, "block")
    put(alice, bob, verb)


def test_a_follow_shows_on_both_profiles(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    put(alice, bob, "follow")
    seen = profile(alice, bob)
    assert (seen["followed_by_me"], seen["follows_me"]) == (True, False)
    assert (seen["followers_count"], seen["following_count"]) == (1, 0)
    seen = profile(bob, alice)
    assert (seen["followed_by_me"], seen["follows_me"]) == (False, True)
    assert (seen["followers_count"], seen["following_count"]) == (0, 1)
    seen = profile(anonymous, bob)
    assert (seen["followed_by_me"], seen["follows_me"]) == (False, False)
    assert alice.get("/me").json()["following_count"] == 1
    assert bob.get("/me").json()["followers_count"] == 1


def test_followers_and_following_newest_first(
    alice: ApiClient, bob: ApiClient, charlie: ApiClient
) -> None:
    put(alice, charlie, "follow")
    put(bob, charlie, "follow")
    put(charlie, alice, "follow")
    path = f"/members/{charlie.member.pk}"
    response = alice.get(f"{path}/followers")
    assert names(response) == ["bob", "alice"]
    assert names(alice.get(f"{path}/following")) == ["alice"]
    [him, me] = response.json()["items"]
    assert (him["followed_by_me"], him["follows_me"]) == (False, False)
    [_him, me] = charlie.get(f"{path}/followers").json()["items"]
    assert (me["followed_by_me"], me["follows_me"]) == (True, True)


def test_pages_of_followers_skip_nobody(alice: ApiClient) -> None:
    fans = [ApiClient(make_member(f"fan{number}")) for number in range(3)]
    for fan in fans:
        put(fan, alice, "follow")
    path = f"/members/{alice.member.pk}/followers?limit=2"
    first = alice.get(path)
    assert names(first) == ["fan2", "fan1"]
    cursor = first.json()["next_cursor"]
    assert names(alice.get(f"{path}&cursor={cursor}")) == ["fan0"]
    # A cursor is of one list.
    wrong = f"/members/{alice.member.pk}/following?cursor={cursor}"
    assert_problem(alice.get(wrong), 400, "invalid_cursor")


def test_a_block_ends_follows_both_ways_and_counts_them_right(
    alice: ApiClient, bob: ApiClient
) -> None:
    put(alice, bob, "follow")
    put(bob, alice, "follow")
    put(alice, bob, "block")
    assert not Follow.objects.exists()
    for client in (alice, bob):
        me = client.get("/me").json()
        assert (me["followers_count"], me["following_count"]) == (0, 0)
    assert_counters_right()
    delete(alice, bob, "block")
    assert profile(alice, bob)["followed_by_me"] is False


def test_my_blocks_and_mutes_are_mine_alone(alice: ApiClient, bob: ApiClient) -> None:
    put(alice, bob, "mute")
    put(alice, bob, "block")
    assert names(alice.get("/me/blocks")) == ["bob"]
    # Muted still, but not there; back when the block is taken back.
    assert names(alice.get("/me/mutes")) == []
    delete(alice, bob, "block")
    assert names(alice.get("/me/mutes")) == ["bob"]
    for path in ("/me/blocks", "/me/mutes"):
        assert names(bob.get(path)) == []


def test_a_block_is_not_told(alice: ApiClient, bob: ApiClient) -> None:
    before = bob.get("/me").json()
    put(alice, bob, "block")
    assert bob.get("/me").json() == before
    assert "alice" not in bob.get("/me/blocks").content.decode()


def test_a_hidden_members_post_takes_no_like_and_no_comment(
    alice: ApiClient, bob: ApiClient
) -> None:
    posts = {alice: make_post(alice.member), bob: make_post(bob.member)}
    put(alice, bob, "block")
    for client, other in ((alice, bob), (bob, alice)):
        path = f"/posts/{posts[other].pk}"
        for response in (
            client.put(f"{path}/like"),
            client.delete(f"{path}/like"),
            client.post(f"{path}/comments", {"content": "x"}, format="json"),
            client.patch(path, {"title": "x"}, format="json"),
            client.delete(path),
        ):
            assert_problem(response, 404, "not_found")
    assert not PostLike.objects.exists()
    assert not Comment.objects.exists()


def test_a_hidden_members_comment_can_not_be_touched(
    alice: ApiClient, bob: ApiClient, charlie: ApiClient
) -> None:
    comment = make_comment(bob.member, make_post(alice.member))
    put(alice, bob, "block")
    path = f"/comments/{comment.pk}"
    assert_problem(alice.delete(path), 404, "not_found")
    # Nor does its writer see where it stands.
    assert_problem(bob.delete(path), 404, "not_found")
    assert Comment.objects.get().content == comment.content
    assert_problem(charlie.delete(path), 403, "not_yours")


def test_a_mute_hides_from_lists_and_leaves_the_rest(
    alice: ApiClient, bob: ApiClient, charlie: ApiClient
) -> None:
    shown, muted = make_post(charlie.member), make_post(bob.member)
    make_comment(bob.member, shown)
    make_like(alice.member, muted.pk)
    put(alice, bob, "follow")
    put(alice, bob, "mute")

    def posts(client: ApiClient, path: str) -> list[str]:
        return [item["id"] for item in client.get(path).json()["items"]]

    assert posts(alice, "/posts") == [str(shown.pk)]
    assert posts(alice, f"/posts/{shown.pk}/comments") == []
    assert posts(charlie, "/posts") == [str(muted.pk), str(shown.pk)]
    assert len(posts(bob, f"/posts/{shown.pk}/comments")) == 1
    # What is asked for by name is there.
    assert alice.get(f"/posts/{muted.pk}").status_code == 200
    assert posts(alice, f"/members/{bob.member.pk}/posts") == [str(muted.pk)]
    assert posts(alice, "/me/likes") == [str(muted.pk)]
    assert profile(alice, bob)["followed_by_me"] is True
    assert alice.get(f"/posts/{shown.pk}").json()["comment_count"] == 1
    delete(alice, bob, "mute")
    assert posts(alice, "/posts") == [str(muted.pk), str(shown.pk)]


# --- Leaving ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_leaves_ends_all_that_binds_them_and_counts_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relations, "_BATCH", 2)
    leaver, *others = (ApiClient(make_member()) for _ in range(6))
    for other in others[:3]:
        put(leaver, other, "follow")
        put(other, leaver, "follow")
        put(other, leaver, "mute")
        put(leaver, other, "mute")
    put(leaver, others[3], "block")
    put(others[4], leaver, "block")
    put(others[0], others[1], "follow")
    put(others[1], others[2], "mute")
    put(others[2], others[3], "block")
    assert relations.end_relations(member_id=leaver.member.pk) == 5
    assert [Follow.objects.count(), Mute.objects.count(), Block.objects.count()] == [1, 1, 1]
    assert_counters_right()
    assert relations.end_relations(member_id=leaver.member.pk) == 0


# --- Queries ------------------------------------------------------------------------------------


def queries(client: ApiClient, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_lists_take_the_same_few_queries_at_1_and_at_10_rows(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    # Who is calling, is the member there, the rows.
    path = f"/members/{alice.member.pk}"
    budget = [
        (client, f"{path}/{name}", count)
        for name in ("followers", "following", "posts")
        for client, count in ((anonymous, 2), (bob, 3))
    ]
    # A list of one's own, and a search, are the rows.
    budget += [(alice, "/me/blocks", 2), (alice, "/me/mutes", 2), (bob, "/members?q=fan", 2)]
    for rows, added in ((1, 1), (10, 9)):
        for _ in range(added):
            fan = ApiClient(make_member(f"fan{Member.objects.count()}"))
            put(fan, alice, "follow")
            put(alice, fan, "follow")
            put(alice, fan, "mute")
            make_post(alice.member)
            # Somebody else, for the blocks end follows.
            put(alice, ApiClient(make_member()), "block")
        for client, list_path, expected in budget:
            assert len(client.get(list_path).json()["items"]) == rows
            assert queries(client, list_path) == expected
        assert queries(anonymous, path) == 1
        assert queries(bob, path) == 2


def sql(client: ApiClient, path: str) -> str:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return "\n".join(query["sql"] for query in captured)


def test_who_can_hide_nobody_pays_nothing_for_blocks(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    post = make_post(alice.member)
    paths = [
        "/posts",
        f"/posts/{post.pk}",
        f"/posts/{post.pk}/likes",
        f"/posts/{post.pk}/comments",
        "/members?q=al",
        *(f"/members/{alice.member.pk}{name}" for name in ("", "/posts", "/followers")),
    ]
    for path in paths:
        assert "members_block" not in sql(anonymous, path)
        assert "members_block" in sql(bob, path)
    # What is counted anew is, for those alone who have a block, on either side.
    counted = [path for path in paths if not path.endswith("/comments")]
    for path in counted:
        assert "count(*)" not in sql(bob, path)
    one, two = ApiClient(make_member()), ApiClient(make_member())
    put(one, two, "block")
    for path in counted:
        assert "count(*)" in sql(one, path)
        assert "count(*)" in sql(two, path)
