"""/account/delete/{provider}: answers that are not of a login that began in this browser."""

import time
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from apps.members.models import Leaving
from apps.members.services import browser_login
from igloo.laptop.providers.world import World
from tests.members.deletion import (
    COOKIE,
    DELETE,
    PROVIDERS,
    answer_for,
    begin,
    choose,
    member_of,
    new_browser,
    query_of,
)
from tests.members.deletion import at_public_address as at_public_address
from tests.members.deletion import browser as browser
from tests.members.social import JUN, Unchanged
from tests.members.test_account_pages import press
from tests.members.test_social_demo import get

pytestmark = pytest.mark.usefixtures("db", "providers")
FOREIGN = "This login did not begin in this browser, or took too long. Start again."


def refused(browser: Client, providers: World, path: str) -> str:
    """The page of a refusal, before which the provider was not even asked."""
    providers.calls.clear()
    with Unchanged():
        page = browser.get(path)
    assert page.status_code == 400
    assert providers.calls == []
    assert "Delete the account" not in page.text
    return page.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_another_browsers_answer(browser: Client, providers: World, provider: str) -> None:
    """Login CSRF: a stranger has somebody open the answer to a login of their own."""
    member_of(provider)
    theirs = answer_for(new_browser(), provider)
    assert FOREIGN in refused(browser, providers, theirs)
    # Also while that somebody logs in, which then goes on.
    mine = answer_for(browser, provider)
    assert FOREIGN in refused(browser, providers, theirs)
    assert "Delete the account alice?" in browser.get(mine).text


@pytest.mark.parametrize(
    "spoil",
    [
        "no state",
        "empty state",
        "another state",
        "nul",
        "no cookie",
        "empty cookie",
        "forged cookie",
        "cookie of another login",
        "cookie of another provider",
        "signed for something else",
        "old cookie",
    ],
)
def test_a_state_that_is_not_of_this_login(
    browser: Client, providers: World, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    member_of("kakao")
    path = answer_for(browser, "kakao")
    state = query_of(path)["state"]
    cookie = browser.cookies[COOKIE].value
    match spoil:
        case "no state":
            path = path.replace(f"state={state}", "x=1")
        case "empty state":
            path = path.replace(state, "")
        case "another state":
            path = path.replace(state, state[::-1])
        case "nul":
            path = path.replace(state, "%00%ed%a0%80")
        case "no cookie":
            del browser.cookies[COOKIE]
        case "empty cookie":
            browser.cookies[COOKIE] = ""
        case "forged cookie":
            value = signing.loads(cookie, salt=browser_login._SALT)
            with monkeypatch.context() as patch:
                patch.setattr("django.conf.settings.SECRET_KEY", "a guess")
                browser.cookies[COOKIE] = signing.dumps(value, salt=browser_login._SALT)
        case "cookie of another login":
            other = new_browser()
            begin(other, "kakao")
            browser.cookies[COOKIE] = other.cookies[COOKIE].value
        case "cookie of another provider":
            value = ["naver", *signing.loads(cookie, salt=browser_login._SALT)[1:]]
            browser.cookies[COOKIE] = signing.dumps(value, salt=browser_login._SALT)
        case "signed for something else":
            value = signing.loads(cookie, salt=browser_login._SALT)
            browser.cookies[COOKIE] = signing.dumps(value, salt="another")
        case "old cookie":
            value = signing.loads(cookie, salt=browser_login._SALT)
            with monkeypatch.context() as patch:
                then = time.time() - 601
                patch.setattr("time.time", lambda: then)
                browser.cookies[COOKIE] = signing.dumps(value, salt=browser_login._SALT)
    assert FOREIGN in refused(browser, providers, path)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_same_answer_again(browser: Client, providers: World, provider: str) -> None:
    member_of(provider)
    path = answer_for(browser, provider)
    cookie = browser.cookies[COOKIE].value
    assert browser.get(path).status_code == 200
    assert FOREIGN in refused(browser, providers, path)
    # Whoever kept the cookie too.
    browser.cookies[COOKIE] = cookie
    assert "took too long or was used before" in refused(browser, providers, path)
    assert not Leaving.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("whose", ["another's", "another provider's", "another app's"])
def test_a_code_of_another_login(
    browser: Client, providers: World, provider: str, whose: str
) -> None:
    """A code that was stolen, under a state and a cookie of the thief's own."""
    member_of(provider)
    path = answer_for(browser, provider, "1")  # Jun's, who has no account
    mine = query_of(path)["code"]
    victim = new_browser()
    match whose:
        case "another's":
            stolen = query_of(answer_for(victim, provider))["code"]
        case "another provider's":
            other = PROVIDERS[PROVIDERS.index(provider) - 1]
            stolen = query_of(answer_for(victim, other))["code"]
        case _:
            login = providers.login(provider, JUN, client_id="com.example.other")
            stolen = providers.code(login)
    with Unchanged():
        page = browser.get(path.replace(mine, stolen))
    assert page.status_code == 400
    assert "The login could not be confirmed." in page.text
    assert not Leaving.objects.exists()


@pytest.mark.parametrize("code", ["", "a b", "코드", "a\0", "a\r\nX: y", "x" * 4097, None])
@pytest.mark.parametrize("provider", ["kakao", "naver"])
def test_what_is_no_code(
    browser: Client, providers: World, provider: str, code: str | None
) -> None:
    query: dict[str, Any] = {"state": query_of(begin(browser, provider)["Location"])["state"]}
    if code is not None:
        query["code"] = code
    providers.calls.clear()
    with Unchanged():
        page = browser.get(f"{DELETE}/{provider}", query)
    assert page.status_code == 400
    assert providers.calls == []


def test_only_our_own_page_begins_a_login(browser: Client) -> None:
    with Unchanged():
        assert browser.post(f"{DELETE}/kakao").status_code == 403
        assert Client().get(f"{DELETE}/kakao").status_code == 400
        # An answer counts once: who only looks does not use it up.
        assert Client().head(f"{DELETE}/kakao").status_code == 405
        assert Client().put(f"{DELETE}/kakao").status_code == 405


def test_the_button_of_the_answers_page_needs_its_token(browser: Client) -> None:
    member_of("naver")
    confirm = browser.get(answer_for(browser, "naver"))
    assert press(browser, confirm, action="confirm", token="").status_code == 400
    assert not Leaving.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_sends_nobody_elsewhere(
    browser: Client, providers: World, provider: str
) -> None:
    """The stand-ins refuse what the real ones do: an address that is not registered."""
    address = begin(browser, provider)["Location"]
    ours = query_of(address)["redirect_uri"]
    quoted = ours.replace(":", "%3A").replace("/", "%2F")
    assert quoted in address
    for other in ("https%3A%2F%2Fevil.example", f"{quoted}%2Fx", ""):
        status, page, back = get(address.replace(quoted, other) + "&person=0")
        assert (status, back) == (400, "")
        assert "redirect_uri" in page
    assert choose(address).startswith(f"{DELETE}/{provider}?")
