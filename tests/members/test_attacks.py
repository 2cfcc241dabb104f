"""What a stranger tries to get in with, each forged thing sent over HTTP to a real server.

Every row is refused with its code, and leaves every table as it was, but for what is said.
"""

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone

from apps.members import tokens
from apps.members.models import Member
from tests.builders import CONSENTS_JSON, DEVICE_JSON, PASSWORD, make_post, sign_up, suspended
from tests.contract.client import Answer
from tests.members.scene import Scene, changed, fingerprints

NEW_PASSWORD = "another long one"
SIGNUP = {
    "username": "mallory",
    "password": PASSWORD,
    "birth_date": "1996-05-04",
    "consents": CONSENTS_JSON,
    "device": DEVICE_JSON,
}
Attack = Callable[[Scene], Answer]
ROWS: list[tuple[str, Attack, int, str]] = []


def attack(status: int, code: str) -> Callable[[Attack], Attack]:
    """A row of the table."""

    def add(function: Attack) -> Attack:
        ROWS.append((function.__name__, function, status, code))
        return function

    return add


# --- Access tokens -------------------------------------------------------------------------------
@attack(401, "token_invalid")
def a_token_without_a_signature(scene: Scene) -> Answer:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return scene.me(f"{head}.{scene.access_token.split('.')[1]}.")


@attack(401, "token_invalid")
def a_token_whose_signature_is_cut_off(scene: Scene) -> Answer:
    return scene.me(scene.access_token.rpartition(".")[0] + ".")


@attack(401, "token_invalid")
def a_token_signed_with_another_key(scene: Scene) -> Answer:
    return scene.me(scene.forged(key=b"a guess that is long enough to be a key"))


@attack(401, "token_invalid")
def a_token_signed_with_the_secret_key_itself(scene: Scene) -> Answer:
    return scene.me(scene.forged(key=settings.SECRET_KEY.encode()))


@attack(401, "token_invalid")
def a_token_of_an_algorithm_that_is_not_ours(scene: Scene) -> Answer:
    # HMAC fills a short key up with zeros: it is the right one, long enough for PyJWT.
    return scene.me(scene.forged(key=tokens._key().ljust(64, b"\0"), algorithm="HS512"))


@attack(401, "token_expired")
def an_expired_token(scene: Scene) -> Answer:
    return scene.me(scene.forged(exp=timezone.now() - dt.timedelta(seconds=1)))


@attack(401, "token_invalid")
def a_token_that_never_expires(scene: Scene) -> Answer:
    return scene.me(scene.forged(exp=None))


@attack(401, "token_invalid")
def a_token_of_another_issuer(scene: Scene) -> Answer:
    return scene.me(scene.forged(iss="https://kauth.kakao.com"))


@attack(401, "token_invalid")
def ones_own_session_with_someone_elses_id(scene: Scene) -> Answer:
    mallory = sign_up("mallory")
    session = jwt.decode(mallory.access_token, options={"verify_signature": False})["sid"]
    return scene.me(scene.forged(sid=session))


@attack(401, "token_invalid")
def a_refresh_token_as_an_access_token(scene: Scene) -> Answer:
    return scene.me(scene.refresh_token)


@attack(401, "token_invalid")
def a_token_with_more_after_it(scene: Scene) -> Answer:
    return scene.me(f"{scene.access_token} or 1=1")


@attack(401, "not_authenticated")
def a_member_named_in_headers_and_in_the_query(scene: Scene) -> Answer:
    """The first igloo took a member's id for a proof of being that member."""
    scene.ready()
    member = str(scene.alice.pk)
    return scene.client().get(
        f"/api/v1/me?member={member}&user_id={member}",
        X_User_Id=member,
        Remote_User="alice",
        Cookie=f"member={member}",
    )


@attack(400, "invalid_input")
def someone_elses_id_in_place_of_a_password(scene: Scene) -> Answer:
    scene.ready()
    body = {"id": str(scene.alice.pk), "username": "alice", "device": DEVICE_JSON}
    return scene.client().post("/api/v1/auth/login", body)


