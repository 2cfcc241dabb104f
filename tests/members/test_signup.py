"""POST /auth/signup and GET /auth/username-available."""

import datetime as dt
import json
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from apps.members.models import Consent, DeviceSession, Member
from apps.tasks.runner import run_due_tasks
from tests.builders import (
    CONSENTS_JSON,
    DEVICE_JSON,
    PASSWORD,
    ApiClient,
    make_member,
    social_ticket,
)
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once

BODY: dict[str, Any] = {
    "username": "minji.home",
    "password": PASSWORD,
    "birth_date": "1996-05-04",
    "consents": CONSENTS_JSON,
    "device": DEVICE_JSON,
}


def sign_up(client: ApiClient, **changes: Any) -> Any:
    body = {name: value for name, value in (BODY | changes).items() if value is not None}
    return client.post("/auth/signup", body, format="json")


def assert_refused(response: Any, status: int, code: str) -> dict[str, Any]:
    problem = assert_problem(response, status, code)
    assert not Member.objects.exists()
    assert not Consent.objects.exists()
    assert not DeviceSession.objects.exists()
    return problem


def test_a_new_member_is_logged_in(anonymous: ApiClient) -> None:
    response = sign_up(anonymous, display_name=" 민지 ", email="minji@example.com")
    assert response.status_code == 201
    body = response.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 900
    assert body["member"]["display_name"] == "민지"
    assert body["member"]["email"] == "minji@example.com"
    assert body["member"]["email_verified"] is False
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access_token']}")
    assert anonymous.get("/me").json() == body["member"]
    [device] = anonymous.get("/auth/sessions").json()["items"]
    assert device["device"] == DEVICE_JSON
    assert device["current"] is True


def test_the_consents_are_kept_and_the_birth_date_is_not(anonymous: ApiClient) -> None:
    marketing = {"kind": "marketing", "version": "2026-11-01", "granted": False}
    sign_up(anonymous, consents=[*CONSENTS_JSON, marketing])
    kept = {(row.kind, row.version, row.granted) for row in Consent.objects.all()}
    assert kept == {
        ("terms", "2026-11-01", True),
        ("privacy", "2026-11-01", True),
        ("marketing", "2026-11-01", False),
    }
    columns = [str(value) for value in Member.objects.values().get().values()]
    assert not [value for value in columns if "1996" in value]


def test_the_display_name_is_the_username_until_it_is_given(anonymous: ApiClient) -> None:
    assert sign_up(anonymous).json()["member"]["display_name"] == "minji.home"


@pytest.mark.parametrize(
    "username", ["ab", "x" * 31, "with space", "민지", "a-b-c", "a@b.c", "ａｂｃ", "a\nb", "a%b"]
)
def test_a_username_of_another_form_is_400(anonymous: ApiClient, username: str) -> None:
    problem = assert_refused(sign_up(anonymous, username=username), 400, "username_invalid")
    assert problem["errors"][0]["pointer"] == "/username"


def test_an_empty_username_is_400(anonymous: ApiClient) -> None:
    assert_refused(sign_up(anonymous, username=""), 400, "invalid_input")


def test_capitals_and_spaces_around_are_taken_off(anonymous: ApiClient) -> None:
    assert sign_up(anonymous, username=" MinJi ").json()["member"]["username"] == "minji"


def test_a_letter_that_only_looks_like_ascii_is_400(anonymous: ApiClient) -> None:
    assert_refused(sign_up(anonymous, username="\u212aelvin"), 400, "username_invalid")


@pytest.mark.parametrize("username", ["abc", "x" * 30, "a_b.c9", "..."])
def test_usernames_at_the_limits_are_fine(anonymous: ApiClient, username: str) -> None:
    assert sign_up(anonymous, username=username).status_code == 201


ROLES = ["admin", "admin.", "admin1", "the.admin", "support_2", "minji.official", "_app_", "www"]
SERVICE = ["Igloo", "_igloo_", "igloo_support", "igloo.team", "my.igloo2", "1gloo", "lGl00"]


@pytest.mark.parametrize("username", [*ROLES, *SERVICE])
def test_a_name_that_would_pass_for_the_service_is_refused(
    anonymous: ApiClient, username: str
) -> None:
    assert_refused(sign_up(anonymous, username=username), 400, "username_reserved")
    answer = anonymous.get(f"/auth/username-available?username={username}").json()
    assert answer == {"available": False, "code": "username_reserved"}


@pytest.mark.parametrize("username", ["badminton", "minji.store", "app1", "supporter", "ig_loo"])
def test_a_name_that_only_has_such_letters_is_fine(anonymous: ApiClient, username: str) -> None:
    assert sign_up(anonymous, username=username).status_code == 201


