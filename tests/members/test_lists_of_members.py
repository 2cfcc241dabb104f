"""Every list of members tells of each what their profile does."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.members.services import profile, relations
from apps.posts.models import Post
from tests.builders import ApiClient, make_like, make_member, make_post, processed_upload


@dataclass(frozen=True)
class Scene:
    """Alice looks; Dora is in each of the lists of `paths`, by name of what puts one there."""

    alice: ApiClient
    dora: ApiClient
    post: Post

    @property
    def paths(self) -> dict[str, str]:
        """Each list, those of Alice's own last."""
        author = f"/members/{self.post.author_id}"
        return {
            "search": "/members?q=dora",
            "follower": f"{author}/followers",
            "followed": f"{author}/following",
            "like": f"/posts/{self.post.pk}/likes",
            "mute": "/me/mutes",
            "block": "/me/blocks",
        }

    def add(self, client: ApiClient, name: str) -> None:
        """Put a member into one of the lists."""
        assert client.member
        assert self.alice.member
        author = self.post.author
        match name:
            case "follower":
                relations.follow_member(member=client.member, other_id=author.pk)
            case "followed":
                relations.follow_member(member=author, other_id=client.member.pk)
            case "like":
                make_like(client.member, self.post.pk)
            case "mute":
                relations.mute_member(member=self.alice.member, other_id=client.member.pk)
            case "block":
                relations.block_member(member=self.alice.member, other_id=client.member.pk)


@pytest.fixture
def scene(alice: ApiClient) -> Scene:
    """Dora has a picture, follows Alice, and is followed by her and by Bob, who follows back."""
    dora, bob = ApiClient(make_member("dora", display_name="도라")), make_member("bob")
    assert alice.member
    assert dora.member
    upload = processed_upload(dora.member)
    profile.update_profile(
        member=dora.member, changes={"bio": "안녕", "avatar_upload_id": upload.pk}, expected=None
    )
    make_post(dora.member)
    for member, other in ((alice.member, dora.member), (bob, dora.member)):
        relations.follow_member(member=member, other_id=other.pk)
        relations.follow_member(member=other, other_id=member.pk)
    return Scene(alice, dora, make_post(make_member("author")))


def item(client: ApiClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200
    [found] = response.json()["items"]
    return found


@pytest.mark.parametrize("hides", [False, True], ids=["", "who blocks a follower"])
@pytest.mark.parametrize("name", ["search", "follower", "followed", "like", "mute"])
def test_one_in_a_list_is_as_by_themselves(scene: Scene, name: str, hides: bool) -> None:
    alice, dora = scene.alice, scene.dora
    scene.add(dora, name)
    if hides:
        blocked = make_member()
        relations.follow_member(member=blocked, other_id=dora.member.pk)
        relations.follow_member(member=dora.member, other_id=blocked.pk)
        scene.add(ApiClient(blocked), "block")
    by_herself = alice.get(f"/members/{dora.member.pk}").json()
    assert item(alice, scene.paths[name]) == by_herself
    counts = {"follower": (2, 3), "followed": (3, 2)}.get(name, (2, 2))
    assert (by_herself["followers_count"], by_herself["following_count"]) == counts
    assert (by_herself["posts_count"], by_herself["kind"]) == (1, "common")
    assert (by_herself["bio"], by_herself["avatar"]["width"]) == ("안녕", 64)
    assert (by_herself["followed_by_me"], by_herself["follows_me"]) == (True, True)


def test_whom_i_block_is_as_they_were_less_our_follows(scene: Scene) -> None:
    before = scene.alice.get(f"/members/{scene.dora.member.pk}").json()
    scene.add(scene.dora, "block")
    ended = {"followers_count": 1, "following_count": 1}
    ended |= {"followed_by_me": False, "follows_me": False}
    assert item(scene.alice, "/me/blocks") == before | ended


def test_a_list_takes_as_many_queries_at_10_rows_as_at_1_for_who_hides_somebody(
    scene: Scene,
) -> None:
    taken = []
    for rows, added in ((1, 1), (10, 9)):
        for _ in range(added):
            # Whom one blocks is in no other list.
            scene.add(ApiClient(make_member()), "block")
            for name in ("follower", "followed", "like", "mute"):
                scene.add(ApiClient(make_member()), name)
        counts = {}
        for name, path in scene.paths.items():
            with CaptureQueriesContext(connection) as captured:
                found = scene.alice.get(path).json()["items"]
            assert len(found) == (1 if name == "search" else rows)
            counts[name] = len(captured)
        taken.append(counts)
    # Who is calling, the rows, and whether what it hangs on is there.
    expected = {"search": 2, "follower": 3, "followed": 3, "like": 3, "mute": 2, "block": 2}
    assert taken == [expected, expected]
