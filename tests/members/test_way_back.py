"""The way back of a member whose provider has ended their only login."""

import time
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.members.errors import LinkInvalid, LoginFailed
from apps.members.models import Leaving, Member, ProviderNotice, SocialIdentity
from apps.members.models.leaving import hash_identity
from apps.members.services import erasing, leaving, passwords, provider_notices, sessions
from apps.members.services.account_state import hold_open, set_open
from apps.members.services.profile import count_posts
from igloo.laptop.providers.world import World
from tests.background import run_tasks
from tests.builders import DEVICE, PASSWORD, ApiClient, make_member
from tests.concurrency import at_once
from tests.members.mailbox import mails_to
from tests.members.social import (
    JUN,
    MINJI,
    NEW_MEMBER,
    Unchanged,
    assert_refused,
    id_token_login,
    join,
    log_in,
)
from tests.members.test_account_pages import RESTORE
from tests.members.test_erasing import WEEK, run_periodic
from tests.members.webhooks import send

PROVIDERS = pytest.mark.parametrize("provider", ["apple", "kakao", "facebook"])
# How many wait for a lock of whoever asks.
_WAITING = "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def ended(providers: World, provider: str = "kakao") -> Member:
    """A member whose provider has ended their only login."""
    member = join(ApiClient(), providers, provider)
    assert send(Client(), providers, provider).status_code == 200
    assert not SocialIdentity.objects.exists()
    return member


def try_login(providers: World, provider: str = "kakao", **body: Any) -> Any:
    client = ApiClient()
    return log_in(client, provider, **id_token_login(client, providers, provider), **body)


@PROVIDERS
def test_the_same_login_comes_back_and_is_linked_again(
    db: None, providers: World, provider: str
) -> None:
    member = ended(providers, provider)
    client = ApiClient()
    body = id_token_login(client, providers, provider)
    with Unchanged():
        problem = assert_refused(log_in(client, provider, **body), 409, "account_leaving")
    assert problem["erase_at"] == Leaving.objects.get().erase_at.isoformat().replace("+00:00", "Z")
    ticket = {"social_ticket": problem["social_ticket"]}
    back = log_in(client, provider, **ticket, restore=True)
    assert back.status_code == 200, back.content
    assert back.json()["member"]["id"] == str(member.pk)
    assert not Leaving.objects.exists()
    [identity] = SocialIdentity.objects.all()
    assert (identity.member_id, identity.subject) == (member.pk, MINJI.subject(provider))
    # From now on it is a login as any other, and what led back is spent.
    assert try_login(providers, provider).status_code == 200
    assert log_in(client, provider, **ticket, restore=True).json()["code"] == "social_token_used"
    assert Member.objects.count() == 1


def test_apples_needs_its_code_to_be_linked_again(db: None, providers: World) -> None:
    """What could not be revoked is not linked; nor is there a ticket of it."""
    ended(providers, "apple")
    client = ApiClient()
    body = id_token_login(client, providers, "apple")
    without = {name: value for name, value in body.items() if name != "code"}
    for restore in (False, True):
        with Unchanged():
            answer = log_in(client, "apple", **without, restore=restore)
            problem = assert_refused(answer, 400, "invalid_input")
        assert [error["pointer"] for error in problem["errors"]] == ["/code"]
        assert "social_ticket" not in problem
    assert log_in(client, "apple", **body, restore=True).status_code == 200
    assert SocialIdentity.objects.get().refresh_token


@PROVIDERS
def test_a_confirmed_address_is_told_of_the_link(db: None, providers: World, provider: str) -> None:
    member = ended(providers, provider)
    Member.objects.update(email=MINJI.email, email_verified=True, locale="en")
    mails_to(MINJI.email)
    for _ in range(2):
        assert try_login(providers, provider, restore=True).status_code == 200
    subjects = [message.subject for message in mails_to(MINJI.email)]
    assert subjects.count(f"{provider.title()} was linked to your account") == 1
    assert SocialIdentity.objects.get().member_id == member.pk


