"""/webhooks/apple, /webhooks/kakao, /webhooks/facebook: what providers tell, and who pretends."""

import datetime as dt
import json
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.members.models import DeviceSession, Leaving, Member, ProviderNotice, SocialIdentity
from apps.members.services import leaving, passwords, provider_notices
from igloo.laptop.providers.world import SigningKey, World
from tests.builders import PASSWORD, ApiClient
from tests.common.test_problems import assert_problem
from tests.members.social import MINJI, Unchanged, id_token_login, join, log_in
from tests.members.webhooks import (
    SUBJECTS,
    NothingHappens,
    apple_notice,
    encoded,
    send,
    send_apple,
    send_facebook,
    send_kakao,
    signed_request,
)


@pytest.fixture
def outside(db: None) -> Client:
    """Whoever calls from outside, with CSRF checks on."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("provider", ["apple", "kakao", "facebook"])
def test_the_last_way_in_ends_sessions_and_waits_for_the_leaving(
    outside: Client, providers: World, provider: str
) -> None:
    member = join(ApiClient(), providers, provider)
    client = ApiClient(member)
    assert send(outside, providers, provider).status_code == 200
    assert not SocialIdentity.objects.exists()
    assert client.get("/me").json()["code"] == "token_invalid"
    assert set(DeviceSession.objects.values_list("end_reason", flat=True)) == {"provider"}
    notice = ProviderNotice.objects.get()
    assert (notice.member, notice.provider, notice.leaves) == (member, provider, True)
    assert Leaving.objects.get().member == member
    member.refresh_from_db()
    assert not member.is_active


@pytest.mark.parametrize("provider", ["apple", "kakao", "facebook"])
@pytest.mark.parametrize("other_way", ["password", "google"])
def test_a_member_with_another_way_in_stays(
    outside: Client, providers: World, provider: str, other_way: str
) -> None:
    member = join(ApiClient(), providers, provider)
    if other_way == "password":
        passwords.reset_password(member=member, new_password=PASSWORD)
    client = ApiClient(member)
    if other_way == "google":
        body = id_token_login(client, providers, "google")
        assert client.put("/me/identities/google", body, format="json").status_code == 204
    assert send(outside, providers, provider).status_code == 200
    assert client.get("/me").status_code == 200
    assert not SocialIdentity.objects.filter(provider=provider).exists()
    assert not ProviderNotice.objects.filter(leaves=True).exists()
    assert not Leaving.objects.exists()


@pytest.mark.parametrize("provider", ["apple", "kakao", "facebook"])
def test_the_same_again_is_harmless(outside: Client, providers: World, provider: str) -> None:
    join(ApiClient(), providers, provider)
    # Facebook's says when it was signed: in the next second it would be another one.
    signed_at = int(time.time())
    first = send(outside, providers, provider, issued_at=signed_at)
    with NothingHappens():
        again = send(outside, providers, provider, issued_at=signed_at)
        assert (first.status_code, again.status_code) == (200, 200)


@pytest.mark.parametrize("provider", ["apple", "kakao", "facebook"])
def test_nobody_is_found(outside: Client, providers: World, provider: str) -> None:
    with Unchanged():
        assert send(outside, providers, provider).status_code == 200
    assert not ProviderNotice.objects.filter(leaves=True).exists()
    assert not Leaving.objects.exists()


def test_an_old_notice_leaves_who_came_back(outside: Client, providers: World) -> None:
    """Whoever got hold of one sends it again, after its row was forgotten."""
    hour_ago = int(time.time()) - 3600
    join(ApiClient(), providers, "apple")
    join(ApiClient(), providers, "facebook")
    with Unchanged():
        payload = apple_notice(providers, iat=hour_ago)
        assert send_apple(outside, payload).status_code == 200
        assert send_facebook(outside, signed_request(issued_at=hour_ago)).status_code == 200


@pytest.mark.parametrize(("days", "left"), [(182, 1), (184, 0)])
def test_a_notice_of_half_a_year_ago_is_forgotten(
    outside: Client, providers: World, days: int, left: int
) -> None:
    join(ApiClient(), providers, "facebook")
    send(outside, providers, "facebook")
    ProviderNotice.objects.update(created_at=timezone.now() - dt.timedelta(days=days))
    assert provider_notices.prune_notices() == 1 - left
    assert ProviderNotice.objects.count() == left


# --- Apple --------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["account-delete", "account-deleted", "consent-revoked"])
def test_apples_kinds(outside: Client, providers: World, kind: str) -> None:
    join(ApiClient(), providers, "apple")
    assert send_apple(outside, apple_notice(providers, kind)).status_code == 200
    assert not SocialIdentity.objects.exists()


def test_mail_that_apple_forwards_no_more(outside: Client, providers: World) -> None:
    member = join(ApiClient(), providers, "apple")
    for kind, works in (("email-disabled", False), ("email-enabled", True)):
        event = {"email": MINJI.email, "is_private_email": "true"}
        response = send_apple(outside, apple_notice(providers, kind, event=event))
        assert response.status_code == 200
        member.refresh_from_db()
        assert member.email_verified is works
    # Of another address.
    event = {"email": "other@example.com"}
    send_apple(outside, apple_notice(providers, "email-disabled", event=event))
    member.refresh_from_db()
    assert member.email_verified is True


def test_a_kind_that_apple_has_added_is_taken(outside: Client, providers: World) -> None:
    join(ApiClient(), providers, "apple")
    with NothingHappens():
        assert send_apple(outside, apple_notice(providers, "new-kind")).status_code == 200


OWN_KEY = SigningKey()


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "com.example.other"},
        {"iss": "https://evil.example"},
        {"iat": None},
        {"jti": None},
        {"events": None},
        {"iat": int(time.time()) + 3600},
        {"exp": int(time.time()) - 60},
    ],
)
def test_apple_did_not_say_this_to_us(
    outside: Client, providers: World, changes: dict[str, Any]
) -> None:
    join(ApiClient(), providers, "apple")
    with NothingHappens():
        response = send_apple(outside, apple_notice(providers, **changes))
        assert_problem(response, 401, "webhook_unauthorized")


def test_apple_did_not_sign_this(outside: Client, providers: World) -> None:
    join(ApiClient(), providers, "apple")
    genuine = apple_notice(providers)
    header, payload, signature = genuine.split(".")
    none = encoded(json.dumps({"alg": "none", "kid": providers.keys["apple"][0].id}).encode())
    with NothingHappens():
        for forged in (
            apple_notice(providers, key=OWN_KEY),
            f"{none}.{payload}.",
            f"{header}.{payload}.{signature[:-4]}AAAA",
            # A token of a login is no notice.
            providers.id_token(providers.login("apple", MINJI)),
            "x",
            "\0",
            "a.b.c",
        ):
            assert_problem(send_apple(outside, forged), 401, "webhook_unauthorized")


@pytest.mark.parametrize(
    "events", ["x", "[]", "{}", '{"type": 5, "sub": "x"}', '{"type": "consent-revoked"}', [], 5]
)
def test_events_that_are_none(outside: Client, providers: World, events: Any) -> None:
    with NothingHappens():
        response = send_apple(outside, apple_notice(providers, events=events))
        assert response.status_code == 400


def test_a_notice_is_no_login(outside: Client, anonymous: ApiClient, providers: World) -> None:
    join(ApiClient(), providers, "apple")
    body = id_token_login(anonymous, providers, "apple")
    body["id_token"] = apple_notice(providers)
    with Unchanged():
        assert log_in(anonymous, "apple", **body).status_code == 401


def test_apples_keys_are_away(outside: Client, providers: World) -> None:
    """Apple sends it again."""
    join(ApiClient(), providers, "kakao")
    providers.down.add("apple")
    with NothingHappens():
        response = send_apple(outside, apple_notice(providers))
        assert_problem(response, 503, "provider_unavailable")
    assert response["Retry-After"]


# --- Kakao --------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["", "wrong", "demo-kakao-admi", "demo-kakao-admin2", "키", "\x00"])
def test_kakaos_key_is_wrong(outside: Client, providers: World, key: str) -> None:
    join(ApiClient(), providers, "kakao")
    with NothingHappens():
        response = send_kakao(outside, key=key)
        assert_problem(response, 401, "webhook_unauthorized")
    assert response["WWW-Authenticate"] == "KakaoAK"


def test_kakao_calls_without_its_key(outside: Client, providers: World) -> None:
    join(ApiClient(), providers, "kakao")
    form = {"app_id": "1234567", "user_id": SUBJECTS["kakao"]}
    with NothingHappens():
        response = outside.post("/webhooks/kakao", form)
        assert_problem(response, 401, "webhook_unauthorized")
        # The key of the settings is empty: no key is not the same as that.
        headers = {"Authorization": "KakaoAK "}
        response = outside.post("/webhooks/kakao", form, headers=headers)
        assert_problem(response, 401, "webhook_unauthorized")


def test_kakao_without_an_admin_key_in_the_settings(
    outside: Client, providers: World, settings: Any
) -> None:
    settings.SOCIAL["kakao"]["admin_key"] = ""
    join(ApiClient(), providers, "kakao")
    with NothingHappens():
        assert_problem(send_kakao(outside, key=""), 404, "provider_not_configured")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"app_id": "999"}, 401),
        ({"app_id": ""}, 401),
        ({"user_id": ""}, 400),
        ({"user_id": "\0"}, 400),
        ({"user_id": "١٢٣"}, 400),
        ({"user_id": "1" * 300}, 400),
        ({"user_id": "1 OR 1=1"}, 400),
    ],
)
def test_kakao_of_another_app_or_nobody(
    outside: Client, providers: World, changes: dict[str, str], status: int
) -> None:
    join(ApiClient(), providers, "kakao")
    with NothingHappens():
        assert send_kakao(outside, **changes).status_code == status


@pytest.mark.parametrize("referrer", ["ACCOUNT_DELETE", "", "\0", "새 이유", "x" * 500])
def test_kakaos_reasons(outside: Client, providers: World, referrer: str) -> None:
    join(ApiClient(), providers, "kakao")
    assert send_kakao(outside, referrer_type=referrer).status_code == 200
    assert not SocialIdentity.objects.exists()


# --- Facebook -----------------------------------------------------------------------------------
def test_facebook_is_told_where_the_deletion_is_shown(outside: Client, providers: World) -> None:
    member = join(ApiClient(), providers, "facebook")
    request = signed_request()
    answer = send_facebook(outside, request).json()
    assert set(answer) == {"url", "confirmation_code"}
    assert send_facebook(outside, request).json() == answer
    path = answer["url"].removeprefix("http://localhost:8000")
    for language, words in (("ko", "계정도 삭제하고 있어요"), ("en", "is being deleted")):
        page = outside.get(path, headers={"Accept-Language": language})
        assert page.status_code == 200
        assert words in page.content.decode()
        assert answer["confirmation_code"] in page.content.decode()
        assert member.username not in page.content.decode()
    # Who came back is not being deleted, nor who is gone.
    row = Leaving.objects.select_related("member").get()
    assert leaving.come_back(leaving=row) == member
    page = outside.get(path, headers={"Accept-Language": "en"})
    assert "is being deleted" not in page.content.decode()
    leaving.leave(member=Member.objects.get(pk=member.pk))
    Member.objects.filter(pk=member.pk).delete()
    page = outside.get(path, headers={"Accept-Language": "en"})
    assert "is being deleted" not in page.content.decode()
    page = outside.get("/webhooks/facebook/deletions/00000000-0000-7000-8000-000000000000")
    assert_problem(page, 404, "not_found")


def test_facebook_asks_again_while_the_account_is_there(outside: Client, providers: World) -> None:
    """Signed at another time it is another notice, with a page of its own."""
    member = join(ApiClient(), providers, "facebook")
    now = int(time.time())
    paths = []
    for signed_at in (now, now + 1):
        answer = send_facebook(outside, signed_request(issued_at=signed_at)).json()
        paths.append(answer["url"].removeprefix("http://localhost:8000"))

    def is_being_deleted() -> list[bool]:
        pages = [outside.get(path, headers={"Accept-Language": "en"}) for path in paths]
        return ["is being deleted" in page.text for page in pages]

    assert is_being_deleted() == [True, True]
    assert set(ProviderNotice.objects.values_list("member", "leaves")) == {(member.pk, True)}
    leaving.come_back(leaving=Leaving.objects.select_related("member").get())
    assert is_being_deleted() == [False, False]


def forged_requests() -> list[str]:
    signature, _, payload = signed_request().partition(".")
    other = encoded(json.dumps({"algorithm": "HMAC-SHA256", "user_id": "1"}).encode())
    return [
        signed_request(b"another secret"),
        signed_request(algorithm="none"),
        signed_request(algorithm=None),
        f"{signature}.{other}",
        f".{payload}",
        f"{signature}.",
        f"{'!' * 43}.{payload}",
        f"{signature}é.{payload}",
        payload,
        "",
        ".",
        "\0",
        "\ud7ff.\ud7ff",
    ]


@pytest.mark.parametrize("request_", forged_requests(), ids=range(13))
def test_facebook_did_not_sign_this(outside: Client, providers: World, request_: str) -> None:
    join(ApiClient(), providers, "facebook")
    with NothingHappens():
        assert_problem(send_facebook(outside, request_), 401, "webhook_unauthorized")


@pytest.mark.parametrize(
    "changes",
    [{"user_id": None}, {"user_id": 5}, {"user_id": ""}, {"user_id": "\0"}, {"issued_at": "x"}],
)
def test_facebook_signed_nothing_of_use(
    outside: Client, providers: World, changes: dict[str, Any]
) -> None:
    with NothingHappens():
        assert_problem(send_facebook(outside, signed_request(**changes)), 400, "bad_request")


# --- All ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("provider", ["apple", "kakao", "facebook"])
def test_only_a_small_post_is_taken(outside: Client, providers: World, provider: str) -> None:
    path = f"/webhooks/{provider}"
    response = outside.get(path)
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"
    headers = {"Authorization": "KakaoAK demo-kakao-admin"}
    for body, length, status in (
        (b"x" * 70_000, None, 413),
        (b"x", "many", 400),
        (b"\x00\xff{", None, None),
        (b"", None, None),
        (b"[" * 60_000, None, None),
    ):
        extra = {"CONTENT_LENGTH": length} if length else {}
        for kind in (
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ):
            response = outside.generic("POST", path, body, kind, headers=headers, **extra)
            assert response.status_code == (status or response.status_code)
            assert 400 <= response.status_code < 500, (body[:9], kind, response.content)
            assert_problem(response, response.status_code, response.json()["code"])


def test_the_time_of_a_notice_may_run_ahead_a_little(outside: Client, providers: World) -> None:
    join(ApiClient(), providers, "apple")
    SocialIdentity.objects.update(created_at=timezone.now() + dt.timedelta(seconds=10))
    assert send_apple(outside, apple_notice(providers)).status_code == 200
    assert not SocialIdentity.objects.exists()
