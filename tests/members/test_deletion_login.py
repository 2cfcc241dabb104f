"""/account/delete/{provider}: deleting an account with a login at a provider as the proof."""

import re
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from apps.members.models import (
    DeviceSession,
    Leaving,
    Member,
    PendingUnlink,
    SocialNonce,
    SpentCredential,
)
from apps.members.services import (
    browser_login,
    proofs,
)
from apps.tasks.models import BackgroundTask
from igloo.laptop.providers.world import World, challenge_of
from tests.builders import ApiClient
from tests.concurrency import at_once
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
from tests.members.social import Unchanged, assert_refused, log_in
from tests.members.test_account_pages import RESTORE, press
from tests.members.test_social_outages import later as pause_is_over

pytestmark = pytest.mark.usefixtures("db", "providers")


# --- The way through ----------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_login_is_proof_enough(browser: Client, providers: World, provider: str) -> None:
    alice = member_of(provider)
    answer = begin(browser, provider)
    assert answer.status_code == 303
    confirm = browser.get(choose(answer["Location"]))
    assert confirm.status_code == 200
    assert "Delete the account alice?" in confirm.text
    assert Member.objects.get().is_active
    # Nobody was logged in for it, and what proved it is used up.
    assert DeviceSession.objects.count() == 1
    assert not SocialNonce.objects.exists()
    assert SpentCredential.objects.get().member_id == alice.pk
    assert COOKIE not in {name for name, morsel in browser.cookies.items() if morsel.value}

    left = press(browser, confirm, action="confirm")
    assert "Your account will be deleted" in left.text
    assert Leaving.objects.get().member_id == alice.pk
    assert press(browser, left, RESTORE).status_code == 200
    assert Member.objects.get().is_active


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_provider_is_asked(browser: Client, providers: World, provider: str) -> None:
    answer = begin(browser, provider, next="https://evil.example", redirect_uri="https://evil")
    there = urlsplit(answer["Location"])
    query = query_of(answer["Location"])
    assert (
        f"{there.scheme}://{there.netloc}"
        == urlsplit(providers.values["APPLE_URL"])._replace(path="").geturl()
    )
    assert query["redirect_uri"] == f"http://localhost:8000{DELETE}/{provider}"
    assert query["response_type"] == "code"
    assert len(query["state"]) >= 43
    assert ("nonce" in query) == (provider in ("kakao", "apple", "google"))
    # Nothing but who it is: Apple would post its answer for a name or an address.
    assert query.get("scope", "openid") == "openid"
    assert query.get("response_mode", "query") == "query"
    assert ("code_challenge" in query) == (provider in ("kakao", "google", "facebook"))
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert (cookie["max-age"], cookie["secure"], cookie["domain"]) == (600, "", "")
    assert "no-store" in answer["Cache-Control"]
    # Each login begins anew.
    again = query_of(begin(browser, provider)["Location"])
    assert again["state"] != query["state"]
    assert again.get("nonce", "none") != query.get("nonce")
    assert again.get("code_challenge", "none") != query.get("code_challenge")


