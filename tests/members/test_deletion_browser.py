"""Deleting an account by a login at a provider in a real browser, without JavaScript."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import BrowserContext, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.members.models import Leaving, Member
from igloo.laptop.providers.world import World
from tests.members.deletion import DELETE, PROVIDERS, member_of
from tests.members.social import JUN, MINJI

pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="needs Debian's Chromium")


@pytest.fixture
def url(
    committed: None,
    providers: World,
    live_server: LiveServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A real server, whose address the providers know."""
    settings.PUBLIC_BASE_URL = live_server.url
    monkeypatch.setitem(providers.values, "PUBLIC_BASE_URL", live_server.url)  # type: ignore[arg-type]
    return live_server.url


def delete(context: BrowserContext, start: str, provider: str, who: str) -> str:
    """Press the buttons and links of all pages in turn; the last one's heading, and its problem."""
    page = context.new_page()
    page.goto(start)
    page.locator(f'form[action$="/{provider}"] button').click()
    page.get_by_role("link", name=who).click()
    if page.locator("button.danger").count():
        page.locator("button.danger").click()
    said = " ".join(page.locator("h1, [role=alert]").all_inner_texts())
    page.close()
    return said


def test_from_another_name_of_ours(url: str, settings: Settings) -> None:
    """The button leads to the page under the public name first; pressed there, it goes on."""
    member_of("kakao")
    start = url.replace("localhost", "127.0.0.1") + DELETE
    said: list[str] = []

    def visit() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(locale="en-US")
            page.goto(start)
            for _ in range(2):
                page.locator('form[action$="/kakao"] button').click()
                said.append(page.url.partition("?")[0])
            page.get_by_role("link", name=MINJI.name).click()
            said.append(page.locator("h1").inner_text())
            browser.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(visit).result(timeout=120)
    kakao = f"{settings.SOCIAL['kakao']['auth_url']}/oauth/authorize"
    assert said == [f"{url}{DELETE}", kakao, "Delete the account alice?"]


def test_all_five_without_javascript(url: str, providers: World) -> None:
    members = {name: member_of(name, username=f"of_{name}") for name in PROVIDERS}
    said: dict[str, list[str]] = {}
    complaints: list[str] = []
    kept: set[str] = set()

    def visit() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            context = browser.new_context(
                locale="en-US", java_script_enabled=False, viewport={"width": 390, "height": 844}
            )
            context.on("console", lambda message: complaints.append(message.text))
            for name in PROVIDERS:
                said[name] = [
                    delete(context, f"{url}{DELETE}", name, who)
                    for who in ("Cancel", JUN.name, MINJI.name)
                ]
                kept.update(cookie.get("name", "") for cookie in context.cookies())
            browser.close()

    # In a thread of its own: Playwright has an event loop, beside which Django refuses to work.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(visit).result(timeout=120)
    assert {name: said[name][1:] for name in PROVIDERS} == {
        name: ["No account here has this login", "Your account will be deleted"]
        for name in PROVIDERS
    }
    for name in PROVIDERS:
        assert f"You did not log in with {name.title()}. Nothing was deleted." in said[name][0]
    assert {row.member_id for row in Leaving.objects.all()} == {
        member.pk for member in members.values()
    }
    assert not Member.objects.filter(is_active=True).exists()
    assert kept == {"csrftoken"}
    # The browser's own word on a form that may not lead where it leads, say; a status is no fault.
    assert not [text for text in complaints if "Content Security Policy" in text]
