"""/account/delete and /account/restore, outside the API."""

import html
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail, signing
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.common.models import RateWindow
from apps.members.models import Leaving, Member
from apps.members.services import account_state, leaving, profile
from apps.members.services.passwords import reset_password
from apps.tasks.models import BackgroundTask
from tests.background import run_tasks
from tests.builders import PASSWORD, ApiClient, make_member, operator, suspended
from tests.members.test_leaving import verified

DELETE, RESTORE = "/account/delete", "/account/restore"


@pytest.fixture
def browser() -> Client:
    """One that speaks English and checks CSRF as a real one meets it."""
    return Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})


def press(browser: Client, page: Any, path: str = DELETE, **fields: str) -> Any:
    """Send a form of a page, with the hidden fields that it has."""
    content = page.content.decode()
    form = next(
        form
        for form in re.findall(r"<form.*?</form>", content, re.DOTALL)
        if f'value="{fields.get("action", "")}"' in form or "action" not in fields
    )
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    sent = {name: html.unescape(value) for name, value in hidden.items()} | fields
    return browser.post(path, sent)


def link_of(message: Any) -> str:
    return next(line for line in message.body.splitlines() if line.startswith("http"))


def path_of(link: str, settings: Settings) -> str:
    return link.removeprefix(settings.PUBLIC_BASE_URL)


# --- By mail ------------------------------------------------------------------------------------


def test_by_a_link_in_a_mail(committed: None, browser: Client, settings: Settings) -> None:
    alice = ApiClient(verified(make_member("alice")))
    page = press(browser, browser.get(DELETE), action="mail", email="Minji@Example.com")
    assert page.status_code == 200
    run_tasks()
    [message] = mail.outbox
    confirm = browser.get(path_of(link_of(message), settings))
    assert "Delete the account alice?" in confirm.content.decode()
    assert alice.get("/me").status_code == 200
    left = press(browser, confirm, action="confirm")
    assert "Your account will be deleted" in left.content.decode()
    assert alice.get("/me").status_code == 401
    assert Leaving.objects.get().member_id == alice.member.pk
    # The link counts once, also after coming back.
    again = browser.get(path_of(link_of(message), settings))
    assert again.status_code == 400
    back = press(browser, left, RESTORE)
    assert "Welcome back" in back.content.decode()
    assert browser.get(path_of(link_of(message), settings)).status_code == 400
    assert Member.objects.get(pk=alice.member.pk).is_active


def test_a_link_lives_no_longer_by_being_opened(
    committed: None, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = make_member("alice")
    with monkeypatch.context() as earlier:
        earlier.setattr(signing, "time", SimpleNamespace(time=lambda: time.time() - 1700))
        token = leaving.deletion_token(alice)
    confirm = browser.get(DELETE, {"token": token})
    assert f'name="token" value="{token}"' in confirm.content.decode()


@pytest.mark.parametrize("who", ["nobody", "unverified", "gone", "verified"])
def test_the_answer_tells_nobody_which_addresses_there_are(
    committed: None, browser: Client, who: str
) -> None:
    alice = make_member("alice", email="minji@example.com")
    if who != "unverified":
        verified(alice)
    if who == "gone":
        account_state.set_open(member=alice, is_open=False)
    email = "other@example.com" if who == "nobody" else "minji@example.com"
    BackgroundTask.objects.all().delete()
    first = browser.get(DELETE)
    page = press(browser, first, action="mail", email=email)
    assert page.status_code == 200
    assert "If an account has this verified address" in page.content.decode()
    # As much is written for each.
    assert [task.task_path.rpartition(".")[2] for task in BackgroundTask.objects.all()] == [
        "mail_deletion_links"
    ]
    run_tasks()
    assert len(mail.outbox) == (who == "verified")
    for task in BackgroundTask.objects.all():
        assert email not in str(task.args_kwargs)
    assert not any(email in row.key for row in RateWindow.objects.all())


def test_mails_are_few_whoever_asks(committed: None, browser: Client) -> None:
    verified(make_member("alice"))
    for _ in range(5):
        page = press(browser, browser.get(DELETE), action="mail", email="minji@example.com")
        assert page.status_code == 200
    run_tasks()
    assert len(mail.outbox) == 3


def test_one_address_asks_so_often(committed: None, browser: Client, settings: Settings) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"deletion_address": (2, 3600)}
    statuses = [
        press(browser, browser.get(DELETE), action="mail", email=f"a{n}@example.com").status_code
        for n in range(3)
    ]
    assert statuses == [200, 200, 429]


def test_each_account_of_an_address_gets_its_own(committed: None, browser: Client) -> None:
    for name in ("alice", "bob"):
        verified(make_member(name))
    press(browser, browser.get(DELETE), action="mail", email="minji@example.com")
    run_tasks()
    assert {re.search("alice|bob", message.body)[0] for message in mail.outbox} == {"alice", "bob"}  # type: ignore[index]