def test_a_taken_username_is_409_whatever_its_case(anonymous: ApiClient) -> None:
    sign_up(anonymous)
    problem = assert_problem(sign_up(anonymous, username="MinJi.Home"), 409, "username_taken")
    assert problem["errors"][0] == {
        "pointer": "/username",
        "code": "username_taken",
        "detail": problem["detail"],
    }
    assert Member.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_of_two_who_want_a_name_at_once_one_gets_it() -> None:
    responses = at_once(*(lambda: sign_up(ApiClient()) for _ in range(3)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409]
    assert Member.objects.count() == 1
    assert Consent.objects.count() == 2


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("password123", "password_too_common"),
        ("8402756193", "password_entirely_numeric"),
        ("minji.home1", "password_too_similar"),
    ],
)
def test_djangos_password_validators_are_asked(
    anonymous: ApiClient, password: str, code: str
) -> None:
    problem = assert_refused(sign_up(anonymous, password=password), 400, "invalid_input")
    assert code in [error["code"] for error in problem["errors"]]
    assert {error["pointer"] for error in problem["errors"]} == {"/password"}


def test_a_password_of_kilobytes_is_400(anonymous: ApiClient) -> None:
    problem = assert_refused(sign_up(anonymous, password="x" * 5000), 400, "invalid_input")
    assert problem["errors"][0]["code"] == "too_long"


