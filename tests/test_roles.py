"""Who may do what: every route and method of the API, by role.

A status in the table is what the role gets. The roles: nobody; a member who has nothing to do with
it (stranger); the member it belongs to (owner); the owner while suspended; an operator, who has no
rights in the API beyond a member's.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.members.models import DeviceSession, Member
from apps.members.services import exporting, links
from tests.builders import (
    CONSENTS_JSON,
    DEVICE_JSON,
    PASSWORD,
    ApiClient,
    confirmed,
    make_comment,
    make_identity,
    make_member,
    make_post,
    make_upload,
    operator,
    processed_upload,
    sign_up,
    social_ticket,
    suspended,
)

ROLES = ("anonymous", "stranger", "owner", "suspended", "operator")


@dataclass(frozen=True)
class World:
    """What a call may be about; all of it is the owner's."""

    owner: Member

    @property
    def values(self) -> dict[str, Callable[[], Any]]:
        """What each `{…}` of a path or a body stands for, made when it is asked for."""
        return {
            "post": lambda: make_post(self.owner).pk,
            "draft": lambda: make_post(self.owner, publish=False).pk,
            "comment": lambda: make_comment(self.owner, make_post(make_member())).pk,
            "upload": lambda: processed_upload(self.owner).pk,
            "waiting": lambda: make_upload(self.owner).pk,
            "session": lambda: sign_up("spare").member and self._spare_session(),
            "member": lambda: self.owner.pk,
            "reset_token": lambda: links.reset_token(confirmed(make_member())),
            "verify_token": lambda: links.verify_token(make_member(email="a@example.com")),
            "export": lambda: exporting.request_export(member=self.owner).pk,
            "social_ticket": social_ticket,
            "linked": lambda: make_identity(self.owner).provider,
            "other": lambda: make_member().pk,
            "refresh_token": lambda: sign_up("refresher").refresh_token,
        }

    def _spare_session(self) -> Any:
        DeviceSession.objects.filter(member__username="spare").update(member=self.owner)
        return DeviceSession.objects.filter(member=self.owner).earliest("created_at").pk

    def fill(self, value: Any) -> Any:
        """The path or body with every `{…}` replaced."""
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        if isinstance(value, str):
            for name, make in self.values.items():
                if f"{{{name}}}" in value:
                    value = value.replace(f"{{{name}}}", str(make()))
        return value


SIGNUP = {
    "username": "newcomer",
    "password": PASSWORD,
    "birth_date": "1996-05-04",
    "consents": CONSENTS_JSON,
    "device": DEVICE_JSON,
}
JOIN = {"social_ticket": "{social_ticket}"} | {
    name: SIGNUP[name] for name in ("birth_date", "consents", "device")
}
LOGIN = {"username": "theowner", "password": PASSWORD, "device": DEVICE_JSON}
UPLOAD = {"content_type": "image/jpeg", "size": 1000}
PASSWORDS = {"current_password": PASSWORD, "new_password": "quite another one"}
TITLE = {"title": "새 제목"}
COMMENT = {"content": "예뻐요"}

