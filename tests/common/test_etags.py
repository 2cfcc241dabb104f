"""If-None-Match saves an answer; If-Match refuses an edit of something that has changed."""

import pytest

from tests.builders import ApiClient, make_like, make_post
from tests.common.test_problems import assert_problem


@pytest.mark.parametrize("path", ["/taxonomies", "/posts", "/me", "/auth/sessions", "/me/drafts"])
def test_a_read_that_did_not_change_is_304(alice: ApiClient, path: str) -> None:
    first = alice.get(path)
    again = alice.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["X-Request-Id"]


def test_a_new_like_changes_the_etag_but_refuses_no_edit(alice: ApiClient, bob: ApiClient) -> None:
    post = make_post(alice.member)
    etag = alice.get(f"/posts/{post.pk}")["ETag"]
    make_like(bob.member, post.pk)
    fresh = alice.get(f"/posts/{post.pk}", headers={"If-None-Match": etag})
    assert fresh.status_code == 200
    response = alice.patch(
        f"/posts/{post.pk}", {"title": "새 제목"}, format="json", headers={"If-Match": etag}
    )
    assert response.status_code == 200


def test_an_edit_based_on_an_older_version_is_412_and_changes_nothing(alice: ApiClient) -> None:
    post = make_post(alice.member, title="처음")
    etag = alice.get(f"/posts/{post.pk}")["ETag"]
    first = alice.patch(
        f"/posts/{post.pk}", {"title": "둘째"}, format="json", headers={"If-Match": etag}
    )
    second = alice.patch(
        f"/posts/{post.pk}", {"title": "셋째"}, format="json", headers={"If-Match": etag}
    )
    assert first.status_code == 200
    assert_problem(second, 412, "stale")
    assert alice.get(f"/posts/{post.pk}").json()["title"] == "둘째"
    third = alice.patch(
        f"/posts/{post.pk}", {"title": "셋째"}, format="json", headers={"If-Match": first["ETag"]}
    )
    assert third.status_code == 200


def test_if_match_means_nothing_to_a_read(alice: ApiClient) -> None:
    response = alice.get("/me", headers={"If-Match": '"nonsense"'})
    assert response.status_code == 200


@pytest.mark.parametrize("tag", [f'"{"9" * 5000}-x"', '"nonsense"', '"99-abc"', "W/", '""', "1"])
def test_a_tag_that_was_never_given_out_is_412(alice: ApiClient, tag: str) -> None:
    response = alice.patch("/me", {"bio": "x"}, format="json", headers={"If-Match": tag})
    assert_problem(response, 412, "stale")
    alice.member.refresh_from_db()
    assert alice.member.bio == ""


def test_a_star_matches_anything(alice: ApiClient) -> None:
    response = alice.patch("/me", {"bio": "x"}, format="json", headers={"If-Match": "*"})
    assert response.status_code == 200


def test_answers_are_private_and_differ_by_caller_and_language(alice: ApiClient) -> None:
    response = alice.get("/me")
    assert response["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Accept-Language"} <= set(response["Vary"].split(", "))