def test_a_password_that_is_a_number_is_400(anonymous: ApiClient) -> None:
    # JSON's numbers are floats past 19 digits: another password than the one that was sent.
    body = json.dumps(BODY | {"password": 918273645546372819101})
    response = anonymous.generic("POST", "/auth/signup", body, content_type="application/json")
    problem = assert_refused(response, 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/password"


def korean_today() -> dt.date:
    return (timezone.now() + dt.timedelta(hours=9)).date()


def test_under_14_is_403(anonymous: ApiClient) -> None:
    today = korean_today()
    tomorrow_14_years_ago = today.replace(year=today.year - 14, day=1) + dt.timedelta(days=32)
    response = sign_up(anonymous, birth_date=tomorrow_14_years_ago.isoformat())
    assert_refused(response, 403, "under_age")


def test_a_14th_birthday_today_is_old_enough(anonymous: ApiClient) -> None:
    today = korean_today()
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    birth_date = today.replace(year=today.year - 14, day=day)
    assert sign_up(anonymous, birth_date=birth_date.isoformat()).status_code == 201


@pytest.mark.parametrize("birth_date", ["2999-01-01", "1800-01-01", "yesterday", "", 5])
def test_a_birth_date_that_is_none_is_400(anonymous: ApiClient, birth_date: Any) -> None:
    problem = assert_refused(sign_up(anonymous, birth_date=birth_date), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/birth_date"


@pytest.mark.parametrize(
    ("consents", "missing"),
    [
        (None, {"terms", "privacy"}),
        ([], {"terms", "privacy"}),
        (CONSENTS_JSON[:1], {"privacy"}),
        ([CONSENTS_JSON[0], CONSENTS_JSON[1] | {"granted": False}], {"privacy"}),
    ],
)
def test_terms_and_privacy_must_be_granted(
    anonymous: ApiClient, consents: Any, missing: set[str]
) -> None:
    problem = assert_refused(sign_up(anonymous, consents=consents), 409, "consent_required")
    assert {item["kind"] for item in problem["missing"]} == missing
    assert all(item["version"] == "2026-11-01" for item in problem["missing"])


def test_a_kind_of_consent_is_given_once(anonymous: ApiClient) -> None:
    no = CONSENTS_JSON[0] | {"granted": False}
    problem = assert_refused(
        sign_up(anonymous, consents=[*CONSENTS_JSON, no]), 400, "invalid_input"
    )
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/consents", "duplicate")]


@pytest.mark.parametrize("version", ["banana", "9999-12-31", "2026-11-02", "2026-02-30"])
@pytest.mark.parametrize("index", [0, 2])
def test_a_version_that_never_was_is_400(anonymous: ApiClient, version: str, index: int) -> None:
    consents = [*CONSENTS_JSON, {"kind": "marketing", "version": "2026-11-01", "granted": False}]
    consents[index] = consents[index] | {"version": version}
    problem = assert_refused(sign_up(anonymous, consents=consents), 400, "invalid_input")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [
        (f"/consents/{index}/version", "unknown_version")
    ]


def test_an_older_text_than_the_current_one_is_asked_for_again(anonymous: ApiClient) -> None:
    older = [CONSENTS_JSON[0] | {"version": "2026-10-01"}, CONSENTS_JSON[1]]
    problem = assert_refused(sign_up(anonymous, consents=older), 409, "consent_required")
    assert problem["missing"] == [{"kind": "terms", "version": "2026-11-01"}]
    # Of one that is free, it is kept as it was shown.
    marketing = {"kind": "marketing", "version": "2026-10-01", "granted": True}
    assert sign_up(anonymous, consents=[*CONSENTS_JSON, marketing]).status_code == 201
    assert Consent.objects.get(kind="marketing").version == "2026-10-01"


# What is sent, what Accept-Language says, and what the member gets.
LANGUAGES = [
    (None, None, "ko"),
    (None, "en-US,en;q=0.9,ko;q=0.8", "en"),
    (None, "ko-KR,en;q=0.9", "ko"),
    (None, "fr", "ko"),
    ("ko", "en", "ko"),
    ("en", "ko", "en"),
]


@pytest.mark.parametrize(("locale", "accepted", "given"), LANGUAGES)
def test_mails_are_in_the_language_of_the_phone_from_the_first_one(
    anonymous: ApiClient, locale: str | None, accepted: str | None, given: str
) -> None:
    body = BODY | {"email": "minji@example.com"} | ({"locale": locale} if locale else {})
    headers = {"Accept-Language": accepted} if accepted else {}
    response = anonymous.post("/auth/signup", body, format="json", headers=headers)
    assert response.status_code == 201, response.content
    assert response.json()["member"]["locale"] == given
    run_due_tasks()
    [message] = mail.outbox
    assert ("이메일" in message.subject) == (given == "ko")


@pytest.mark.parametrize(("locale", "accepted", "given"), LANGUAGES)
def test_so_they_are_for_who_comes_from_a_provider(
    anonymous: ApiClient, locale: str | None, accepted: str | None, given: str
) -> None:
    body = {"social_ticket": social_ticket()} | ({"locale": locale} if locale else {})
    body |= {name: BODY[name] for name in ("birth_date", "consents", "device")}
    headers = {"Accept-Language": accepted} if accepted else {}
    response = anonymous.post("/auth/social/kakao", body, format="json", headers=headers)
    assert response.json()["member"]["locale"] == given


@pytest.mark.parametrize("locale", ["fr", "KO", "", 1])
def test_another_language_is_400(anonymous: ApiClient, locale: Any) -> None:
    problem = assert_refused(sign_up(anonymous, locale=locale), 400, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == ["/locale"]


@pytest.mark.parametrize("field", ["username", "password", "birth_date", "device"])
def test_what_is_missing_is_said(anonymous: ApiClient, field: str) -> None:
    problem = assert_refused(sign_up(anonymous, **{field: None}), 400, "invalid_input")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [(f"/{field}", "required")]


NAME, TAKEN = "/username username_invalid", "/username username_taken"
AGE, SHORT = "/birth_date under_age", "/password password_too_short"


@pytest.mark.parametrize(
    ("changes", "status", "code", "errors"),
    [
        ({"email": "ko"}, 400, "invalid_input", [AGE, "/email invalid", SHORT, NAME]),
        (
            {"consents": []},
            400,
            "username_invalid",
            [AGE, *["/consents required"] * 2, SHORT, NAME],
        ),
        ({"username": "minji"}, 403, "under_age", [AGE, SHORT]),
        (
            {"device": None, "birth_date": "1996-05-04", "username": "Alice"},
            400,
            "invalid_input",
            ["/device required", SHORT, TAKEN],
        ),
    ],
)
def test_all_that_is_wrong_is_told_at_once(
    anonymous: ApiClient, changes: dict[str, Any], status: int, code: str, errors: list[str]
) -> None:
    make_member("alice")
    year = timezone.now().year
    wrong = {"username": "K!", "password": "kx!94", "birth_date": f"{year - 6}-01-01"}
    problem = assert_problem(sign_up(anonymous, **(wrong | changes)), status, code)
    told = [f"{error['pointer']} {error['code']}" for error in problem["errors"]]
    assert sorted(told) == errors
    assert Member.objects.count() == 1


def test_a_device_of_another_platform_is_400(anonymous: ApiClient) -> None:
    response = sign_up(anonymous, device=DEVICE_JSON | {"platform": "toaster"})
    problem = assert_refused(response, 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/device/platform"


@pytest.mark.parametrize(
    ("username", "answer"),
    [
        ("free.name", {"available": True}),
        ("ALICE", {"available": False, "code": "username_taken"}),
        ("root", {"available": False, "code": "username_reserved"}),
        ("a b", {"available": False, "code": "username_invalid"}),
        ("", {"available": False, "code": "username_invalid"}),
        ("%00", {"available": False, "code": "username_invalid"}),
    ],
)
def test_username_available(anonymous: ApiClient, username: str, answer: dict[str, Any]) -> None:
    make_member("alice")
    assert anonymous.get(f"/auth/username-available?username={username}").json() == answer


def test_username_available_without_a_name(anonymous: ApiClient) -> None:
    assert anonymous.get("/auth/username-available").json()["code"] == "username_invalid"