@PROVIDERS
def test_new_members_consents_make_no_other_account(
    db: None, providers: World, provider: str
) -> None:
    ended(providers, provider)
    answer = try_login(providers, provider, **NEW_MEMBER)
    assert_refused(answer, 409, "account_leaving")
    assert Member.objects.count() == 1


def test_nobodys_login_looks_for_a_member_once(db: None, providers: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert_refused(try_login(providers), 409, "consent_required")
    assert len([query for query in queries if "FOR NO KEY UPDATE" in query["sql"]]) == 1


def test_who_was_leaving_already_keeps_the_way_back(db: None, providers: World) -> None:
    member = join(ApiClient(), providers, "kakao")
    row = leaving.leave(member=member)
    assert send(Client(), providers, "kakao").status_code == 200
    assert not SocialIdentity.objects.exists()
    assert Leaving.objects.get().erase_at == row.erase_at
    assert_refused(try_login(providers), 409, "account_leaving")
    assert try_login(providers, restore=True).json()["member"]["id"] == str(member.pk)


def test_anothers_login_leads_nowhere(db: None, providers: World) -> None:
    ended(providers)
    client = ApiClient()
    body = id_token_login(client, providers, "kakao", JUN)
    assert_refused(log_in(client, "kakao", **body, restore=True), 409, "consent_required")
    # Another provider may call somebody the same.
    assert not Leaving.objects.led_back_by("naver", MINJI.subject("kakao")).exists()


def test_a_login_that_was_ended_logs_nobody_in_who_is_not_leaving(
    db: None, providers: World
) -> None:
    """There is another way in, so the member did not leave; later they do, by themselves."""
    member = join(ApiClient(), providers, "kakao")
    passwords.reset_password(member=member, new_password=PASSWORD)
    assert send(Client(), providers, "kakao").status_code == 200
    assert_refused(try_login(providers, restore=True), 409, "consent_required")
    member.refresh_from_db()
    leaving.leave(member=member)
    assert_refused(try_login(providers, restore=True), 409, "consent_required")


@pytest.mark.parametrize("by_hand", [False, True])
def test_nor_one_whom_an_operator_keeps(db: None, providers: World, by_hand: bool) -> None:
    member = ended(providers)
    if by_hand:
        Member.objects.update(is_active=True)
    else:
        assert set_open(member=member, is_open=True)
    assert_refused(try_login(providers, restore=True), 409, "consent_required")
    assert not SocialIdentity.objects.exists()


@PROVIDERS
def test_an_account_that_an_operator_closed_opens_by_no_notice(
    db: None, providers: World, provider: str
) -> None:
    member = join(ApiClient(), providers, provider)
    assert set_open(member=member, is_open=False)
    for _notice in range(2):
        assert send(Client(), providers, provider).status_code == 200
        answer = try_login(providers, provider, **NEW_MEMBER, restore=True)
        assert_refused(answer, 401, "login_failed")
    assert ProviderNotice.objects.filter(member=member, leaves=False).exists()
    assert not Leaving.objects.exists()
    # Opened again, it is a login as any other.
    assert set_open(member=member, is_open=True)
    assert try_login(providers, provider).json()["member"]["id"] == str(member.pk)


@pytest.mark.parametrize("notice", ["none", "before", "after"])
def test_one_that_an_operator_closed_has_no_way_back(
    db: None, providers: World, notice: str
) -> None:
    member = ended(providers) if notice == "before" else join(ApiClient(), providers, "kakao")
    passwords.reset_password(member=member, new_password=PASSWORD)
    row = leaving.leave(member=Member.objects.get())
    token = leaving.return_token(row)
    assert set_open(member=member, is_open=False)
    closed_at = Leaving.objects.get().closed_at
    assert closed_at is not None
    if notice == "after":
        assert send(Client(), providers, "kakao").status_code == 200
    assert_refused(try_login(providers, **NEW_MEMBER, restore=True), 401, "login_failed")
    with pytest.raises(LoginFailed):
        sessions.log_in(username=member.username, password=PASSWORD, device=DEVICE, restore=True)
    with pytest.raises(LinkInvalid):
        leaving.leaving_of_return(token)
    assert leaving.come_back(leaving=row) is None
    # Closed again it stays as it was; it is erased when it would have been.
    assert set_open(member=member, is_open=False)
    left = Leaving.objects.get()
    assert (left.closed_at, left.erase_at) == (closed_at, row.erase_at)
    assert not Member.objects.get().is_active
    # An operator may still change their mind.
    assert set_open(member=member, is_open=True)
    assert not Leaving.objects.exists()


def test_linked_to_another_account_it_is_that_ones(db: None, providers: World) -> None:
    ended(providers)
    other = make_member("other")
    client = ApiClient(other)
    body = id_token_login(client, providers, "kakao")
    assert client.put("/me/identities/kakao", body, format="json").status_code == 204
    assert try_login(providers, restore=True).json()["member"]["id"] == str(other.pk)
    assert Leaving.objects.exists()


def test_when_the_member_is_erased_it_is_a_new_ones(
    committed: None,
    local_place: Any,
    later: Any,
    providers: World,
) -> None:
    member = ended(providers)
    run_tasks()
    later(WEEK)
    assert_refused(try_login(providers, restore=True), 401, "login_failed")
    run_periodic()
    assert not Leaving.objects.exists()
    answer = try_login(providers, **NEW_MEMBER)
    assert answer.status_code == 201
    assert answer.json()["member"]["id"] != str(member.pk)


@pytest.mark.parametrize("is_ended", [True, False])
def test_nobody_waits_for_the_end_of_erasing_to_join_anew(
    committed: None, local_place: Any, later: Any, providers: World, is_ended: bool
) -> None:
    """By a login that the provider ended as by one that was there until then."""
    member = ended(providers) if is_ended else join(ApiClient(), providers, "kakao")
    row = leaving.leave(member=member)
    later(WEEK)
    assert erasing.erase_member(leaving_id=row.pk) == "emptied"
    answer = try_login(providers, **NEW_MEMBER)
    assert answer.status_code == 201, answer.content
    assert answer.json()["member"]["id"] != str(member.pk)
    erasing.finish_erasing()
    assert str(Member.objects.get().pk) == answer.json()["member"]["id"]


def test_two_taps_at_once_come_back_once(committed: None, providers: World) -> None:
    for _round in range(4):
        member = ended(providers)
        clients = [ApiClient() for _ in range(3)]
        bodies = [id_token_login(client, providers, "kakao") for client in clients]
        answers = at_once(
            *[
                lambda client=client, body=body: log_in(client, "kakao", **body, restore=True)
                for client, body in zip(clients, bodies, strict=True)
            ]
        )
        assert [answer.status_code for answer in answers] == [200] * 3
        assert {answer.json()["member"]["id"] for answer in answers} == {str(member.pk)}
        assert SocialIdentity.objects.count() == Member.objects.count() == 1
        Member.objects.all().delete()


def test_who_comes_back_as_an_operator_closes_is_closed(committed: None, providers: World) -> None:
    for _round in range(6):
        member = ended(providers)
        client = ApiClient()
        body = id_token_login(client, providers, "kakao")
        answer, is_closed = at_once(
            lambda client=client, body=body: log_in(client, "kakao", **body, restore=True),
            lambda member=member: set_open(member=member, is_open=False),
        )
        assert is_closed
        assert answer.status_code in (200, 401), answer.content
        assert not Member.objects.get().is_active
        assert_refused(try_login(providers, restore=True), 401, "login_failed")
        Member.objects.all().delete()


def test_a_notice_and_a_login_at_once_make_no_other_account(
    committed: None, providers: World
) -> None:
    for _round in range(8):
        member = join(ApiClient(), providers, "kakao")
        client = ApiClient()
        body = id_token_login(client, providers, "kakao")
        answer, _ = at_once(
            lambda client=client, body=body: log_in(client, "kakao", **body, **NEW_MEMBER),
            lambda: provider_notices.end_identity(
                provider="kakao", event="test", subject=MINJI.subject("kakao")
            ),
        )
        assert answer.status_code in (200, 409), answer.content
        assert answer.status_code == 200 or answer.json()["code"] == "account_leaving"
        [row] = Leaving.objects.all()
        assert bytes(row.identity_hash or b"") == hash_identity("kakao", MINJI.subject("kakao"))
        assert Member.objects.get().pk == member.pk
        assert not sessions.DeviceSession.objects.open().exists()
        Member.objects.all().delete()


def test_a_notice_waits_for_a_post_that_is_being_published(
    committed: None, providers: World
) -> None:
    """And neither waits for the other for ever: PostgreSQL would end one with an error."""
    member = join(ApiClient(), providers, "kakao")

    def publish() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            hold_open(member)
            for _try in range(500):
                cursor.execute(_WAITING)
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.01)
            else:
                raise AssertionError("the notice waits for nothing")
            count_posts(member_id=member.pk, by=1)

    def notice() -> None:
        time.sleep(0.1)
        subject = MINJI.subject("kakao")
        provider_notices.end_identity(provider="kakao", event="test", subject=subject)

    at_once(publish, notice)
    member.refresh_from_db()
    assert (member.posts_count, member.is_active) == (1, False)


