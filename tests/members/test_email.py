"""Confirming addresses, and what a change of one tells whom."""

import threading
import time
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.test import Client
from django.utils import timezone

from apps.common.models import RateWindow
from apps.members.models import Member
from apps.members.services import links, profile
from apps.tasks.models import BackgroundTask
from tests.builders import ApiClient, confirmed, make_member, suspended
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.members.mailbox import links_in, mails_to, token_in
from tests.members.test_signup import sign_up

ADDRESS = "minji@example.com"


def ask(client: ApiClient) -> Any:
    return client.post("/auth/email/verify")


def confirm(client: ApiClient, token: Any) -> Any:
    return client.post("/auth/email/verify/confirm", {"token": token}, format="json")


def is_verified(username: str) -> bool:
    return Member.objects.get(username=username).email_verified


def test_who_signs_up_with_an_address_gets_a_link_that_confirms_it(anonymous: ApiClient) -> None:
    assert sign_up(anonymous, email=ADDRESS).status_code == 201
    [message] = mails_to(ADDRESS)
    assert message.subject == "이메일 주소 확인"
    assert "@minji.home" in message.body
    assert not is_verified("minji.home")
    assert confirm(ApiClient(), token_in(message)).status_code == 204
    assert is_verified("minji.home")


def test_who_signs_up_without_one_gets_no_mail(anonymous: ApiClient) -> None:
    sign_up(anonymous)
    assert mails_to("") == mail.outbox == []


def test_the_mail_is_in_the_members_language(alice: ApiClient) -> None:
    alice.patch("/me", {"email": ADDRESS, "locale": "en"}, format="json")
    [message] = mails_to(ADDRESS)
    assert message.subject == "Confirm your e-mail address"
    assert "Is this the address of @alice" in message.body


def test_a_link_works_again_since_an_answer_may_be_lost(alice: ApiClient) -> None:
    alice.patch("/me", {"email": ADDRESS}, format="json")
    token = token_in(*mails_to(ADDRESS))
    assert [confirm(ApiClient(), token).status_code for _ in range(2)] == [204, 204]
    assert alice.get("/me").json()["email_verified"] is True


def test_confirming_shows_in_the_version_of_the_account(alice: ApiClient) -> None:
    etag = alice.patch("/me", {"email": ADDRESS}, format="json")["ETag"]
    confirm(ApiClient(), token_in(*mails_to(ADDRESS)))
    stale = alice.patch("/me", {"bio": "x"}, format="json", headers={"If-Match": etag})
    assert_problem(stale, 412, "stale")


def test_a_link_lives_two_days(alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    alice.patch("/me", {"email": ADDRESS}, format="json")
    token = token_in(*mails_to(ADDRESS))
    now, two_days = time.time(), 2 * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: now + two_days + 5)
    assert_problem(confirm(ApiClient(), token), 400, "link_invalid")
    assert not is_verified("alice")
    monkeypatch.setattr(time, "time", lambda: now + two_days - 5)
    assert confirm(ApiClient(), token).status_code == 204


def test_a_link_to_one_address_does_not_confirm_the_next(alice: ApiClient) -> None:
    alice.patch("/me", {"email": ADDRESS}, format="json")
    token = token_in(*mails_to(ADDRESS))
    alice.patch("/me", {"email": "victim@example.com"}, format="json")
    assert_problem(confirm(ApiClient(), token), 400, "link_invalid")
    assert not is_verified("alice")


@pytest.mark.django_db
def test_tokens_of_other_kinds_and_members_and_nonsense_confirm_nothing() -> None:
    minji = make_member("minji", email=ADDRESS)
    other = confirmed(make_member("other"))
    bob = make_member("bob", email="bob@example.com")
    own, bobs = links.verify_token(minji), links.verify_token(bob)
    nonsense = ["x", ".", own[:-1], own + "x", f"{minji.pk.hex}.{bobs.partition('.')[2]}"]
    nonsense += [f"{minji.pk.hex}.1.2", f"{minji.pk}", "\u0131" * 32, "🙂.🙂-🙂", f"{'0' * 32}.a.b"]
    for token in [*nonsense, links.reset_token(other), links.reset_token(minji)]:
        assert_problem(confirm(ApiClient(), token), 400, "link_invalid")
    for token in [None, [], "", "x" * 301, "a\0b"]:
        assert_problem(confirm(ApiClient(), token), 400, "invalid_input")
    assert not is_verified("minji")
    assert not is_verified("bob")


@pytest.mark.django_db
def test_a_member_who_left_confirms_nothing() -> None:
    minji = make_member("minji", email=ADDRESS)
    token = links.verify_token(minji)
    Member.objects.update(is_active=False)
    assert_problem(confirm(ApiClient(), token), 400, "link_invalid")
    assert mails_to(ADDRESS) == []