# Each row: the route as the API's document names it, the path called, the body, and the status
# for anonymous, stranger, owner, suspended, operator.
TABLE: list[tuple[str, str, str, Any, tuple[int, int, int, int, int]]] = [
    ("GET", "/app-config", "/app-config", None, (200, 200, 200, 200, 200)),
    ("GET", "/taxonomies", "/taxonomies", None, (200, 200, 200, 200, 200)),
    ("POST", "/auth/signup", "/auth/signup", SIGNUP, (201, 201, 201, 201, 201)),
    ("POST", "/auth/login", "/auth/login", LOGIN, (200, 200, 200, 200, 200)),
    ("POST", "/auth/nonce", "/auth/nonce", None, (201, 201, 201, 201, 201)),
    (
        "POST",
        "/auth/social/{provider}",
        "/auth/social/kakao",
        JOIN,
        (201, 201, 201, 201, 201),
    ),
    (
        "POST",
        "/auth/refresh",
        "/auth/refresh",
        {"refresh_token": "{refresh_token}"},
        (200, 200, 200, 200, 200),
    ),
    ("POST", "/auth/logout", "/auth/logout", None, (401, 204, 204, 204, 204)),
    ("GET", "/auth/sessions", "/auth/sessions", None, (401, 200, 200, 200, 200)),
    (
        "DELETE",
        "/auth/sessions/{session_id}",
        "/auth/sessions/{session}",
        None,
        (401, 404, 204, 204, 404),
    ),
    (
        "GET",
        "/auth/username-available",
        "/auth/username-available?username=x",
        None,
        (200, 200, 200, 200, 200),
    ),
    (
        "POST",
        "/auth/password/change",
        "/auth/password/change",
        PASSWORDS,
        (401, 204, 204, 204, 204),
    ),
    (
        "POST",
        "/auth/password/reset",
        "/auth/password/reset",
        {"email": "nobody@example.com"},
        (202, 202, 202, 202, 202),
    ),
    (
        "POST",
        "/auth/password/reset/confirm",
        "/auth/password/reset/confirm",
        {"token": "{reset_token}", "new_password": "quite another one"},
        (204, 204, 204, 204, 204),
    ),
    # Nobody here has an address; tests/members/test_email.py has them.
    ("POST", "/auth/email/verify", "/auth/email/verify", None, (401, 409, 409, 409, 409)),
    (
        "POST",
        "/auth/email/verify/confirm",
        "/auth/email/verify/confirm",
        {"token": "{verify_token}"},
        (204, 204, 204, 204, 204),
    ),
    ("GET", "/me", "/me", None, (401, 200, 200, 200, 200)),
    ("PATCH", "/me", "/me", {"bio": "안녕"}, (401, 200, 200, 403, 200)),
    ("DELETE", "/me", "/me", {"password": PASSWORD}, (401, 202, 202, 202, 403)),
    ("POST", "/me/export", "/me/export", None, (401, 202, 202, 202, 202)),
    ("GET", "/me/export/{export_id}", "/me/export/{export}", None, (401, 404, 200, 200, 404)),
    ("GET", "/me/identities", "/me/identities", None, (401, 200, 200, 200, 200)),
    (
        "GET",
        "/me/identities/{provider}",
        "/me/identities/{linked}",
        None,
        (401, 404, 200, 200, 404),
    ),
    (
        "PUT",
        "/me/identities/{provider}",
        "/me/identities/kakao",
        {"social_ticket": "{social_ticket}"},
        (401, 204, 204, 204, 204),
    ),
    (
        "DELETE",
        "/me/identities/{provider}",
        "/me/identities/kakao",
        None,
        (401, 204, 204, 204, 204),
    ),
    ("GET", "/me/drafts", "/me/drafts", None, (401, 200, 200, 200, 200)),
    ("GET", "/me/likes", "/me/likes", None, (401, 200, 200, 200, 200)),
    ("GET", "/me/consents", "/me/consents", None, (401, 200, 200, 200, 200)),
    (
        "PUT",
        "/me/consents/{kind}",
        "/me/consents/marketing",
        {"version": "2026-11-01", "granted": True},
        (401, 200, 200, 200, 200),
    ),
    ("GET", "/members/{member_id}", "/members/{member}", None, (200, 200, 200, 200, 200)),
    ("GET", "/members", "/members?q=theowner", None, (200, 200, 200, 200, 200)),
    ("GET", "/me/blocks", "/me/blocks", None, (401, 200, 200, 200, 200)),
    ("GET", "/me/mutes", "/me/mutes", None, (401, 200, 200, 200, 200)),
    (
        "GET",
        "/members/{member_id}/posts",
        "/members/{member}/posts",
        None,
        (200, 200, 200, 200, 200),
    ),
    (
        "GET",
        "/members/{member_id}/followers",
        "/members/{member}/followers",
        None,
        (200, 200, 200, 200, 200),
    ),
    (
        "GET",
        "/members/{member_id}/following",
        "/members/{member}/following",
        None,
        (200, 200, 200, 200, 200),
    ),
    (
        "PUT",
        "/members/{member_id}/follow",
        "/members/{other}/follow",
        None,
        (401, 204, 204, 403, 204),
    ),
    (
        "DELETE",
        "/members/{member_id}/follow",
        "/members/{other}/follow",
        None,
        (401, 204, 204, 403, 204),
    ),
    (
        "PUT",
        "/members/{member_id}/follow",
        "/members/{member}/follow",
        None,
        (401, 204, 400, 403, 204),
    ),
    (
        "PUT",
        "/members/{member_id}/block",
        "/members/{other}/block",
        None,
        (401, 204, 204, 204, 204),
    ),
    (
        "DELETE",
        "/members/{member_id}/block",
        "/members/{other}/block",
        None,
        (401, 204, 204, 204, 204),
    ),
    (
        "PUT",
        "/members/{member_id}/block",
        "/members/{member}/block",
        None,
        (401, 204, 400, 400, 204),
    ),
    (
        "PUT",
        "/members/{member_id}/mute",
        "/members/{other}/mute",
        None,
        (401, 204, 204, 204, 204),
    ),
    (
        "DELETE",
        "/members/{member_id}/mute",
        "/members/{other}/mute",
        None,
        (401, 204, 204, 204, 204),
    ),
    (
        "PUT",
        "/members/{member_id}/mute",
        "/members/{member}/mute",
        None,
        (401, 204, 400, 400, 204),
    ),
    ("POST", "/uploads", "/uploads", UPLOAD, (401, 201, 201, 403, 201)),
    ("GET", "/uploads/{upload_id}", "/uploads/{upload}", None, (401, 404, 200, 200, 404)),
    (
        "POST",
        "/uploads/{upload_id}/complete",
        "/uploads/{upload}/complete",
        None,
        (401, 404, 202, 403, 404),
    ),
    ("GET", "/posts", "/posts", None, (200, 200, 200, 200, 200)),
    ("POST", "/posts", "/posts", TITLE, (401, 201, 201, 403, 201)),
    ("GET", "/posts/{post_id}", "/posts/{post}", None, (200, 200, 200, 200, 200)),
    ("GET", "/posts/{post_id}", "/posts/{draft}", None, (404, 404, 200, 200, 404)),
    ("PATCH", "/posts/{post_id}", "/posts/{post}", TITLE, (401, 403, 200, 403, 403)),
    ("PATCH", "/posts/{post_id}", "/posts/{draft}", TITLE, (401, 404, 200, 403, 404)),
    ("DELETE", "/posts/{post_id}", "/posts/{post}", None, (401, 403, 204, 403, 403)),
    ("DELETE", "/posts/{post_id}", "/posts/{draft}", None, (401, 404, 204, 403, 404)),
    ("PUT", "/posts/{post_id}/like", "/posts/{post}/like", None, (401, 204, 204, 403, 204)),
    ("PUT", "/posts/{post_id}/like", "/posts/{draft}/like", None, (401, 404, 409, 403, 404)),
    ("DELETE", "/posts/{post_id}/like", "/posts/{post}/like", None, (401, 204, 204, 403, 204)),
    ("GET", "/posts/{post_id}/likes", "/posts/{post}/likes", None, (200, 200, 200, 200, 200)),
    ("GET", "/posts/{post_id}/likes", "/posts/{draft}/likes", None, (404, 404, 200, 200, 404)),
    (
        "GET",
        "/posts/{post_id}/comments",
        "/posts/{post}/comments",
        None,
        (200, 200, 200, 200, 200),
    ),
    (
        "GET",
        "/posts/{post_id}/comments",
        "/posts/{draft}/comments",
        None,
        (404, 404, 200, 200, 404),
    ),
    (
        "POST",
        "/posts/{post_id}/comments",
        "/posts/{post}/comments",
        COMMENT,
        (401, 201, 201, 403, 201),
    ),
    (
        "PATCH",
        "/comments/{comment_id}",
        "/comments/{comment}",
        COMMENT,
        (401, 403, 200, 403, 403),
    ),
    ("DELETE", "/comments/{comment_id}", "/comments/{comment}", None, (401, 403, 204, 403, 403)),
]
CASES = [
    pytest.param(method, path, body, role, status, id=f"{method} {path} {role}")
    for method, _route, path, body, statuses in TABLE
    for role, status in zip(ROLES, statuses, strict=True)
]


def client_of(role: str, owner: Member) -> ApiClient:
    match role:
        case "anonymous":
            return ApiClient()
        case "stranger":
            return ApiClient(make_member("stranger"))
        case "suspended":
            return ApiClient(suspended(owner))
        case "operator":
            return ApiClient(operator(make_member("anoperator")))
    return ApiClient(owner)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "body", "role", "status"), CASES)
def test_role(method: str, path: str, body: Any, role: str, status: int) -> None:
    world = World(make_member("theowner"))
    path, body = world.fill(path), world.fill(body)
    client = client_of(role, world.owner)
    response = getattr(client, method.lower())(path, body, format="json")
    assert response.status_code == status, response.content
    if role == "suspended" and status == 403:
        assert response.json()["code"] == "suspended"
        assert response.json()["suspended_until"]


def test_every_route_of_the_api_is_in_the_table() -> None:
    document = json.loads((Path(settings.BASE_DIR) / "docs" / "openapi.json").read_text())
    documented = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert documented == {(method, route) for method, route, *_rest in TABLE}