# --- Tokens of an account that said no to them ---------------------------------------------------
@attack(401, "token_invalid")
def a_token_after_logging_out(scene: Scene) -> Answer:
    assert scene.client(scene.access_token).post("/api/v1/auth/logout").status == 204
    return scene.me(scene.access_token)


@attack(401, "token_invalid")
def a_token_of_another_device_after_the_password_changed(scene: Scene) -> Answer:
    login = {"username": "alice", "password": PASSWORD, "device": DEVICE_JSON}
    other = scene.client().post("/api/v1/auth/login", login).json["access_token"]
    passwords = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    changed = scene.client(scene.access_token).post("/api/v1/auth/password/change", passwords)
    assert changed.status == 204
    return scene.me(other)


@attack(403, "suspended")
def a_write_after_suspension(scene: Scene) -> Answer:
    suspended(scene.alice)
    scene.ready()
    return scene.client(scene.access_token).send("PATCH", "/api/v1/me", {"bio": "here again"})


@attack(401, "token_invalid")
def a_token_after_leaving(scene: Scene) -> Answer:
    left = scene.client(scene.access_token).send("DELETE", "/api/v1/me", {"password": PASSWORD})
    assert left.status == 202
    return scene.me(scene.access_token)


@attack(401, "token_invalid")
def a_token_after_the_account_was_closed(scene: Scene) -> Answer:
    Member.objects.filter(pk=scene.alice.pk).update(is_active=False)
    return scene.me(scene.access_token)


@attack(401, "refresh_token_invalid")
def a_refresh_token_after_the_account_was_closed(scene: Scene) -> Answer:
    Member.objects.filter(pk=scene.alice.pk).update(is_active=False)
    scene.ready()
    return scene.client().post("/api/v1/auth/refresh", {"refresh_token": scene.refresh_token})


@attack(401, "refresh_token_invalid")
def a_refresh_token_once_more_after_its_successor_was_spent(scene: Scene) -> Answer:
    stolen = scene.refresh_token
    token = stolen
    for _ in range(2):
        answer = scene.client().post("/api/v1/auth/refresh", {"refresh_token": token})
        token = answer.json["refresh_token"]
    # Two have it: the session is over for both.
    scene.ready("members_devicesession")
    answer = scene.client().post("/api/v1/auth/refresh", {"refresh_token": stolen})
    assert scene.client().post("/api/v1/auth/refresh", {"refresh_token": token}).status == 401
    assert scene.client(scene.access_token).get("/api/v1/me").status == 401
    return answer


@attack(401, "refresh_token_invalid")
def an_access_token_as_a_refresh_token(scene: Scene) -> Answer:
    scene.ready()
    return scene.client().post("/api/v1/auth/refresh", {"refresh_token": scene.access_token})


# --- What is someone else's ----------------------------------------------------------------------
@attack(404, "not_found")
def the_end_of_someone_elses_session(scene: Scene) -> Answer:
    session = jwt.decode(scene.access_token, options={"verify_signature": False})["sid"]
    mallory = sign_up("mallory").access_token
    scene.ready()
    return scene.client(mallory).send("DELETE", f"/api/v1/auth/sessions/{session}")


@attack(403, "not_yours")
def a_change_of_someone_elses_post(scene: Scene) -> Answer:
    post = make_post(scene.alice)
    mallory = sign_up("mallory").access_token
    scene.ready()
    return scene.client(mallory).send("PATCH", f"/api/v1/posts/{post.pk}", {"title": "mine"})


@attack(404, "not_found")
def someone_elses_draft(scene: Scene) -> Answer:
    draft = make_post(scene.alice, publish=False)
    mallory = sign_up("mallory").access_token
    scene.ready()
    return scene.client(mallory).get(f"/api/v1/posts/{draft.pk}")


# --- Names that look like another's --------------------------------------------------------------
def signup_as(scene: Scene, username: str, **changes: Any) -> Answer:
    scene.ready()
    return scene.client().post("/api/v1/auth/signup", SIGNUP | {"username": username} | changes)