def test_asking_again(alice: ApiClient) -> None:
    assert_problem(ask(alice), 409, "email_missing")
    alice.patch("/me", {"email": ADDRESS}, format="json")
    assert ask(alice).status_code == 202
    assert len(mails_to(ADDRESS)) == 2
    confirmed(Member.objects.get(username="alice"), ADDRESS)
    assert ask(alice).status_code == 204
    assert len(mails_to(ADDRESS)) == 2


def test_a_suspended_member_may_confirm_the_address(alice: ApiClient) -> None:
    alice.patch("/me", {"email": ADDRESS}, format="json")
    suspended(Member.objects.get(username="alice"))
    assert ask(alice).status_code == 202
    assert confirm(alice, token_in(mails_to(ADDRESS)[-1])).status_code == 204


def test_of_many_mails_to_one_address_few_are_sent_whoever_asks(
    alice: ApiClient, bob: ApiClient
) -> None:
    for client in (alice, bob):
        client.patch("/me", {"email": "victim@example.com"}, format="json")
        for _ in range(3):
            assert ask(client).status_code == 202
    assert len(mails_to("victim@example.com")) == 3


def test_an_address_that_nobody_confirmed_gets_few_mails_in_a_day(
    alice: ApiClient, settings: Any
) -> None:
    """3 in 15 minutes would be 288 a day, to whomever somebody names."""
    limit, period = settings.THROTTLE_RATES["mail_to_stranger"]
    assert (limit, period) == (10, 24 * 3600)
    alice.patch("/me", {"email": ADDRESS}, format="json")
    assert len(mails_to(ADDRESS)) == 1
    for _ in range(limit + 2):
        # A quarter of an hour later.
        forget_windows("mail_to:")
        assert ask(alice).status_code == 202
        mails_to(ADDRESS)
    assert len(mails_to(ADDRESS)) == limit
    # Another address is another one's.
    alice.patch("/me", {"email": "minji@example.org"}, format="json")
    assert len(mails_to("minji@example.org")) == 1
    # The next day.
    forget_windows("mail_to")
    alice.patch("/me", {"email": ADDRESS}, format="json")
    assert len(mails_to(ADDRESS)) == limit + 1


def forget_windows(prefix: str) -> None:
    assert RateWindow.objects.filter(key__startswith=prefix).delete()[0] >= 1