@pytest.mark.parametrize("email", ["", "nope", "a\0@example.com", "x" * 300 + "@example.com"])
@pytest.mark.django_db
def test_what_is_no_address(browser: Client, email: str) -> None:
    page = press(browser, browser.get(DELETE), action="mail", email=email)
    assert page.status_code == 400
    assert not BackgroundTask.objects.exists()


# --- Links --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        "changed",
        "old",
        "password",
        "address",
        "closed",
        "another's",
        "of coming back",
        "empty",
        "nul",
    ],
)
def test_links_that_do_not_count(
    committed: None,
    browser: Client,
    later: Any,
    spoil: str,
) -> None:
    alice, bob = make_member("alice"), make_member("bob")
    token = leaving.deletion_token(alice)
    confirm = browser.get(DELETE, {"token": token})
    assert confirm.status_code == 200
    match spoil:
        case "changed":
            token = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
        case "old":
            # Signing takes the time from the clock itself.
            then = timezone.now().timestamp() - 1801
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("time.time", lambda: then)
                token = leaving.deletion_token(alice)
        case "password":
            reset_password(member=alice, new_password="quite another one")
        case "address":
            # Who reads the former mailbox has it still.
            profile.update_profile(
                member=alice, changes={"email": "new@example.com"}, expected=None
            )
        case "closed":
            account_state.set_open(member=alice, is_open=False)
        case "another's":
            _, _, signature = token.partition(":")
            token = leaving.deletion_token(bob).partition(":")[0] + f":{signature}"
        case "of coming back":
            row = Leaving(member=alice)
            token = leaving.return_token(row)
        case "empty":
            token = ""
        case "nul":
            token = "\0"
    assert browser.get(DELETE, {"token": token}).status_code == 400
    page = press(browser, confirm, action="confirm", token=token)
    assert page.status_code == 400
    assert not Leaving.objects.exists()


def test_the_way_back_ends(committed: None, browser: Client) -> None:
    row = leaving.leave(member=make_member("alice"))
    token = leaving.return_token(row)
    page = browser.get(RESTORE, {"token": token})
    assert page.status_code == 200
    # Looking does nothing: scanners of mails look.
    assert Leaving.objects.exists()
    Leaving.objects.update(erasing_since=timezone.now())
    assert press(browser, page, RESTORE).status_code == 400
    assert browser.get(RESTORE, {"token": token}).status_code == 400
    assert browser.get(RESTORE).status_code == 400
    assert browser.get(RESTORE, {"token": "x:y:z"}).status_code == 400
    assert not Member.objects.get().is_active


def test_an_old_mail_takes_no_later_leaving_back(committed: None, browser: Client) -> None:
    alice = make_member("alice")
    row = leaving.leave(member=alice)
    token = leaving.return_token(row)
    leaving.come_back(leaving=row)
    leaving.leave(member=Member.objects.get(pk=alice.pk))
    assert browser.get(RESTORE, {"token": token}).status_code == 400


