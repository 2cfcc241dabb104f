"""GET and PATCH /me, GET /members/{id}."""

from typing import Any

import pytest

from apps.media.models import Upload
from apps.members.models import Member
from apps.members.services import profile
from tests.builders import ApiClient, make_member, make_post, make_upload, processed_upload
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once


def patch(client: ApiClient, **changes: Any) -> Any:
    return client.patch("/me", changes, format="json")


def test_what_is_left_out_stays(alice: ApiClient) -> None:
    patch(alice, display_name="앨리스", bio="안녕하세요\n두 줄")
    body = patch(alice, kind="designer", locale="en").json()
    assert body["display_name"] == "앨리스"
    assert body["bio"] == "안녕하세요\n두 줄"
    assert body["kind"] == "designer"
    assert body["locale"] == "en"
    assert alice.get("/me").json() == body


def test_an_empty_patch_changes_nothing(alice: ApiClient) -> None:
    before = alice.get("/me").json()
    assert patch(alice).json() == before


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"display_name": ""}, "/display_name", "blank"),
        ({"display_name": "x" * 31}, "/display_name", "too_long"),
        ({"bio": "x" * 301}, "/bio", "too_long"),
        ({"kind": "operator"}, "/kind", "invalid_choice"),
        ({"locale": "fr"}, "/locale", "invalid_choice"),
        ({"email": "nope"}, "/email", "invalid"),
        ({"avatar_upload_id": "x"}, "/avatar_upload_id", "invalid"),
    ],
)
def test_bad_input_is_400_and_changes_nothing(
    alice: ApiClient, changes: dict[str, Any], pointer: str, code: str
) -> None:
    before = alice.get("/me").json()
    problem = assert_problem(patch(alice, **changes), 400, "invalid_input")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [(pointer, code)]
    assert alice.get("/me").json() == before


@pytest.mark.parametrize("field", ["username", "is_staff", "id", "posts_count", "email_verified"])
def test_what_is_not_the_members_to_change_stays(alice: ApiClient, field: str) -> None:
    before = Member.objects.values().get(pk=alice.member.pk)
    assert patch(alice, **{field: 1}).status_code == 200
    after = Member.objects.values().get(pk=alice.member.pk)
    assert {**before, "version": 0} == {**after, "version": 0}


def test_a_new_address_is_not_verified(alice: ApiClient) -> None:
    patch(alice, email="a@example.com")
    Member.objects.update(email_verified=True)
    assert patch(alice, email="a@example.com").json()["email_verified"] is True
    assert patch(alice, email="b@example.com").json()["email_verified"] is False


def test_an_address_is_taken_away_with_null(alice: ApiClient) -> None:
    patch(alice, email="a@example.com")
    assert patch(alice, email=None).json()["email"] is None


def test_an_avatar_comes_is_replaced_and_goes(alice: ApiClient) -> None:
    first, second = processed_upload(alice.member), processed_upload(alice.member)
    body = patch(alice, avatar_upload_id=str(first.pk)).json()
    assert set(body["avatar"]) == {"url", "width", "height"}
    assert str(first.pk) in body["avatar"]["url"]
    body = patch(alice, avatar_upload_id=str(second.pk)).json()
    assert str(second.pk) in body["avatar"]["url"]
    # The one before has no use any more.
    assert not Upload.objects.filter(pk=first.pk).exists()
    assert patch(alice, avatar_upload_id=str(second.pk)).status_code == 200
    assert patch(alice, avatar_upload_id=None).json()["avatar"] is None
    assert not Upload.objects.exists()


def test_someone_elses_upload_is_no_avatar(alice: ApiClient, bob: ApiClient) -> None:
    upload = processed_upload(bob.member)
    response = patch(alice, avatar_upload_id=str(upload.pk), bio="x")
    assert_problem(response, 400, "upload_not_found")
    assert alice.get("/me").json()["bio"] == ""
    upload.refresh_from_db()
    assert upload.attached_at is None


@pytest.mark.parametrize(
    ("state", "code"),
    [("waiting", "upload_not_ready"), ("failed", "upload_failed"), ("used", "upload_in_use")],
)
def test_an_upload_that_can_not_be_used_is_no_avatar(
    alice: ApiClient, state: str, code: str
) -> None:
    made = {
        "waiting": lambda: make_upload(alice.member).pk,
        "failed": lambda: processed_upload(alice.member, b"not a photo").pk,
        "used": lambda: make_post(alice.member).cover_id,
    }
    response = patch(alice, avatar_upload_id=str(made[state]()), bio="x")
    assert_problem(response, 409, code)
    alice.member.refresh_from_db()
    assert (alice.member.bio, alice.member.avatar) == ("", None)


