"""Creating, reading, changing, publishing and deleting posts."""

from typing import Any
from uuid import uuid4

import pytest

from apps.media.models import Upload
from apps.members.models import Member
from apps.posts.models import Comment, Photo, Post, PostLike
from tests.builders import (
    ApiClient,
    make_comment,
    make_like,
    make_post,
    make_upload,
    processed_upload,
)
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once

# In ids of tests, so the same in every process.
SOME_ID = "00000000-0000-7000-8000-000000000001"
ANOTHER_ID = "00000000-0000-7000-8000-000000000002"
PRODUCT = {
    "x": 0.25,
    "y": 1,
    "name": "원목 테이블",
    "brand": "나무",
    "url": "https://example.com/1",
    "price": 89000,
}


def body(client: ApiClient, **changes: Any) -> dict[str, Any]:
    assert client.member
    return {
        "title": "볕이 드는 13평",
        "content": "거실이 완성됐어요.",
        "pyeong": "8-15",
        "housing_type": "apartment",
        "styles": ["korean", "minimal"],
        "colors": ["beige"],
        "photos": changes.get("photos") or [{"upload_id": str(processed_upload(client.member).pk)}],
        "status": "published",
    } | changes


def create(client: ApiClient, **changes: Any) -> Any:
    return client.post("/posts", body(client, **changes), format="json")


def patch(client: ApiClient, post: Any, **changes: Any) -> Any:
    return client.patch(f"/posts/{getattr(post, 'pk', post)}", changes, format="json")


def photo_ids(client: ApiClient, post: Any) -> list[str]:
    found = client.get(f"/posts/{getattr(post, 'pk', post)}").json()["photos"]
    assert [photo["position"] for photo in found] == list(range(len(found)))
    return [photo["id"] for photo in found]


def assert_unchanged(before: dict[str, Any], client: ApiClient, post: Post) -> None:
    assert client.get(f"/posts/{post.pk}").json() == before


def posts_count(client: ApiClient) -> int:
    assert client.member
    return Member.objects.get(pk=client.member.pk).posts_count


def test_a_post_is_published_with_all_it_was_given(alice: ApiClient, anonymous: ApiClient) -> None:
    photo = {
        "upload_id": str(processed_upload(alice.member).pk),
        "caption": "거실",
        "products": [PRODUCT],
    }
    response = create(alice, photos=[photo])
    assert response.status_code == 201
    made = response.json()
    assert made["status"] == "published"
    assert made["published_at"].endswith("Z")
    assert made["edited_at"] is None
    assert made["styles"] == ["korean", "minimal"]
    assert made["photos"][0]["caption"] == "거실"
    assert made["photos"][0]["products"] == [PRODUCT]
    assert made["cover"] == made["photos"][0]
    assert made["share_url"].endswith(f"/p/{made['id']}")
    assert anonymous.get(f"/posts/{made['id']}").json() == made
    assert posts_count(alice) == 1


