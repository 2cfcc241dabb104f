"""Logging in, refreshing, logging out, and a member's devices."""

import datetime as dt
import unicodedata
from typing import Any

import jwt
import pytest
from django.utils import timezone

from apps.common.models import RateWindow
from apps.members.models import DeviceSession, RefreshToken
from apps.members.services import passwords, sessions
from apps.members.tokens import _key as access_key
from apps.members.tokens import issue_access_token
from tests.builders import DEVICE_JSON, PASSWORD, ApiClient, make_member
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once


def log_in(client: ApiClient, username: str = "alice", password: str = PASSWORD) -> Any:
    body = {"username": username, "password": password, "device": DEVICE_JSON}
    return client.post("/auth/login", body, format="json")


def refresh(client: ApiClient, token: str) -> Any:
    return client.post("/auth/refresh", {"refresh_token": token}, format="json")


def use(client: ApiClient, token: str) -> ApiClient:
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def tokens(anonymous: ApiClient) -> dict[str, Any]:
    """A login of Alice's."""
    make_member("alice")
    found: dict[str, Any] = log_in(anonymous).json()
    return found


def age_spent_tokens(seconds: int) -> None:
    spent_at = timezone.now() - dt.timedelta(seconds=seconds)
    RefreshToken.objects.filter(spent_at__isnull=False).update(spent_at=spent_at)


def test_a_login_gives_a_pair_and_the_account(anonymous: ApiClient, tokens: Any) -> None:
    assert log_in(anonymous)["Cache-Control"] == "no-store"
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in", "member"}
    assert use(anonymous, tokens["access_token"]).get("/me").json() == tokens["member"]


def test_the_case_of_the_username_does_not_matter(anonymous: ApiClient, tokens: Any) -> None:
    assert log_in(anonymous, "ALICE").status_code == 200


def test_a_wrong_password_and_an_unknown_name_look_the_same(anonymous: ApiClient) -> None:
    make_member("alice")
    before = DeviceSession.objects.count()
    wrong = assert_problem(log_in(anonymous, password="not it"), 401, "login_failed")
    unknown = assert_problem(log_in(anonymous, "nobody"), 401, "login_failed")
    assert {**wrong, "request_id": ""} == {**unknown, "request_id": ""}
    assert DeviceSession.objects.count() == before


def test_a_closed_account_does_not_log_in(anonymous: ApiClient) -> None:
    member = make_member("alice")
    member.is_active = False
    member.save()
    assert_problem(log_in(anonymous), 401, "login_failed")


def test_only_hashes_of_refresh_tokens_are_stored(tokens: Any) -> None:
    stored = [bytes(row) for row in RefreshToken.objects.values_list("token_hash", flat=True)]
    assert all(len(row) == 32 for row in stored)
    assert tokens["refresh_token"].encode() not in b"".join(stored)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer", "token_invalid"),
        ("Bearer x", "token_invalid"),
        ("Bearer a.b.c", "token_invalid"),
        ("Basic YTpi", "token_invalid"),
        ("Bearer \xff", "token_invalid"),
    ],
)
def test_a_token_that_is_none_is_401(anonymous: ApiClient, header: str, code: str) -> None:
    response = anonymous.get("/posts", HTTP_AUTHORIZATION=header)
    assert_problem(response, 401, code)
    assert response["WWW-Authenticate"] == "Bearer"


def test_forged_tokens_are_401(anonymous: ApiClient, tokens: Any) -> None:
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    forged = [
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "some other secret that is long enough", algorithm="HS256"),
        jwt.encode(claims, "some other secret that is long enough " * 2, algorithm="HS512"),
        tokens["access_token"][:-2] + "AA",
    ]
    for token in forged:
        assert_problem(use(anonymous, token).get("/me"), 401, "token_invalid")


def test_a_token_for_another_members_session_is_401(anonymous: ApiClient, tokens: Any) -> None:
    stranger = make_member("bob")
    session = DeviceSession.objects.exclude(member=stranger).latest("id")
    mixed = issue_access_token(member_id=stranger.pk, session_id=session.pk)
    assert_problem(use(anonymous, mixed).get("/me"), 401, "token_invalid")


def test_a_token_of_a_host_whose_clock_is_ahead_works(tokens: Any, anonymous: ApiClient) -> None:
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    ahead = jwt.encode(claims | {"iat": claims["iat"] + 5}, access_key(), algorithm="HS256")
    assert use(anonymous, ahead).get("/me").status_code == 200


def test_an_access_token_lives_15_minutes(anonymous: ApiClient, tokens: Any, settings: Any) -> None:
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 900
    settings.ACCESS_TOKEN_SECONDS = -1
    session = DeviceSession.objects.latest("id")
    expired = issue_access_token(member_id=session.member_id, session_id=session.pk)
    assert_problem(use(anonymous, expired).get("/me"), 401, "token_expired")