@pytest.mark.usefixtures("committed")
def test_the_same_photo_as_avatar_and_in_a_post_at_once_is_used_once() -> None:
    for _ in range(5):
        member = make_member()
        upload_id = str(processed_upload(member).pk)
        body = {
            "title": "x",
            "pyeong": "8-15",
            "housing_type": "villa",
            "photos": [{"upload_id": upload_id}],
            "status": "published",
        }
        one, two = ApiClient(member), ApiClient(member)
        responses = at_once(
            lambda one=one, upload_id=upload_id: patch(one, avatar_upload_id=upload_id),
            lambda two=two, body=body: two.post("/posts", body, format="json"),
        )
        codes = sorted(response.status_code for response in responses)
        assert codes in ([200, 409], [201, 409])


@pytest.mark.usefixtures("committed")
def test_another_edit_at_once_does_not_undo_a_new_avatar() -> None:
    for _ in range(5):
        member = make_member()
        one, two = ApiClient(member), ApiClient(member)
        upload_id = str(processed_upload(member).pk)
        responses = at_once(
            lambda one=one, upload_id=upload_id: patch(one, avatar_upload_id=upload_id),
            lambda two=two: patch(two, bio="x"),
        )
        assert [response.status_code for response in responses] == [200, 200]
        account = one.get("/me").json()
        assert upload_id in account["avatar"]["url"]
        assert account["bio"] == "x"
        assert Upload.objects.filter(pk=upload_id).exists()


def test_an_edit_made_with_an_old_copy_of_the_member_keeps_the_avatar(alice: ApiClient) -> None:
    stale = Member.objects.get(pk=alice.member.pk)
    upload = processed_upload(alice.member)
    patch(alice, avatar_upload_id=str(upload.pk))
    profile.update_profile(member=stale, changes={"bio": "x"}, expected=None)
    assert Member.objects.get(pk=stale.pk).avatar_id == upload.pk


def test_naming_a_picture_that_was_replaced_meanwhile_changes_nothing(alice: ApiClient) -> None:
    first, second = processed_upload(alice.member), processed_upload(alice.member)
    patch(alice, avatar_upload_id=str(first.pk))
    stale = Member.objects.get(pk=alice.member.pk)
    patch(alice, avatar_upload_id=str(second.pk))
    changes = {"avatar_upload_id": first.pk}
    profile.update_profile(member=stale, changes=changes, expected=None)
    assert Member.objects.get(pk=stale.pk).avatar_id == second.pk
    assert Upload.objects.filter(pk=second.pk).exists()


@pytest.mark.usefixtures("committed")
def test_two_edits_of_the_same_version_at_once_are_one(transactional_db: None) -> None:
    clients = [ApiClient(member) for member in [make_member("alice")] * 2]
    etag = clients[0].get("/me")["ETag"]
    responses = at_once(
        *(
            lambda client=client, bio=bio: client.patch(
                "/me", {"bio": bio}, format="json", headers={"If-Match": etag}
            )
            for client, bio in zip(clients, ("one", "two"), strict=True)
        )
    )
    assert sorted(response.status_code for response in responses) == [200, 412]
    [winner] = [response for response in responses if response.status_code == 200]
    assert clients[0].get("/me").json()["bio"] == winner.json()["bio"]


def test_a_profile_is_public_and_tells_nothing_private(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    patch(alice, email="a@example.com")
    for viewer in (bob, anonymous):
        body = viewer.get(f"/members/{alice.member.pk}").json()
        assert set(body) == {
            "id",
            "username",
            "display_name",
            "bio",
            "avatar",
            "kind",
            "posts_count",
            "followers_count",
            "following_count",
            "followed_by_me",
            "follows_me",
        }


def test_an_unknown_or_closed_account_is_404(alice: ApiClient, bob: ApiClient) -> None:
    assert_problem(alice.get(f"/members/{alice.member.pk}"[:-4] + "0000"), 404, "not_found")
    Member.objects.filter(pk=bob.member.pk).update(is_active=False)
    assert_problem(alice.get(f"/members/{bob.member.pk}"), 404, "not_found")