@attack(400, "username_invalid")
def a_cyrillic_letter_in_a_name(scene: Scene) -> Answer:
    return signup_as(scene, "аlice")  # the first letter is U+0430


@attack(400, "username_invalid")
def wide_letters_in_a_name(scene: Scene) -> Answer:
    return signup_as(scene, "ａｌｉｃｅ")


@attack(400, "username_invalid")
def a_kelvin_sign_that_folds_to_k(scene: Scene) -> Answer:
    return signup_as(scene, "\u212aim.home")


@attack(400, "username_invalid")
def a_name_with_a_mark_that_is_not_seen(scene: Scene) -> Answer:
    return signup_as(scene, "ali\u200bce")


@attack(409, "username_taken")
def a_name_in_capital_letters(scene: Scene) -> Answer:
    return signup_as(scene, "ALICE")


@attack(400, "username_reserved")
def a_name_that_passes_for_the_service(scene: Scene) -> Answer:
    return signup_as(scene, "_admin_")


# --- Bodies and headers --------------------------------------------------------------------------
@attack(401, "login_failed")
def sql_in_the_name_of_a_login(scene: Scene) -> Answer:
    scene.ready()
    body = {"username": "alice' OR '1'='1", "password": PASSWORD, "device": DEVICE_JSON}
    return scene.client().post("/api/v1/auth/login", body)


@attack(400, "invalid_input")
def a_login_whose_password_is_a_condition(scene: Scene) -> Answer:
    scene.ready()
    body = {"username": "alice", "password": {"$ne": ""}, "device": DEVICE_JSON}
    return scene.client().post("/api/v1/auth/login", body)


@attack(400, "malformed_json")
def a_body_that_is_two(scene: Scene) -> Answer:
    scene.ready()
    body = json.dumps(SIGNUP) + json.dumps(SIGNUP)
    kind = {"Content-Type": "application/json"}
    return scene.client().call("POST", "/api/v1/auth/signup", body, kind)


@attack(400, "username_invalid")
def a_line_break_in_a_name(scene: Scene) -> Answer:
    return signup_as(scene, "alice\r\nSet-Cookie: a=b")


@attack(401, "token_invalid")
def a_second_authorization_header(scene: Scene) -> Answer:
    """Servers join two of a name with a comma; neither may count then."""
    scene.ready()
    mallory = sign_up("mallory").access_token
    scene.ready()
    both = f"Bearer {mallory}, Bearer {scene.access_token}"
    return scene.client().get("/api/v1/me", Authorization=both)


@pytest.mark.parametrize(
    ("send", "status", "code"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_it_is_refused_and_nothing_has_changed(
    scene: Scene, send: Attack, status: int, code: str
) -> None:
    send_answer = send(scene)
    send_answer.problem(status, code)
    assert changed(scene) == scene.may_change


def test_the_door_opens_for_the_real_one(scene: Scene) -> None:
    """Else every row above could be refused for another reason."""
    assert scene.me(scene.access_token).json["username"] == "alice"
    assert scene.me(scene.forged()).json["username"] == "alice"
    assert signup_as(scene, "mallory").status == 201
    assert fingerprints() != scene.before


def test_fields_that_are_not_asked_for_give_no_rights(scene: Scene) -> None:
    more = {
        "is_staff": True,
        "is_superuser": True,
        "id": str(scene.alice.pk),
        "followers_count": 99,
        "email_verified": True,
        "suspended_until": None,
        "created_at": "2000-01-01T00:00:00Z",
    }
    answer = signup_as(scene, "mallory", **more)
    assert answer.status == 201
    client = scene.client(answer.json["access_token"])
    assert client.send("PATCH", "/api/v1/me", more | {"bio": "hello"}).status == 200
    mallory = Member.objects.get(username="mallory")
    assert mallory.bio == "hello"
    assert mallory.pk != scene.alice.pk
    assert not any((mallory.is_staff, mallory.is_superuser, mallory.email_verified))
    assert mallory.followers_count == 0
    assert mallory.created_at.year == timezone.now().year