def test_what_is_decided_between_two_steps_is_heeded(
    committed: None, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator closes the account, or erasing begins, after the link was found to be good."""
    alice, bob = make_member("alice"), make_member("bob")
    find_member, find_leaving = leaving.member_of_deletion, leaving.leaving_of_return

    def closed_meanwhile(token: str) -> Member:
        member = find_member(token)
        account_state.set_open(member=alice, is_open=False)
        return member

    def erased_meanwhile(token: str) -> Leaving:
        row = find_leaving(token)
        Leaving.objects.update(erasing_since=timezone.now())
        return row

    confirm = browser.get(DELETE, {"token": leaving.deletion_token(alice)})
    back = browser.get(RESTORE, {"token": leaving.return_token(leaving.leave(member=bob))})
    monkeypatch.setattr(leaving, "member_of_deletion", closed_meanwhile)
    monkeypatch.setattr(leaving, "leaving_of_return", erased_meanwhile)
    assert press(browser, confirm, action="confirm").status_code == 400
    assert press(browser, back, RESTORE).status_code == 400
    assert not Leaving.objects.filter(member=alice).exists()
    assert not Member.objects.get(pk=bob.pk).is_active


# --- By password --------------------------------------------------------------------------------


def log_in(browser: Client, username: str, password: str = PASSWORD) -> Any:
    page = browser.get(DELETE)
    return press(browser, page, action="login", username=username, password=password)


def test_by_a_password(committed: None, browser: Client) -> None:
    alice = suspended(make_member("alice"))
    confirm = log_in(browser, " Alice ")
    assert "Delete the account alice?" in confirm.content.decode()
    assert not Leaving.objects.exists()
    assert press(browser, confirm, action="confirm").status_code == 200
    assert Leaving.objects.get().member_id == alice.pk
    # Logging in again offers the way back.
    left = log_in(browser, "alice")
    assert "You can come back" in left.content.decode()
    assert press(browser, left, RESTORE).status_code == 200
    assert Member.objects.get(pk=alice.pk).is_active


@pytest.mark.parametrize("password", ["not it at all", "", "nul\0", "x" * 129])
@pytest.mark.django_db
def test_a_wrong_password_and_a_wrong_name_look_the_same(browser: Client, password: str) -> None:
    make_member("alice")
    pages = [log_in(browser, name, password) for name in ("alice", "nobody", "nul\0")]
    texts = {re.sub(r'value="[^"]*"', "", page.content.decode()) for page in pages}
    assert len(texts) == 1
    assert {page.status_code for page in pages} == {400}
    assert not Leaving.objects.exists()


@pytest.mark.django_db
def test_guesses_count_with_those_of_the_api(browser: Client) -> None:
    make_member("alice")
    statuses = [log_in(browser, "alice", "not it at all").status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    assert log_in(browser, "alice").status_code == 429
    body = {
        "username": "alice",
        "password": PASSWORD,
        "device": {"name": "x", "platform": "ios", "app_version": "1"},
    }
    assert ApiClient().post("/auth/login", body, format="json").status_code == 429


@pytest.mark.django_db
def test_an_operator_stays_here_too(browser: Client) -> None:
    operator(make_member("olga"))
    page = press(browser, log_in(browser, "olga"), action="confirm")
    assert page.status_code == 403
    assert not Leaving.objects.exists()


# --- The page -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_happens_without_the_csrf_token(browser: Client) -> None:
    token = leaving.deletion_token(make_member("alice"))
    assert browser.post(DELETE, {"action": "confirm", "token": token}).status_code == 403
    assert not Leaving.objects.exists()
    assert browser.put(DELETE).status_code == 403
    assert Client().put(DELETE).status_code == 405
    assert Client().post(DELETE, {"action": "other"}).status_code == 400


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko-KR,ko;q=0.9", "igloo 계정 삭제"), ("en", "Delete your igloo account"), ("fr", "삭제")],
)
@pytest.mark.django_db
def test_it_speaks_the_readers_language_and_loads_nothing(language: str, words: str) -> None:
    for path, status in ((DELETE, 200), (RESTORE, 400), (f"{DELETE}?token=x", 400)):
        page = Client(headers={"Accept-Language": language}).get(path)
        text = page.content.decode()
        assert page.status_code == status
        assert re.findall(r'(?:src|href|url\()="?([^">]*)', text) == ["data:,"]
        assert "default-src 'none'" in page["Content-Security-Policy"]
        assert page["Referrer-Policy"] == "strict-origin"
        assert "no-store" in page["Cache-Control"]
        assert page["X-Frame-Options"] == "DENY"
    assert words in Client(headers={"Accept-Language": language}).get(DELETE).content.decode()


def in_chromium(url: str, locale: str, steps: Callable[[Page], None]) -> list[str]:
    """Do something on a page of a phone's width; what the browser asked for and complained of.

    In a thread of its own: Playwright has an event loop, beside which Django refuses to work.
    """
    said: list[str] = []

    def visit() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(locale=locale, viewport={"width": 390, "height": 844})
            page.on("request", lambda request: said.append(request.url))
            page.on("console", lambda message: said.append(message.text))
            page.goto(url)
            steps(page)
            browser.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(visit).result(timeout=60)
    return said


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Debian's Chromium")
@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
def test_in_a_real_browser(committed: None, live_server: LiveServer, locale: str) -> None:
    """Its forms pass the check of CSRF, and it asks nobody but us for anything."""
    alice = make_member("alice")
    widths: list[int] = []

    def leave(page: Page) -> None:
        widths.append(page.evaluate("document.documentElement.scrollWidth"))
        page.fill("#username", "alice")
        page.fill("#password", PASSWORD)
        page.locator("form").nth(1).locator("button").click()
        page.locator("button.danger").click()
        page.locator("button").wait_for()

    said = in_chromium(f"{live_server.url}{DELETE}", locale, leave)
    row = Leaving.objects.get()

    def come_back(page: Page) -> None:
        widths.append(page.evaluate("document.documentElement.scrollWidth"))
        page.locator("button").click()
        page.locator("button").wait_for(state="detached")

    token = leaving.return_token(row)
    said += in_chromium(f"{live_server.url}{RESTORE}?token={token}", locale, come_back)
    assert Member.objects.get(pk=alice.pk).is_active
    assert len(said) >= 5
    assert all(line.startswith((live_server.url, "data:")) for line in said), said
    assert widths == [390, 390]