def test_with_https_no_other_host_can_set_the_cookie(browser: Client, settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "https://api.example.com"
    answer = begin(browser, "kakao")
    cookie = answer.cookies[f"__Host-{COOKIE}"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    assert COOKIE not in answer.cookies
    query = query_of(answer["Location"])
    assert query["redirect_uri"] == f"https://api.example.com{DELETE}/kakao"
    code = urlencode({"code": "x", "state": query["state"], "error": "access_denied"})
    page = browser.get(f"{DELETE}/kakao?{code}", secure=True)
    assert "You did not log in with Kakao" in page.text
    gone = page.cookies[f"__Host-{COOKIE}"]
    assert (gone.value, gone["max-age"], gone["secure"]) == ("", 0, True)


def test_the_page_leads_to_those_providers_and_nowhere_else(
    browser: Client, providers: World, settings: Settings
) -> None:
    page = browser.get(DELETE)
    policy = page["Content-Security-Policy"]
    here = "{0.scheme}://{0.netloc}".format(urlsplit(providers.values["APPLE_URL"]))
    assert f"form-action 'self' http://localhost:8000 {here} https://*.kakao.com " in policy
    member_of("kakao")
    confirm = browser.get(answer_for(browser, "kakao"))
    assert "form-action 'self';" in confirm["Content-Security-Policy"]
    for config in settings.SOCIAL.values():
        config["has_web_login"] = False
    page = browser.get(DELETE)
    assert "Continue with" not in page.text
    assert "form-action 'self';" in page["Content-Security-Policy"]


def test_a_login_begins_where_its_answer_comes_to(browser: Client) -> None:
    """Under another name of ours, as 127.0.0.1 for localhost, its cookie would not be there."""
    token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(DELETE).text)[0]
    form = {"csrfmiddlewaretoken": token}
    answer = browser.post(f"{DELETE}/kakao", form, headers={"Origin": "http://testserver"})
    assert (answer.status_code, answer["Location"]) == (303, f"http://localhost:8000{DELETE}")
    assert COOKIE not in answer.cookies
    answer = browser.post(
        f"{DELETE}/kakao",
        form,
        headers={"Origin": "http://localhost:8000", "Host": "localhost:8000"},
    )
    assert answer.status_code == 303
    assert COOKIE in answer.cookies


@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_cancels(browser: Client, providers: World, provider: str) -> None:
    member_of(provider)
    back = answer_for(browser, provider, "nobody")
    providers.calls.clear()
    page = browser.get(back)
    assert page.status_code == 200
    assert f"You did not log in with {provider.title()}. Nothing was deleted." in page.text
    assert providers.calls == []
    assert not SpentCredential.objects.exists()
    # The login is over.
    assert browser.get(back).status_code == 400


@pytest.mark.parametrize(
    ("error", "status"),
    [("server_error", 503), ("temporarily_unavailable", 503), ("<script>", 400), ("x\0", 400)],
)
def test_what_else_the_provider_says(browser: Client, error: str, status: int) -> None:
    query = query_of(begin(browser, "kakao")["Location"])
    page = browser.get(f"{DELETE}/kakao", {"error": error, "state": query["state"]})
    assert page.status_code == status
    assert "<script>" not in page.text


# --- At once, and too often ---------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once(browser: Client, providers: World) -> None:
    member_of("kakao")
    back = answer_for(browser, "kakao")
    cookie = browser.cookies[COOKIE].value

    def open_it() -> int:
        twin = new_browser()
        twin.cookies[COOKIE] = cookie
        return twin.get(back).status_code

    assert sorted(at_once(open_it, open_it)) == [200, 400]
    assert SpentCredential.objects.count() == 1


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.usefixtures("committed")
@pytest.mark.django_db(transaction=True)
def test_two_that_the_provider_has_confirmed_at_once(
    browser: Client, providers: World, is_known: bool
) -> None:
    if is_known:
        member_of("kakao")
    answer = query_of(answer_for(browser, "kakao"))
    credentials = browser_login.login_of(
        provider="kakao", cookie=browser.cookies[COOKIE].value, state=answer["state"]
    )
    evidence = proofs.verify(
        provider="kakao", credentials=replace(credentials, code=answer["code"])
    )
    BackgroundTask.objects.all().delete()

    def spend() -> str:
        try:
            return str(browser_login.spend(evidence))
        except browser_login.NonceInvalid:
            return "refused"

    results = at_once(spend, spend)
    assert results.count("refused") == 1
    assert BackgroundTask.objects.count() == PendingUnlink.objects.count() == (not is_known)


def test_one_address_asks_so_often(browser: Client, settings: Settings) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"social_login": (2, 60)}
    assert begin(browser, "kakao").status_code == 303
    assert browser.get(f"{DELETE}/kakao").status_code == 400
    page = begin(browser, "kakao")
    assert (page.status_code, page["Retry-After"].isdigit()) == (429, True)
    assert browser.get(f"{DELETE}/kakao").status_code == 429
    assert SocialNonce.objects.count() == 1


# --- Providers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_while_the_provider_is_down(browser: Client, providers: World, provider: str) -> None:
    member_of(provider)
    back = answer_for(browser, provider)
    providers.down.add(provider)
    with Unchanged():
        page = browser.get(back)
    assert page.status_code == 503
    assert page["Retry-After"].isdigit()
    assert "is not available right now" in page.text
    providers.down.clear()
    pause_is_over(provider)
    # The same address, when it is loaded again.
    assert "Delete the account alice?" in browser.get(back).text


@pytest.mark.parametrize("provider", [*PROVIDERS, "line", "KAKAO", "kakao\0"])
def test_a_provider_that_is_not_for_the_web(
    browser: Client, settings: Settings, provider: str
) -> None:
    if provider in PROVIDERS:
        settings.SOCIAL[provider]["has_web_login"] = False
        assert f"{DELETE}/{provider}" not in browser.get(DELETE).text
    for page in (begin(browser, provider), browser.get(f"{DELETE}/{provider}?code=x&state=x")):
        assert page.status_code == 404
        assert "This way of logging in is not available." in page.text
    assert not SocialNonce.objects.exists()


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("kakao", "client_secret"),
        ("apple", "key_id"),
        ("google", "web_client_secret"),
        ("facebook", "app_secret"),
        ("naver", "client_secret"),
    ],
)
def test_a_wrong_secret_is_a_fault_of_ours(
    browser: Client, settings: Settings, provider: str, name: str
) -> None:
    member_of(provider)
    settings.SOCIAL[provider][name] = "another"
    page = browser.get(answer_for(browser, provider))
    assert page.status_code == 503


def test_what_the_app_uses_is_another_nonce(browser: Client, providers: World) -> None:
    """Naver's exchange names no address: a code that the page was sent would do in the app."""
    member_of("naver")
    answer = query_of(answer_for(browser, "naver"))
    with Unchanged():
        refused = log_in(ApiClient(), "naver", code=answer["code"], nonce=answer["state"])
        assert_refused(refused, 401, "nonce_invalid")


def test_the_code_challenge_is_the_one_of_the_rfc() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    expected = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert browser_login._challenge(verifier) == challenge_of(verifier) == expected
