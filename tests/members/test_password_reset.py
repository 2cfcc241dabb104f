"""A forgotten password: the mail, its link, and what it opens and ends."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.common.models import RateWindow
from apps.members.models import DeviceSession, Leaving, Member
from apps.members.services import leaving, links, passwords
from apps.tasks.models import BackgroundTask
from tests.builders import PASSWORD, ApiClient, confirmed, make_member, suspended
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.members.mailbox import links_in, mails_to, token_in
from tests.members.test_email import browser, form_of  # noqa: F401 - a fixture
from tests.members.test_sessions import change_password, log_in, refresh

ADDRESS = "minji@example.com"
NEW = "a much longer one"


def ask(email: Any = ADDRESS) -> Any:
    return ApiClient().post("/auth/password/reset", {"email": email}, format="json")


def choose(token: Any, password: Any = NEW) -> Any:
    body = {"token": token, "new_password": password}
    return ApiClient().post("/auth/password/reset/confirm", body, format="json")


@pytest.fixture
def minji(db: None) -> Member:
    """Has a confirmed address."""
    return confirmed(make_member("minji"), ADDRESS)


def assert_unchanged() -> None:
    assert log_in(ApiClient(), "minji").status_code == 200
    assert DeviceSession.objects.filter(end_reason="password").count() == 0


def test_the_link_in_the_mail_changes_the_password_and_ends_all_sessions(minji: Member) -> None:
    tokens = log_in(ApiClient(), "minji").json()
    assert ask().status_code == 202
    [message] = mails_to(ADDRESS)
    assert message.subject == "새 비밀번호 설정"
    assert choose(token_in(message)).status_code == 204
    assert_problem(refresh(ApiClient(), tokens["refresh_token"]), 401, "refresh_token_invalid")
    client = ApiClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    assert_problem(client.get("/me"), 401, "token_invalid")
    assert_problem(log_in(ApiClient(), "minji"), 401, "login_failed")
    assert log_in(ApiClient(), "minji", NEW).status_code == 200
    told = mails_to(ADDRESS)[-1]
    assert told.subject == "비밀번호가 변경되었어요"
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d\(한국 시간\)", told.body)


def test_a_link_works_once(minji: Member) -> None:
    ask()
    token = token_in(*mails_to(ADDRESS))
    assert choose(token).status_code == 204
    assert_problem(choose(token, "yet another one"), 400, "link_invalid")
    assert log_in(ApiClient(), "minji", NEW).status_code == 200


def test_the_very_same_password_spends_the_link_too(minji: Member) -> None:
    token = links.reset_token(minji)
    assert choose(token, PASSWORD).status_code == 204
    assert_problem(choose(token), 400, "link_invalid")


def test_one_link_spends_the_others_and_so_does_a_change(minji: Member) -> None:
    ask()
    ask()
    first, second = (token_in(message) for message in mails_to(ADDRESS))
    assert choose(first).status_code == 204
    assert_problem(choose(second, "yet another one"), 400, "link_invalid")
    ask()
    third = token_in([m for m in mails_to(ADDRESS) if links_in(m)][-1])
    client = ApiClient()
    tokens = log_in(client, "minji", NEW).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    assert change_password(client, current_password=NEW, new_password=PASSWORD).status_code == 204
    assert_problem(choose(third), 400, "link_invalid")
    assert log_in(ApiClient(), "minji").status_code == 200


@pytest.mark.usefixtures("committed")
def test_of_two_confirmations_at_once_one_wins() -> None:
    for number in range(5):
        member = confirmed(make_member(f"minji{number}"))
        token = links.reset_token(member)
        words = ["the first new one", "the second new one"]
        answers = at_once(*(lambda token=token, word=word: choose(token, word) for word in words))
        assert sorted(answer.status_code for answer in answers) == [204, 400]
        [winner] = [
            w for w, answer in zip(words, answers, strict=True) if answer.status_code == 204
        ]
        assert log_in(ApiClient(), member.username, winner).status_code == 200


def test_a_link_lives_30_minutes(minji: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    token = links.reset_token(minji)
    now = links._reset_tokens._now()
    late = now + dt.timedelta(minutes=30, seconds=2)
    monkeypatch.setattr(links._reset_tokens, "_now", lambda: late)
    assert_problem(choose(token), 400, "link_invalid")
    assert_unchanged()
    in_time = now + dt.timedelta(minutes=30, seconds=-2)
    monkeypatch.setattr(links._reset_tokens, "_now", lambda: in_time)
    assert choose(token).status_code == 204


def test_a_link_to_a_former_address_is_worth_nothing(minji: Member) -> None:
    token = links.reset_token(minji)
    ApiClient(minji).patch("/me", {"email": "new@example.com"}, format="json")
    assert_problem(choose(token), 400, "link_invalid")
    assert_unchanged()


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "password_too_short"), ("12345678901", "password_entirely_numeric")],
)
def test_a_password_that_is_refused_does_not_spend_the_link(
    minji: Member, password: str, code: str
) -> None:
    token = links.reset_token(minji)
    problem = assert_problem(choose(token, password), 400, "invalid_input")
    assert {error["pointer"] for error in problem["errors"]} == {"/new_password"}
    assert code in {error["code"] for error in problem["errors"]}
    assert_unchanged()
    assert choose(token).status_code == 204


def test_tokens_of_others_and_nonsense_change_nothing(minji: Member) -> None:
    own = links.reset_token(minji)
    bobs = links.reset_token(confirmed(make_member("bob")))
    nonsense = ["x", ".", own[:-1], own + "x", f"{minji.pk.hex}.{bobs.partition('.')[2]}"]
    nonsense += [f"{minji.pk.hex}.", f"{minji.pk.hex}.a-b", "🙂.🙂-🙂", links.verify_token(minji)]
    for token in nonsense:
        assert_problem(choose(token), 400, "link_invalid")
    for token in [None, [], "", "x" * 301, "a\0b"]:
        assert_problem(choose(token), 400, "invalid_input")
    for password in [None, 1, "", "x" * 129, "a\0b" * 5]:
        assert_problem(choose(own, password), 400, "invalid_input")
    assert_unchanged()


def test_the_answer_and_the_work_are_the_same_whoever_it_is(minji: Member) -> None:
    """Not the clock is asked, but what takes time: queries, tasks and hashes of passwords."""

    def work(email: str) -> tuple[Any, ...]:
        before = BackgroundTask.objects.count()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = ask(email)
        statements = [re.sub(r"'[^']*'", "?", query["sql"])[:60] for query in queries]
        tasks = BackgroundTask.objects.count() - before
        return response.status_code, response.content, statements, tasks

    confirmed(make_member("closed"), "closed@example.com")
    Member.objects.filter(username="closed").update(is_active=False)
    make_member("careless", email="unconfirmed@example.com")
    known = work(ADDRESS)
    assert known[0] == 202
    assert known[3] == 1
    for email in ("nobody@example.com", "closed@example.com", "unconfirmed@example.com"):
        assert work(email) == known
        task = BackgroundTask.objects.filter(task_path__endswith="mail_reset").latest("id")
        assert task.args_kwargs["args"] == [[]]
    mails_to(ADDRESS)
    assert {address for message in mail.outbox for address in message.to} == {
        ADDRESS,
        "unconfirmed@example.com",
    }
    [to_careless] = mails_to("unconfirmed@example.com")
    assert "/account/verify" in links_in(to_careless)[0]


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_who_is_leaving_gets_the_way_back(minji: Member, locale: str) -> None:
    """They may have lost the mail that came as they left, and know no password to log in by."""
    Member.objects.update(locale=locale)
    minji.refresh_from_db()
    leaving.leave(member=minji)
    before = len(mails_to(ADDRESS))
    assert ask().status_code == 202
    [message] = mails_to(ADDRESS)[before:]
    subject = {"en": "The way back to your igloo account", "ko": "igloo 계정으로 돌아오는 방법"}
    assert message.subject == subject[locale]
    [link] = links_in(message)
    assert link.startswith("/account/restore?token=")
    row = leaving.leaving_of_return(token_in(message))
    assert leaving.come_back(leaving=row) == minji
    # From there it is as for everybody.
    assert ask().status_code == 202
    assert choose(token_in(mails_to(ADDRESS)[-1])).status_code == 204
    assert log_in(ApiClient(), "minji", NEW).status_code == 200


def test_the_way_back_is_mailed_a_few_times_and_no_longer_than_there_is_one(
    minji: Member,
) -> None:
    leaving.leave(member=minji)
    before = len(mails_to(ADDRESS))
    for _ in range(5):
        ask()
    assert len(mails_to(ADDRESS)) == before + 3
    ask()
    Leaving.objects.update(erasing_since=timezone.now())
    RateWindow.objects.all().delete()
    ask()
    assert len(mails_to(ADDRESS)) == before + 3


def test_an_address_of_one_who_stays_and_one_who_leaves(minji: Member) -> None:
    leaving.leave(member=confirmed(make_member("former"), ADDRESS))
    before = len(mails_to(ADDRESS))
    ask()
    new = mails_to(ADDRESS)[before:]
    assert sorted(links_in(message)[0].partition("?")[0] for message in new) == [
        "/account/password",
        "/account/restore",
    ]


def test_the_task_holds_no_address_and_no_link(minji: Member) -> None:
    ask()
    [task] = BackgroundTask.objects.filter(task_path__endswith="mail_reset")
    assert task.args_kwargs["args"] == [[str(minji.pk)]]


def test_the_case_of_the_address_does_not_matter_and_the_mail_goes_to_the_known_one(
    minji: Member,
) -> None:
    ask("MINJI@Example.com")
    assert len(mails_to(ADDRESS)) == len(mail.outbox) == 1


def test_an_address_that_only_looks_the_same_is_another(minji: Member) -> None:
    confirmed(make_member("kim"), "kim@example.com")
    ask("kım@example.com")  # a dotless i, which is I in capitals
    assert mails_to("kım@example.com") == []


def test_accounts_that_share_an_address_are_named_in_one_mail(minji: Member) -> None:
    confirmed(make_member("minji2"), ADDRESS)
    make_member("careless", email=ADDRESS)
    ask()
    [message] = [m for m in mails_to(ADDRESS) if "새 비밀번호" in m.subject]
    assert "@minji " in message.body
    assert "@minji2 " in message.body
    assert "careless" not in message.body
    first, second = links_in(message)
    assert choose(first.partition("token=")[2]).status_code == 204
    assert choose(second.partition("token=")[2], "yet another one").status_code == 204
    assert log_in(ApiClient(), "minji", NEW).status_code == 200
    assert log_in(ApiClient(), "minji2", "yet another one").status_code == 200


def test_past_the_limit_of_an_address_nothing_is_sent_and_the_answer_stays(minji: Member) -> None:
    assert [ask().status_code for _ in range(5)] == [202] * 5
    assert len(mails_to(ADDRESS)) == 3


def test_past_the_limit_of_a_caller_it_is_429_whoever_it_is(minji: Member, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"password_reset": (2, 3600)}
    answers = [ask(email).status_code for email in ("a@example.com", ADDRESS, ADDRESS, "b@b.kr")]
    assert answers == [202, 202, 429, 429]
    assert len(mails_to(ADDRESS)) == 1


@pytest.mark.parametrize(
    "email", [None, "", "x", "a@b", 1, [], "a\0@example.com", "x" * 250 + "@b.kr"]
)
def test_what_is_no_address_is_400(anonymous: ApiClient, email: Any) -> None:
    assert_problem(ask(email), 400, "invalid_input")
    assert not BackgroundTask.objects.exists()


def test_a_member_who_has_no_password_yet_gets_one(minji: Member) -> None:
    passwords.reset_password(member=minji, new_password=None)
    ask()
    assert choose(token_in(mails_to(ADDRESS)[-1])).status_code == 204
    assert log_in(ApiClient(), "minji", NEW).status_code == 200


def test_a_suspended_member_gets_a_new_password_and_stays_suspended(minji: Member) -> None:
    suspended(minji)
    ask()
    assert choose(token_in(*mails_to(ADDRESS))).status_code == 204
    client = ApiClient()
    tokens = log_in(client, "minji", NEW).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    assert_problem(client.patch("/me", {"bio": "x"}, format="json"), 403, "suspended")


def test_who_left_between_the_mail_and_the_link_stays_out(minji: Member) -> None:
    token = links.reset_token(minji)
    Member.objects.update(is_active=False)
    assert_problem(choose(token), 400, "link_invalid")


def test_a_link_that_does_not_work_costs_no_hash(
    minji: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda *args: made.append("x"))
    assert_problem(choose("x"), 400, "link_invalid")
    assert made == []


def test_the_index_serves_the_look_up(minji: Member) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    members = Member.objects.filter(email__iexact=ADDRESS, email_verified=True, is_active=True)
    assert "member_by_email" in members.order_by().explain()


def test_a_change_of_the_password_is_told_by_mail(minji: Member) -> None:
    assert change_password(ApiClient(minji)).status_code == 204
    [told] = mails_to(ADDRESS)
    assert told.subject == "비밀번호가 변경되었어요"
    minji.refresh_from_db()
    passwords.reset_password(member=minji, new_password="an operator's choice")
    assert len(mails_to(ADDRESS)) == 2


def test_a_change_that_is_refused_is_not_told_nor_one_to_an_unconfirmed_address(
    minji: Member,
) -> None:
    assert change_password(ApiClient(minji), current_password="guess").status_code == 403
    bob = make_member("bob")
    Member.objects.filter(pk=bob.pk).update(email="strangers@example.com")
    assert change_password(ApiClient(bob)).status_code == 204
    assert mails_to(ADDRESS) == mail.outbox == []


# --- The page ---------------------------------------------------------------------------------


def test_the_page_changes_the_password_by_its_form_alone(
    minji: Member,
    browser: Client,  # noqa: F811
) -> None:
    ask()
    [path] = links_in(*mails_to(ADDRESS))
    for _ in range(2):
        assert "For @minji. All devices will be logged out." in browser.get(path).text
    form = form_of(browser, path)
    for first, again, wrong in [
        (NEW, "another", "The two are not the same."),
        ("short", "short", "Use 8 characters or more."),
        ("", "", "This field may not be blank."),
        ("x" * 129, "x" * 129, "no more than 128 characters"),
    ]:
        page = browser.post("/account/password", form | {"new_password": first, "again": again})
        assert page.status_code == 400
        assert wrong in page.text
        assert page.context["token"] == form["token"]
    assert_unchanged()
    form |= {"new_password": NEW, "again": NEW}
    page = browser.post("/account/password", form)
    assert "Your password was changed" in page.text
    assert log_in(ApiClient(), "minji", NEW).status_code == 200
    assert browser.post("/account/password", form).status_code == 400
    assert browser.get(path).status_code == 400


def test_the_page_takes_no_form_of_another_site(
    minji: Member,
    browser: Client,  # noqa: F811
) -> None:
    form = {"token": links.reset_token(minji), "new_password": NEW, "again": NEW}
    assert browser.post("/account/password", form).status_code == 403
    assert_unchanged()