class Away(BaseEmailBackend):
    """A mail server that is not there."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError


def test_a_mail_that_could_not_be_sent_is_not_counted(alice: ApiClient, settings: Any) -> None:
    works, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Away"
    alice.patch("/me", {"email": ADDRESS}, format="json")
    for _ in range(5):
        BackgroundTask.objects.update(run_after=timezone.now())
        assert mails_to(ADDRESS) == []
    settings.EMAIL_BACKEND = works
    BackgroundTask.objects.update(run_after=timezone.now())
    [message] = mails_to(ADDRESS)
    assert confirm(ApiClient(), token_in(message)).status_code == 204


def test_a_member_cannot_have_mails_sent_to_everyone(alice: ApiClient, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"ask_for_mail": (2, 3600)}
    for number in range(2):
        alice.patch("/me", {"email": f"victim{number}@example.com"}, format="json")
    refused = alice.patch("/me", {"email": "victim2@example.com", "bio": "x"}, format="json")
    assert_problem(refused, 429, "throttled")
    assert_problem(ask(alice), 429, "throttled")
    me = alice.get("/me").json()
    assert (me["email"], me["bio"]) == ("victim1@example.com", "")
    # What has no new address is no question of mails.
    assert alice.patch("/me", {"email": "victim1@example.com"}, format="json").status_code == 200


def test_a_former_address_is_told_if_it_was_the_members(alice: ApiClient) -> None:
    confirmed(alice.member, ADDRESS)
    assert alice.patch("/me", {"email": "new@example.com"}, format="json").status_code == 200
    # The row of a task stays for a while, whatever the member does.
    assert "example.com" not in str(list(BackgroundTask.objects.values()))
    [told] = mails_to(ADDRESS)
    assert told.subject == "이메일 주소가 변경되었어요"
    assert links_in(told) == []
    assert "new@example.com" not in told.body
    [asked] = mails_to("new@example.com")
    assert "이메일 주소 확인" in asked.subject
    # Nobody has confirmed this one: it may be a stranger's.
    alice.patch("/me", {"email": "third@example.com"}, format="json")
    assert len(mails_to("new@example.com")) == 1


def test_an_address_that_is_taken_away_is_told_and_needs_no_link(alice: ApiClient) -> None:
    confirmed(alice.member, ADDRESS)
    alice.patch("/me", {"email": None}, format="json")
    assert len(mails_to(ADDRESS)) == len(mail.outbox) == 1


def test_the_same_address_again_sends_nothing_and_stays_confirmed(alice: ApiClient) -> None:
    confirmed(alice.member, ADDRESS)
    alice.patch("/me", {"email": ADDRESS, "bio": "x"}, format="json")
    assert is_verified("alice")
    assert mails_to(ADDRESS) == []


def test_a_change_that_is_refused_sends_nothing(alice: ApiClient) -> None:
    confirmed(alice.member, ADDRESS)
    response = alice.patch(
        "/me", {"email": "new@example.com"}, format="json", headers={"If-Match": '"99-x"'}
    )
    assert_problem(response, 412, "stale")
    assert mails_to(ADDRESS) == mail.outbox == []


@pytest.mark.usefixtures("committed")
def test_a_confirmation_does_not_overtake_a_change_of_the_address() -> None:
    member = make_member("minji", email=ADDRESS)
    token = links.verify_token(member)
    is_changing = threading.Event()

    def change() -> int:
        with transaction.atomic():
            profile.update_profile(
                member=member, changes={"email": "victim@example.com"}, expected=None
            )
            is_changing.set()
            time.sleep(0.5)
        return 200

    def confirm_meanwhile() -> int:
        assert is_changing.wait(timeout=10)
        status: int = confirm(ApiClient(), token).status_code
        return status

    assert at_once(change, confirm_meanwhile) == [200, 400]
    member.refresh_from_db()
    assert (member.email, member.email_verified) == ("victim@example.com", False)


# --- The page ---------------------------------------------------------------------------------


@pytest.fixture
def browser(db: None) -> Client:
    """A browser, whose forms are checked."""
    return Client(enforce_csrf_checks=True, headers={"accept-language": "en"})


def form_of(browser: Client, path: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    page = browser.get(path)
    assert page.status_code == 200
    return {
        "csrfmiddlewaretoken": str(page.context["csrf_token"]),
        "token": page.context["token"],
    }


@pytest.mark.django_db
def test_the_page_confirms_by_its_button_alone(browser: Client) -> None:
    member = make_member("minji", email=ADDRESS)
    [path] = links_in(*mails_to(ADDRESS))
    for _ in range(2):
        page = browser.get(path)
        assert page.status_code == 200
        assert "Is minji@example.com the address of @minji?" in page.text
    assert not is_verified("minji")
    page = browser.post("/account/verify", form_of(browser, path))
    assert "minji@example.com is the address of @minji now." in page.text
    assert is_verified("minji")
    member.refresh_from_db()
    assert member.version == 2


@pytest.mark.django_db
def test_the_page_takes_no_form_of_another_site(browser: Client) -> None:
    token = links.verify_token(make_member("minji", email=ADDRESS))
    assert browser.post("/account/verify", {"token": token}).status_code == 403
    assert not is_verified("minji")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://testserver", 200), ("null", 403), ("https://evil.example", 403)],
)
def test_a_form_says_where_it_was_filled_in(browser: Client, origin: str, status: int) -> None:
    """As browsers send it; `null` is what the policy `no-referrer` would make of ours."""
    path = links.verify_link(make_member("minji", email=ADDRESS))
    form = form_of(browser, path)
    page = browser.post("/account/verify", form, secure=True, headers={"origin": origin})
    assert page.status_code == status
    assert is_verified("minji") is (status == 200)


@pytest.mark.parametrize("page", ["verify", "password"])
def test_a_link_that_does_not_work_says_so(browser: Client, page: str) -> None:
    for query in ("", "?token=", "?token=x", "?token=%00%ff", "?token=<script>"):
        answer = browser.get(f"/account/{page}{query}")
        assert answer.status_code == 400
        assert "This link does not work any more." in answer.text
        assert "<script>" not in answer.text
    korean = browser.get(f"/account/{page}", headers={"accept-language": "fr"})
    assert '<html lang="ko">' in korean.text
    assert "이 링크는 더 이상 쓸 수 없어요." in korean.text


@pytest.mark.django_db
def test_the_pages_tell_the_token_to_nobody(browser: Client) -> None:
    member = confirmed(make_member("minji"))
    for path in (links.reset_link(member), links.verify_link(member)):
        page = browser.get(path)
        assert page["Referrer-Policy"] == "strict-origin"
        assert page["Cache-Control"] == "no-store"
        assert page["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in page["Content-Security-Policy"]
        assert "http" not in page.text


@pytest.mark.django_db
def test_the_pages_are_throttled(browser: Client, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"link": (0, 60)}
    path = links.verify_link(make_member("minji", email=ADDRESS))
    form = form_of(browser, path)
    page = browser.post("/account/verify", form)
    assert page.status_code == 429
    assert 1 <= int(page["Retry-After"]) <= 60
    assert browser.post("/account/password", form).status_code == 429
    assert not is_verified("minji")