@PROVIDERS
def test_by_a_link_they_come_back_with_a_password(
    db: None, providers: World, provider: str
) -> None:
    """Without one nobody could log in, and the same login would make another account."""
    member = ended(providers, provider)
    token = leaving.return_token(Leaving.objects.get())
    browser = Client(headers={"Accept-Language": "en"})
    page = browser.get(RESTORE, {"token": token})
    assert f"you log in to the app as @{member.username}" in page.text
    with Unchanged():
        for new, again, problem in (
            (None, None, "Use 8 characters or more."),
            ("", "", "Use 8 characters or more."),
            ("password123", "password123", "too many people use"),
            (PASSWORD, PASSWORD + "x", "The two are not the same."),
            (PASSWORD, "", "The two are not the same."),
            ("nul\0" * 3, "nul\0" * 3, "Null characters"),
            ("x" * 129, "x" * 129, "at most 128"),
        ):
            form = {"token": token} | ({} if new is None else {"new_password": new, "again": again})
            page = browser.post(RESTORE, form)
            assert page.status_code == 400
            assert problem in page.text
    assert Leaving.objects.exists()
    # Until then the login leads back as well.
    assert_refused(try_login(providers, provider), 409, "account_leaving")

    form = {"token": token, "new_password": PASSWORD, "again": PASSWORD}
    page = browser.post(RESTORE, form)
    assert page.status_code == 200
    assert f"as @{member.username} with the new password" in page.text
    assert sessions.log_in(username=member.username, password=PASSWORD, device=DEVICE)
    # The link counted once.
    assert (
        browser.post(
            RESTORE, form | {"new_password": "another one", "again": "another one"}
        ).status_code
        == 400
    )
    assert sessions.log_in(username=member.username, password=PASSWORD, device=DEVICE)
    assert Member.objects.count() == 1


def test_by_a_link_a_way_in_stays_as_it_is(db: None, providers: World) -> None:
    member = join(ApiClient(), providers, "kakao")
    token = leaving.return_token(leaving.leave(member=member))
    browser = Client(headers={"Accept-Language": "en"})
    assert "password" not in browser.get(RESTORE, {"token": token}).text
    form = {"token": token, "new_password": PASSWORD, "again": PASSWORD}
    assert browser.post(RESTORE, form).status_code == 200
    member.refresh_from_db()
    assert not member.has_usable_password()
    assert try_login(providers).status_code == 200


def test_two_that_press_the_button_at_once(committed: None, providers: World) -> None:
    member = ended(providers)
    token = leaving.return_token(Leaving.objects.get())

    def press(password: str) -> int:
        form = {"token": token, "new_password": password, "again": password}
        return Client().post(RESTORE, form).status_code

    passwords_ = [PASSWORD, "a much longer one"]
    answers = at_once(*[lambda password=password: press(password) for password in passwords_])
    assert sorted(answers) == [200, 400]
    first = passwords_[answers.index(200)]
    assert sessions.log_in(username=member.username, password=first, device=DEVICE)
