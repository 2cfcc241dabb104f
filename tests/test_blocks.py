"""Someone you block, or who blocks you, does not exist for you: on every GET of the API.

Each answer to Alice is kept. Then Bob comes, leaves a trace of everything a member can leave, and
is blocked by Alice, or blocks her. Every answer must be what it was before he came, counts and
all, or 404 where it is about him, while a control, who has no block, sees him there.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from apps.members.models import Member
from apps.members.services import erasing, leaving, profile, relations
from apps.posts.models import Post
from apps.posts.services import posts
from apps.posts.services.posts import PhotoInput
from tests.builders import (
    ApiClient,
    make_comment,
    make_identity,
    make_like,
    make_member,
    make_post,
    make_upload,
    processed_upload,
)
from tests.common.test_problems import assert_problem
from tests.openapi import document


@dataclass(frozen=True)
class Rule:
    """What a GET route shows to Alice; `{…}` stand for ids."""

    # Paths whose answer must be as if Bob had never come.
    same: tuple[str, ...] = ()
    # Paths about him: 404 for Alice, 200 for the control.
    gone: tuple[str, ...] = ()
    # Who sees under `same` that he has come; see World. None where nobody would.
    control: str | None = "charlie"
    # Why he can be seen nowhere there, where `control` is None.
    why: str = ""


OWN = "one's own alone, which nobody else can add to"
# What of it has a path of its own, which is 404 for everybody else.
OWN_BY_ID = ("/uploads/{upload_id}", "/me/identities/{provider}")
CARDS = ("", "?limit=1", "?housing_type=apartment&style=korean", "?author={dora},{bob}")
RULES = {
    "/app-config": Rule(("/app-config",), control=None, why="settings"),
    "/taxonomies": Rule(("/taxonomies",), control=None, why="words"),
    "/auth/sessions": Rule(("/auth/sessions",), control=None, why=OWN),
    # That a name is taken has to be told to who signs up, logged in or not.
    "/auth/username-available": Rule(control=None, why="it says of a name that it is taken"),
    "/uploads/{upload_id}": Rule(("/uploads/{upload}",), control=None, why=OWN),
    "/me": Rule(("/me",), control="followed"),
    "/me/drafts": Rule(("/me/drafts",), control=None, why=OWN),
    "/me/consents": Rule(("/me/consents",), control=None, why=OWN),
    "/me/identities": Rule(("/me/identities",), control=None, why=OWN),
    "/me/identities/{provider}": Rule(("/me/identities/kakao",), control=None, why=OWN),
    "/me/export/{export_id}": Rule(control=None, why=f"{OWN}; its file says whom one blocks"),
    "/me/likes": Rule(("/me/likes", "/me/likes?limit=1")),
    "/me/mutes": Rule(("/me/mutes",), control="muter"),
    "/me/blocks": Rule(("/me/blocks",), control="blocker"),
    "/members": Rule(("/members?q=bobmark", "/members?q=밥표", "/members?q=bo&limit=1")),
    "/members/{member_id}": Rule(("/members/{dora}",), ("/members/{bob}",), control="followed"),
    "/members/{member_id}/posts": Rule(("/members/{dora}/posts",), ("/members/{bob}/posts",)),
    "/members/{member_id}/followers": Rule(
        tuple(f"/members/{{{name}}}/followers" for name in ("alice", "dora")),
        ("/members/{bob}/followers",),
    ),
    "/members/{member_id}/following": Rule(
        ("/members/{dora}/following",), ("/members/{bob}/following",)
    ),
    "/posts": Rule(tuple(f"/posts{query}" for query in CARDS)),
    "/posts/{post_id}": Rule(
        ("/posts/{alices_post}", "/posts/{doras_post}"), ("/posts/{bobs_post}",)
    ),
    "/posts/{post_id}/likes": Rule(
        ("/posts/{alices_post}/likes", "/posts/{doras_post}/likes"), ("/posts/{bobs_post}/likes",)
    ),
    "/posts/{post_id}/comments": Rule(
        ("/posts/{alices_post}/comments", "/posts/{doras_post}/comments"),
        ("/posts/{bobs_post}/comments",),
    ),
}


@dataclass
class World:
    """Alice; Dora, whom everybody sees; Bob, once he has come; and the controls: Charlie, one whom
    he has `followed`, one who mutes him and one who blocks him."""

    clients: dict[str, ApiClient] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)

    def member(self, name: str) -> Member:
        found: Member | None = self.clients[name].member
        assert found
        return found

    def get(self, name: str, path: str) -> Any:
        return self.clients[name].get(path.format_map(self.ids))

    def traces(self, response: Any) -> list[str]:
        text = response.content.decode()
        return [mark for mark in self.marks if mark in text]

    def befriend(self, name: str) -> None:
        """What Bob and who sees him do to each other."""
        member, bob = self.member(name), self.member("bob")
        bobs_post = self.ids["bobs_post"]
        relations.follow_member(member=bob, other_id=member.pk)
        relations.follow_member(member=member, other_id=bob.pk)
        make_like(member, bobs_post)
        make_comment(member, Post.objects.get(pk=bobs_post))


def before_bob() -> World:
    world = World()
    for name in ("alice", "charlie", "dora", "muter", "blocker", "followed"):
        world.clients[name] = ApiClient(make_member(name))
        world.ids[name] = world.member(name).pk
    alice, dora, charlie = (world.member(name) for name in ("alice", "dora", "charlie"))
    for name, author in (("alices_post", alice), ("doras_post", dora)):
        post = make_post(author, photos=2)
        world.ids[name] = post.pk
        for member in (alice, charlie, dora):
            make_comment(member, post)
            make_like(member, post.pk)
    make_post(dora)
    make_post(alice, publish=False)
    relations.follow_member(member=alice, other_id=dora.pk)
    relations.follow_member(member=dora, other_id=alice.pk)
    relations.follow_member(member=charlie, other_id=dora.pk)
    world.ids["upload"] = make_upload(alice).pk
    make_identity(alice)
    # A filter by his id is asked before he is there.
    world.ids["bob"] = "00000000-0000-7000-8000-000000000000"
    return world


def bob_comes(world: World) -> None:
    bob = make_member("bobmark", display_name="밥표식")
    avatar = processed_upload(bob)
    profile.update_profile(
        member=bob, changes={"bio": "밥의 소개", "avatar_upload_id": avatar.pk}, expected=None
    )
    photo = processed_upload(bob)
    products = [{"x": 0.5, "y": 0.5, "name": "밥의 의자"}]
    his = posts.create_post(
        author=bob,
        title="밥의 집",
        content="밥의 이야기",
        pyeong_id="8-15",
        housing_type_id="apartment",
        styles=["korean"],
        colors=["beige"],
        photos=[PhotoInput(photo.pk, "밥의 사진", products)],
        publish=True,
    )
    make_post(bob, publish=False)
    world.clients["bob"] = ApiClient(bob)
    world.ids |= {"bob": bob.pk, "bobs_post": his.pk}
    comments = []
    for name in ("alices_post", "doras_post"):
        post = Post.objects.get(pk=world.ids[name])
        comments.append(make_comment(bob, post, "밥의 말"))
        make_like(bob, post.pk)
    for name in ("alice", "charlie", "dora", "followed"):
        world.befriend(name)
    relations.mute_member(member=world.member("muter"), other_id=bob.pk)
    relations.block_member(member=world.member("blocker"), other_id=bob.pk)
    ids = [bob, his, avatar, photo, *comments]
    texts = ["bobmark", "밥표식", "밥의 소개", "밥의 집", "밥의 이야기"]
    texts += ["밥의 사진", "밥의 의자", "밥의 말"]
    world.marks = [str(row.pk) for row in ids] + texts


def answers(world: World, name: str, direction: str = "") -> dict[str, Any]:
    """To every path that is to be the same. Whom one blocks, one's own list of blocks tells."""
    found = {}
    for route, rule in RULES.items():
        if (route, direction) == ("/me/blocks", "alice blocks bob"):
            continue
        for path in rule.same:
            response = world.get(name, path)
            assert response.status_code == 200, (path, response.content)
            found[path] = response
    return found


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    for path, response in after.items():
        assert response.json() == before[path].json(), path