def test_a_draft_may_lack_everything_and_is_its_authors_alone(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    draft = alice.post("/posts", {}, format="json").json()
    assert draft["status"] == "draft"
    assert draft["published_at"] is None
    assert draft["cover"] is None
    assert alice.get(f"/posts/{draft['id']}").status_code == 200
    for stranger in (bob, anonymous):
        assert_problem(stranger.get(f"/posts/{draft['id']}"), 404, "not_found")
    assert_problem(patch(bob, draft["id"], title="mine"), 404, "not_found")
    assert_problem(bob.delete(f"/posts/{draft['id']}"), 404, "not_found")
    assert_problem(bob.put(f"/posts/{draft['id']}/like"), 404, "not_found")
    assert alice.get("/posts").json()["items"] == []
    assert [item["id"] for item in alice.get("/me/drafts").json()["items"]] == [draft["id"]]
    assert bob.get("/me/drafts").json()["items"] == []
    assert posts_count(alice) == 0


@pytest.mark.parametrize("field", ["title", "pyeong", "housing_type", "photos"])
def test_a_published_post_needs_the_essentials(alice: ApiClient, field: str) -> None:
    payload = body(alice)
    del payload[field]
    problem = assert_problem(alice.post("/posts", payload, format="json"), 400, "invalid_input")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [(f"/{field}", "required")]
    assert not Post.objects.exists()
    assert not Upload.objects.filter(attached_at__isnull=False).exists()


def test_a_draft_is_published_when_it_is_complete(alice: ApiClient) -> None:
    draft = alice.post("/posts", {"title": "초안"}, format="json").json()
    problem = assert_problem(patch(alice, draft["id"], status="published"), 400, "invalid_input")
    assert {e["pointer"] for e in problem["errors"]} == {"/pyeong", "/housing_type", "/photos"}
    changes = body(alice) | {"title": "이제 완성"}
    published = patch(alice, draft["id"], **changes).json()
    assert published["status"] == "published"
    assert published["title"] == "이제 완성"
    # It was never seen before, so it was not edited either.
    assert published["edited_at"] is None
    assert posts_count(alice) == 1
    again = patch(alice, draft["id"], status="published").json()
    assert again["published_at"] == published["published_at"]
    assert posts_count(alice) == 1


def test_a_published_post_does_not_become_a_draft_again(alice: ApiClient) -> None:
    post = make_post(alice.member)
    assert_problem(patch(alice, post, status="draft"), 409, "post_already_published")
    assert Post.objects.get().status == "published"


@pytest.mark.parametrize(
    "changes", [{"title": ""}, {"pyeong": None}, {"housing_type": None}, {"photos": []}]
)
def test_a_published_post_can_not_lose_an_essential(
    alice: ApiClient, changes: dict[str, Any]
) -> None:
    post = make_post(alice.member)
    before = alice.get(f"/posts/{post.pk}").json()
    assert_problem(patch(alice, post, **changes), 400, "invalid_input")
    assert_unchanged(before, alice, post)


def test_an_edit_of_a_published_post_is_dated(alice: ApiClient) -> None:
    post = make_post(alice.member)
    assert patch(alice, post).json()["edited_at"] is None
    assert patch(alice, post, content="고쳤어요.").json()["edited_at"] is not None


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"title": "x" * 51}, "/title", "too_long"),
        ({"content": "x" * 2001}, "/content", "too_long"),
        ({"pyeong": "9-9"}, "/pyeong", "invalid_choice"),
        ({"housing_type": "castle"}, "/housing_type", "invalid_choice"),
        ({"styles": ["modern", "x"]}, "/styles/1", "invalid_choice"),
        ({"colors": "red"}, "/colors", "invalid"),
        ({"colors": ["red"] * 31}, "/colors", "too_long"),
        ({"status": "hidden"}, "/status", "invalid_choice"),
        ({"photos": [{}]}, "/photos/0/upload_id", "required"),
        (
            {"photos": [{"id": SOME_ID, "upload_id": ANOTHER_ID}]},
            "/photos/0/id",
            "invalid",
        ),
        ({"photos": [{"upload_id": None}]}, "/photos/0/upload_id", "null"),
        ({"photos": [{"upload_id": SOME_ID}] * 21}, "/photos", "too_long"),
    ],
)
def test_bad_input_is_400_and_nothing_is_made(
    alice: ApiClient, changes: dict[str, Any], pointer: str, code: str
) -> None:
    response = alice.post("/posts", {"title": "x"} | changes, format="json")
    problem = assert_problem(response, 400, "invalid_input")
    assert (pointer, code) in [(e["pointer"], e["code"]) for e in problem["errors"]]
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"x": 1.01}, "x", "too_large"),
        ({"y": -0.1}, "y", "too_small"),
        ({"name": ""}, "name", "blank"),
        ({"name": "x" * 101}, "name", "too_long"),
        ({"url": "javascript:alert(1)"}, "url", "invalid"),
        ({"url": "ftp://example.com/"}, "url", "invalid"),
        ({"url": "HTTPS://shop.example:443@evil.example/"}, "url", "invalid"),
        ({"price": -1}, "price", "too_small"),
        ({"price": 1.5}, "price", "invalid"),
        ({"price": 10**30}, "price", "too_large"),
    ],
)
def test_a_product_that_makes_no_sense_is_400(
    alice: ApiClient, change: dict[str, Any], field: str, code: str
) -> None:
    upload = processed_upload(alice.member)
    photo = {"upload_id": str(upload.pk), "products": [PRODUCT | change]}
    problem = assert_problem(
        alice.post("/posts", {"photos": [photo]}, format="json"), 400, "invalid_input"
    )
    [error] = problem["errors"]
    assert error["pointer"] == f"/photos/0/products/0/{field}"
    assert error["code"] in {code, "invalid"}


