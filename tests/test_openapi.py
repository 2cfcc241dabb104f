"""The API's document: complete, true, and what the server gives."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from apps.common.errors import DomainError
from apps.members.services import exporting
from apps.ops.management.commands.openapi import generate
from apps.ops.views import OPENAPI_FILE
from tests.builders import (
    ApiClient,
    make_comment,
    make_like,
    make_member,
    make_post,
    make_upload,
    processed_upload,
    social_ticket,
)
from tests.openapi import assert_documented, assert_valid, document


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for route, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, route.removeprefix("/api/v1"), operation


def test_it_is_valid_openapi_3_1_and_up_to_date() -> None:
    written = json.loads(OPENAPI_FILE.read_text(encoding="utf-8"))
    assert written["openapi"].startswith("3.1")
    validate(written)
    assert written == generate()


def test_the_server_gives_the_written_document(anonymous: ApiClient) -> None:
    response = anonymous.get("/openapi.json")
    assert response["Content-Type"] == "application/json"
    assert response.content == OPENAPI_FILE.read_bytes()


@pytest.mark.parametrize(
    ("method", "route", "operation"),
    [pytest.param(*found, id=f"{found[0].upper()} {found[1]}") for found in operations()],
)
def test_every_operation_has_examples_that_are_true(
    method: str, route: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    body = operation.get("requestBody")
    if body:
        content = body["content"]["application/json"]
        assert content["examples"]
        for example in content["examples"].values():
            assert_valid(example["value"], content["schema"])
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            assert content["examples"], status
            for example in content["examples"].values():
                assert_valid(example["value"], content["schema"])


def test_every_error_of_the_code_is_documented_somewhere() -> None:
    def leaves(error: type[DomainError]) -> Iterator[type[DomainError]]:
        if "code" in vars(error):
            yield error
        for child in error.__subclasses__():
            yield from leaves(child)

    # Answers of the upload form, of a webhook, of a page, of a path or a method that is not in the
    # document.
    elsewhere = {
        "ticket_invalid",
        "ticket_expired",
        "ticket_used",
        "type_mismatch",
        "size_mismatch",
        "hash_mismatch",
        "method_not_allowed",
        "permission_denied",
        "not_ready",
        "webhook_unauthorized",
        "browser_login_invalid",
    }
    documented = set(re.findall(r"urn:igloo:problem:(\w+)", json.dumps(document())))
    assert {error.code for error in leaves(DomainError)} - documented == elsewhere


def test_answers_are_as_documented(alice: ApiClient, bob: ApiClient, anonymous: ApiClient) -> None:
    post = make_post(alice.member, photos=2)
    products = [{"x": 0.5, "y": 0, "name": "의자", "price": 1000}]
    alice.patch(
        f"/posts/{post.pk}",
        {"photos": [{"id": str(post.cover_id), "products": products}]},
        format="json",
    )
    make_post(alice.member, publish=False)
    alice.post("/posts", {}, format="json")
    avatar = processed_upload(alice.member)
    alice.patch("/me", {"avatar_upload_id": str(avatar.pk)}, format="json")
    make_comment(bob.member, post)
    make_like(alice.member, post.pk)
    bob.put(f"/members/{alice.member.pk}/follow")
    for verb in ("follow", "mute"):
        alice.put(f"/members/{bob.member.pk}/{verb}")
    alice.put(f"/members/{make_member().pk}/block")
    uploads = {
        make_upload(alice.member),
        processed_upload(alice.member),
        processed_upload(alice.member, b"x"),
    }
    export = exporting.request_export(member=alice.member)
    exporting.make_export(export_id=export.pk)
    waiting = exporting.request_export(member=alice.member)
    alice.put("/me/identities/kakao", {"social_ticket": social_ticket()}, format="json")
    lists = ("posts", "followers", "following")
    calls = [
        ("/app-config", "/app-config"),
        ("/taxonomies", "/taxonomies"),
        ("/me", "/me"),
        ("/me/consents", "/me/consents"),
        ("/me/identities", "/me/identities"),
        ("/me/identities/{provider}", "/me/identities/kakao"),
        ("/me/drafts", "/me/drafts"),
        ("/me/likes", "/me/likes"),
        ("/auth/sessions", "/auth/sessions"),
        ("/auth/username-available", "/auth/username-available?username=alice"),
        ("/members/{member_id}", f"/members/{alice.member.pk}"),
        *(
            (f"/members/{{member_id}}/{name}", f"/members/{alice.member.pk}/{name}")
            for name in lists
        ),
        ("/members", "/members?q=bob"),
        ("/me/blocks", "/me/blocks"),
        ("/me/mutes", "/me/mutes"),
        ("/posts", "/posts"),
        ("/posts/{post_id}", f"/posts/{post.pk}"),
        ("/posts/{post_id}/likes", f"/posts/{post.pk}/likes"),
        ("/posts/{post_id}/comments", f"/posts/{post.pk}/comments"),
        *(("/uploads/{upload_id}", f"/uploads/{upload.pk}") for upload in uploads),
        *(("/me/export/{export_id}", f"/me/export/{row.pk}") for row in (export, waiting)),
    ]
    for route, path in calls:
        response = alice.get(path)
        assert response.status_code == 200, path
        assert_documented(response, "get", route)
    seen = {route for route, _path in calls}
    assert seen == {route for method, route, _operation in operations() if method == "get"}
    assert_documented(anonymous.get("/me"), "get", "/me")
    assert_documented(bob.post("/uploads", {}, format="json"), "post", "/uploads")