DIRECTIONS = ["alice blocks bob", "bob blocks alice"]


def block(world: World, direction: str) -> None:
    blocker, blocked = (world.member(name) for name in direction.split(" blocks "))
    relations.block_member(member=blocker, other_id=blocked.pk)


@pytest.mark.parametrize("is_muted", [False, True], ids=["", "whom she muted"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.django_db
def test_nothing_is_left_of_a_hidden_member_on_any_route(direction: str, is_muted: bool) -> None:
    world = before_bob()
    before = answers(world, "alice")
    bob_comes(world)
    if is_muted:
        # It would hide him from some lists by itself.
        relations.mute_member(member=world.member("alice"), other_id=world.ids["bob"])
    block(world, direction)
    after = answers(world, "alice", direction)
    for path, response in after.items():
        assert world.traces(response) == [], path
        assert response.json() == before[path].json(), path
    for rule in RULES.values():
        for path in rule.gone:
            response = world.get("alice", path)
            assert_problem(response, 404, "not_found")
            assert world.traces(response) == [], path


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.django_db
def test_nor_of_alice_for_bob(direction: str) -> None:
    """The same from his side, who was there before: no mark of hers, and 404 for what is hers."""
    world = before_bob()
    bob_comes(world)
    block(world, direction)
    world.marks = [str(world.ids["alice"]), str(world.ids["alices_post"]), '"alice"']
    seen = 0
    for route, rule in RULES.items():
        for path in rule.same:
            response = world.get("bob", path)
            if "{alice" in path or route in OWN_BY_ID:
                assert_problem(response, 404, "not_found")
            elif (route, direction) != ("/me/blocks", "bob blocks alice"):
                assert world.traces(response) == [], path
                seen += bool(world.traces(world.get("charlie", path)))
    assert seen >= 5


@pytest.mark.django_db
def test_who_has_no_block_sees_him_on_every_route_so_the_test_above_can_fail() -> None:
    world = before_bob()
    calls = [(rule.control, path) for rule in RULES.values() for path in rule.same if rule.control]
    before = [world.get(name, path).json() for name, path in calls]
    bob_comes(world)
    for (name, path), was in zip(calls, before, strict=True):
        assert world.get(name, path).json() != was, path
    for route, rule in RULES.items():
        assert rule.why or (rule.control and rule.same), route
        for path in rule.gone:
            assert world.get("charlie", path).status_code == 200, path


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.django_db
def test_a_hidden_member_who_leaves_and_comes_back_is_counted_at_no_time(direction: str) -> None:
    """Counters lose what is his by a task, and get it back by one: Alice's lose it once."""
    world = before_bob()
    before = answers(world, "alice")
    bob_comes(world)
    block(world, direction)
    bob = world.member("bob")
    row = leaving.leave(member=bob)
    erasing.recount_member(member_id=bob.pk)
    assert_same(before, answers(world, "alice", direction))
    assert leaving.come_back(leaving=row)
    erasing.recount_member(member_id=bob.pk)
    assert_same(before, answers(world, "alice", direction))


@pytest.mark.django_db
def test_no_count_is_below_0_before_the_task_has_come_by() -> None:
    world = before_bob()
    bob_comes(world)
    bob = world.member("bob")
    post = make_post(make_member("erin"))
    make_like(bob, post.pk)
    make_comment(bob, post)
    relations.follow_member(member=bob, other_id=post.author_id)
    relations.follow_member(member=post.author, other_id=bob.pk)
    block(world, "alice blocks bob")
    row = leaving.leave(member=bob)
    erasing.recount_member(member_id=bob.pk)
    assert leaving.come_back(leaving=row)
    shown = world.get("alice", f"/posts/{post.pk}").json()
    assert (shown["like_count"], shown["comment_count"]) == (0, 0)
    shown = world.get("alice", f"/members/{post.author_id}").json()
    assert (shown["followers_count"], shown["following_count"]) == (0, 0)


def test_every_get_of_the_api_has_a_rule() -> None:
    documented = {
        path.removeprefix("/api/v1")
        for path, methods in document()["paths"].items()
        if "get" in methods
    }
    assert documented == set(RULES)