def test_a_products_address_turns_no_text_around(alice: ApiClient) -> None:
    upload = processed_upload(alice.member)
    url = "https://example.com/\u202egnp.exe?q=a@b"
    photo = {"upload_id": str(upload.pk), "products": [PRODUCT | {"url": url}]}
    post = alice.post("/posts", {"photos": [photo]}, format="json").json()
    [shown] = post["photos"][0]["products"]
    assert shown["url"] == "https://example.com/gnp.exe?q=a@b"


def test_terms_that_are_not_offered_any_more_stay_on_old_posts(alice: ApiClient) -> None:
    from apps.posts.models import Style

    post = make_post(alice.member, styles=["korean"])
    Style.objects.filter(pk="korean").update(is_active=False)
    problem = assert_problem(patch(alice, post, styles=["korean"]), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/styles/0"
    assert patch(alice, post, title="새 제목").json()["styles"] == ["korean"]


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("unknown", 400, "upload_not_found"),
        ("bob's", 400, "upload_not_found"),
        ("waiting", 409, "upload_not_ready"),
        ("failed", 409, "upload_failed"),
        ("used", 409, "upload_in_use"),
    ],
)
def test_a_photo_that_can_not_be_used_is_refused_and_nothing_is_made(
    alice: ApiClient, bob: ApiClient, state: str, status: int, code: str
) -> None:
    made = {
        "unknown": lambda: uuid4(),
        "bob's": lambda: processed_upload(bob.member).pk,
        "waiting": lambda: make_upload(alice.member).pk,
        "failed": lambda: processed_upload(alice.member, b"not a photo").pk,
        "used": lambda: make_post(alice.member).cover_id,
    }
    upload_id = made[state]()
    count = Post.objects.count()
    good = processed_upload(alice.member)
    photos = [{"upload_id": str(good.pk)}, {"upload_id": str(upload_id)}]
    response = create(alice, photos=photos)
    problem = assert_problem(response, status, code)
    assert problem["errors"][0]["pointer"] == "/photos/1/upload_id"
    assert Post.objects.count() == count
    good.refresh_from_db()
    assert good.attached_at is None


@pytest.mark.parametrize(
    ("state", "code"),
    [("waiting", "upload_not_ready"), ("failed", "upload_failed"), ("used", "upload_in_use")],
)
def test_a_post_does_not_change_for_a_photo_that_can_not_be_used(
    alice: ApiClient, state: str, code: str
) -> None:
    post = make_post(alice.member)
    before = alice.get(f"/posts/{post.pk}").json()
    made = {
        "waiting": lambda: make_upload(alice.member).pk,
        "failed": lambda: processed_upload(alice.member, b"not a photo").pk,
        "used": lambda: make_post(alice.member).cover_id,
    }
    photos = [{"upload_id": str(made[state]())}]
    assert_problem(patch(alice, post, title="x", photos=photos), 409, code)
    assert_unchanged(before, alice, post)


def test_a_photo_named_twice_is_400(alice: ApiClient) -> None:
    photo = {"upload_id": str(processed_upload(alice.member).pk)}
    response = create(alice, photos=[photo, photo])
    problem = assert_problem(response, 400, "invalid_input")
    assert problem["errors"] == [
        {
            "pointer": "/photos/1/upload_id",
            "code": "duplicate",
            "detail": problem["errors"][0]["detail"],
        }
    ]


@pytest.mark.usefixtures("committed")
def test_two_posts_that_want_the_same_photo_at_once() -> None:
    from tests.builders import make_member

    member = make_member()
    payload = {"photos": [{"upload_id": str(processed_upload(member).pk)}]}
    clients = [ApiClient(member) for _ in range(3)]
    responses = at_once(
        *(lambda client=client: client.post("/posts", payload, format="json") for client in clients)
    )
    assert sorted(response.status_code for response in responses) == [201, 409, 409]
    assert Post.objects.count() == Photo.objects.count() == 1