def test_a_refresh_spends_the_token_for_a_new_pair(anonymous: ApiClient, tokens: Any) -> None:
    second = refresh(anonymous, tokens["refresh_token"]).json()
    assert second["refresh_token"] != tokens["refresh_token"]
    assert use(anonymous, second["access_token"]).get("/me").status_code == 200
    third = refresh(anonymous, second["refresh_token"]).json()
    assert len({tokens["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3


def test_a_phone_that_lost_the_answer_gets_the_same_token_again(
    anonymous: ApiClient, tokens: Any
) -> None:
    first = refresh(anonymous, tokens["refresh_token"]).json()
    age_spent_tokens(29)
    again = refresh(anonymous, tokens["refresh_token"]).json()
    assert again["refresh_token"] == first["refresh_token"]
    assert refresh(anonymous, again["refresh_token"]).status_code == 200


def test_a_spent_token_after_the_grace_ends_the_whole_session(
    anonymous: ApiClient, tokens: Any
) -> None:
    second = refresh(anonymous, tokens["refresh_token"]).json()
    age_spent_tokens(31)
    assert_problem(refresh(anonymous, tokens["refresh_token"]), 401, "refresh_token_invalid")
    assert_problem(refresh(anonymous, second["refresh_token"]), 401, "refresh_token_invalid")
    assert_problem(use(anonymous, second["access_token"]).get("/me"), 401, "token_invalid")
    assert DeviceSession.objects.filter(end_reason="reuse").count() == 1


def test_a_token_spent_twice_over_ends_the_session_even_within_the_grace(
    anonymous: ApiClient, tokens: Any
) -> None:
    second = refresh(anonymous, tokens["refresh_token"]).json()
    third = refresh(anonymous, second["refresh_token"]).json()
    assert_problem(refresh(anonymous, tokens["refresh_token"]), 401, "refresh_token_invalid")
    assert_problem(refresh(anonymous, third["refresh_token"]), 401, "refresh_token_invalid")


def test_reuse_on_one_device_leaves_the_others_alone(anonymous: ApiClient, tokens: Any) -> None:
    other = log_in(anonymous).json()
    refresh(anonymous, tokens["refresh_token"])
    age_spent_tokens(31)
    refresh(anonymous, tokens["refresh_token"])
    assert refresh(anonymous, other["refresh_token"]).status_code == 200


def test_a_token_that_was_never_given_out_is_401_and_ends_nothing(
    anonymous: ApiClient, tokens: Any
) -> None:
    assert_problem(refresh(anonymous, "made up"), 401, "refresh_token_invalid")
    assert_problem(refresh(anonymous, tokens["access_token"]), 401, "refresh_token_invalid")
    assert refresh(anonymous, tokens["refresh_token"]).status_code == 200


def test_a_session_that_was_not_used_for_60_days_is_over(anonymous: ApiClient, tokens: Any) -> None:
    DeviceSession.objects.update(expires_at=timezone.now())
    assert_problem(refresh(anonymous, tokens["refresh_token"]), 401, "refresh_token_invalid")
    assert_problem(use(anonymous, tokens["access_token"]).get("/me"), 401, "token_invalid")


@pytest.mark.usefixtures("committed")
def test_refreshes_at_once_get_the_same_token() -> None:
    make_member("alice")
    token = log_in(ApiClient()).json()["refresh_token"]
    responses = at_once(*(lambda: refresh(ApiClient(), token) for _ in range(4)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["refresh_token"] for response in responses}) == 1


def test_logout_ends_this_device_alone(anonymous: ApiClient, tokens: Any) -> None:
    other = log_in(anonymous).json()
    use(anonymous, tokens["access_token"])
    assert anonymous.post("/auth/logout").status_code == 204
    assert_problem(anonymous.get("/me"), 401, "token_invalid")
    anonymous.credentials()
    assert_problem(refresh(anonymous, tokens["refresh_token"]), 401, "refresh_token_invalid")
    assert use(anonymous, other["access_token"]).get("/me").status_code == 200


def test_a_device_can_be_logged_out_from_another(anonymous: ApiClient, tokens: Any) -> None:
    other = log_in(anonymous).json()
    use(anonymous, tokens["access_token"])
    items = anonymous.get("/auth/sessions").json()["items"]
    [current] = [item for item in items if item["current"]]
    [target, *_] = [item for item in items if not item["current"]]
    assert anonymous.delete(f"/auth/sessions/{target['id']}").status_code == 204
    left = {item["id"] for item in anonymous.get("/auth/sessions").json()["items"]}
    assert current["id"] in left
    assert target["id"] not in left
    assert_problem(use(anonymous, other["access_token"]).get("/me"), 401, "token_invalid")


def test_someone_elses_session_is_404_and_goes_on(alice: ApiClient, bob: ApiClient) -> None:
    [session] = DeviceSession.objects.filter(member=bob.member).order_by("-id")[:1]
    assert_problem(alice.delete(f"/auth/sessions/{session.pk}"), 404, "not_found")
    assert bob.get("/me").status_code == 200


def change_password(client: ApiClient, **changes: str) -> Any:
    body = {"current_password": PASSWORD, "new_password": "a much longer one"} | changes
    return client.post("/auth/password/change", body, format="json")


def test_a_password_change_ends_the_other_devices(anonymous: ApiClient, tokens: Any) -> None:
    other = log_in(anonymous).json()
    use(anonymous, tokens["access_token"])
    assert change_password(anonymous).status_code == 204
    assert anonymous.get("/me").status_code == 200
    anonymous.credentials()
    assert_problem(refresh(anonymous, other["refresh_token"]), 401, "refresh_token_invalid")
    assert refresh(anonymous, tokens["refresh_token"]).status_code == 200
    assert_problem(log_in(anonymous), 401, "login_failed")
    assert log_in(anonymous, password="a much longer one").status_code == 200


class Meanwhile:
    """Stands before a function and, once, does something between its caller and it."""

    def __init__(self, function: Any, do: Any) -> None:
        self.function, self.do, self.done = function, do, False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.done:
            self.done = True
            # In a transaction of its own, as another request would.
            at_once(self.do)
        return self.function(*args, **kwargs)


def change_alices_password() -> None:
    """From her first device."""
    session = DeviceSession.objects.select_related("member").order_by("id")[1]
    assert session.member.username == "alice"
    passwords.change_password(
        member=session.member,
        session=session,
        current_password=PASSWORD,
        new_password="a much longer one",
    )


@pytest.mark.usefixtures("committed")
def test_a_login_that_a_password_change_overtakes_is_refused(
    tokens: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Meanwhile(sessions.lock_if_password_is, change_alices_password)
    monkeypatch.setattr(sessions, "lock_if_password_is", change)
    assert_problem(log_in(ApiClient()), 401, "login_failed")
    assert log_in(ApiClient(), password="a much longer one").status_code == 200


@pytest.mark.usefixtures("committed")
def test_of_two_password_changes_the_one_that_is_overtaken_is_refused(
    anonymous: ApiClient, tokens: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief = use(ApiClient(), log_in(anonymous).json()["access_token"])
    use(anonymous, tokens["access_token"])
    change = Meanwhile(sessions.lock_if_password_is, change_alices_password)
    monkeypatch.setattr(sessions, "lock_if_password_is", change)
    response = change_password(thief, new_password="the thief's own one")
    assert_problem(response, 403, "password_wrong")
    assert anonymous.get("/me").status_code == 200
    assert_problem(thief.get("/me"), 401, "token_invalid")
    assert log_in(ApiClient(), password="a much longer one").status_code == 200


def test_a_password_typed_in_another_unicode_form_is_the_same(anonymous: ApiClient) -> None:
    word = "한글 비밀번호 열두 글자"
    make_member("alice", password=word)
    decomposed = unicodedata.normalize("NFD", word)
    assert decomposed != word
    assert log_in(anonymous, password=decomposed).status_code == 200


def test_a_password_change_needs_the_current_one(anonymous: ApiClient, tokens: Any) -> None:
    use(anonymous, tokens["access_token"])
    problem = assert_problem(
        change_password(anonymous, current_password="guess"), 403, "password_wrong"
    )
    assert problem["errors"][0]["pointer"] == "/current_password"
    anonymous.credentials()
    assert log_in(anonymous).status_code == 200


def test_a_weak_new_password_is_400_and_changes_nothing(anonymous: ApiClient, tokens: Any) -> None:
    use(anonymous, tokens["access_token"])
    problem = assert_problem(change_password(anonymous, new_password="12345"), 400, "invalid_input")
    assert {error["pointer"] for error in problem["errors"]} == {"/new_password"}
    anonymous.credentials()
    assert log_in(anonymous).status_code == 200


def test_one_indexed_query_tells_who_is_calling(
    alice: ApiClient, django_assert_num_queries: Any
) -> None:
    # Session and member in one; the second is the list itself.
    with django_assert_num_queries(2):
        alice.get("/auth/sessions")


def test_a_refresh_token_that_is_made_up_leaves_no_row(anonymous: ApiClient) -> None:
    """No address is counted there, since many phones share one."""
    for number in range(3):
        assert_problem(refresh(anonymous, f"made up {number}"), 401, "refresh_token_invalid")
    assert not RateWindow.objects.exists()