def test_photos_are_reordered_added_and_removed_in_one_call(alice: ApiClient) -> None:
    post = make_post(alice.member, photos=3)
    a, b, c = photo_ids(alice, post)
    new = str(processed_upload(alice.member).pk)
    photos = [{"id": c, "caption": "셋째"}, {"upload_id": new}, {"upload_id": a}]
    response = patch(alice, post, photos=photos)
    assert response.status_code == 200
    assert photo_ids(alice, post) == [c, new, a]
    changed = response.json()
    assert changed["photo_count"] == 3
    assert changed["cover"]["id"] == c
    assert changed["photos"][0]["caption"] == "셋째"
    # What is left out of a photo stays.
    patch(alice, post, photos=[{"id": c}])
    assert alice.get(f"/posts/{post.pk}").json()["photos"][0]["caption"] == "셋째"
    assert not Upload.objects.filter(pk__in=[a, b, new]).exists()


def test_a_photo_of_another_post_can_not_be_taken(alice: ApiClient, bob: ApiClient) -> None:
    other, post = make_post(bob.member), make_post(alice.member)
    before = alice.get(f"/posts/{post.pk}").json()
    response = patch(alice, post, photos=[{"id": str(other.cover_id)}])
    assert_problem(response, 400, "upload_not_found")
    assert_unchanged(before, alice, post)
    assert photo_ids(bob, other) == [str(other.cover_id)]


def test_20_photos_fit(alice: ApiClient) -> None:
    post = make_post(alice.member, photos=20)
    ids = photo_ids(alice, post)
    assert patch(alice, post, photos=[{"id": i} for i in reversed(ids)]).status_code == 200
    assert photo_ids(alice, post) == ids[::-1]


def test_a_stranger_changes_nothing(alice: ApiClient, bob: ApiClient) -> None:
    post = make_post(alice.member)
    before = alice.get(f"/posts/{post.pk}").json()
    assert_problem(patch(bob, post, title="mine"), 403, "not_yours")
    assert_problem(bob.delete(f"/posts/{post.pk}"), 403, "not_yours")
    assert_unchanged(before, alice, post)


def test_a_deleted_post_is_gone_with_all_that_hung_on_it(alice: ApiClient, bob: ApiClient) -> None:
    post = make_post(alice.member, photos=2)
    make_like(bob.member, post.pk)
    make_comment(bob.member, post)
    assert alice.delete(f"/posts/{post.pk}").status_code == 204
    assert_problem(alice.get(f"/posts/{post.pk}"), 404, "not_found")
    assert_problem(alice.delete(f"/posts/{post.pk}"), 404, "not_found")
    for model in (Post, Photo, Upload, PostLike, Comment):
        assert not model.objects.exists()
    assert posts_count(alice) == 0


def test_deleting_a_draft_does_not_count(alice: ApiClient) -> None:
    make_post(alice.member)
    draft = make_post(alice.member, publish=False)
    alice.delete(f"/posts/{draft.pk}")
    assert posts_count(alice) == 1


def test_a_closed_accounts_posts_are_gone_for_all(alice: ApiClient, bob: ApiClient) -> None:
    post = make_post(alice.member)
    make_like(bob.member, post.pk)
    Member.objects.filter(pk=alice.member.pk).update(is_active=False)
    assert_problem(bob.get(f"/posts/{post.pk}"), 404, "not_found")
    for path in ("/posts", "/me/likes"):
        assert bob.get(path).json()["items"] == []


@pytest.mark.usefixtures("committed")
def test_publishing_twice_at_once_counts_once() -> None:
    from tests.builders import make_member

    member = make_member()
    draft = make_post(member, publish=False)
    clients = [ApiClient(member) for _ in range(3)]
    responses = at_once(
        *(lambda client=client: patch(client, draft, status="published") for client in clients)
    )
    assert [response.status_code for response in responses] == [200] * 3
    assert Member.objects.get(pk=member.pk).posts_count == 1
