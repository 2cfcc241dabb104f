"""/account/delete/{provider}: whose account a login deletes, and whose not."""

import pytest
from django.conf import settings
from django.test import Client

from apps.common import sealing
from apps.members.models import (
    Leaving,
    Member,
    PendingUnlink,
    SocialIdentity,
    SpentCredential,
)
from apps.members.services import (
    account_state,
    identities,
    leaving,
    provider_notices,
)
from apps.members.services.passwords import reset_password
from igloo.laptop.providers.world import World
from tests.background import run_tasks
from tests.builders import PASSWORD, operator, suspended
from tests.members.deletion import (
    PROVIDERS,
    answer_for,
    member_of,
)
from tests.members.deletion import at_public_address as at_public_address
from tests.members.deletion import browser as browser
from tests.members.social import JUN, MINJI, Unchanged
from tests.members.test_account_pages import RESTORE, press

pytestmark = pytest.mark.usefixtures("db", "providers")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed")
def test_a_login_of_nobody_here_leaves_nothing(
    browser: Client, providers: World, provider: str
) -> None:
    """Not by somebody's address either."""
    member = member_of(provider, JUN, "jun")
    Member.objects.filter(pk=member.pk).update(email=MINJI.email, email_verified=True)
    with Unchanged():
        page = browser.get(answer_for(browser, provider))
    assert page.status_code == 404
    assert "No account here has this login" in page.text
    assert "token" not in page.text
    given = list(providers.refresh_tokens)
    assert PendingUnlink.objects.count() == (provider in ("apple", "kakao"))
    run_tasks()
    assert not PendingUnlink.objects.exists()
    expected = {"apple": given, "kakao": [f"kakao {MINJI.subject('kakao')}"]}
    assert providers.ended == expected.get(provider, [])


@pytest.mark.parametrize("ends", ["unlinked", "a notice", "linked again", "at the last moment"])
def test_without_the_login_its_page_deletes_nothing(
    browser: Client, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    alice = member_of("kakao")
    reset_password(member=alice, new_password=PASSWORD)
    confirm = browser.get(answer_for(browser, "kakao"))
    find = leaving.member_of_deletion

    def unlink() -> None:
        identities.unlink_identity(member=alice, provider="kakao")

    def unlinked_meanwhile(token: str) -> Member:
        member = find(token)
        unlink()
        return member

    match ends:
        case "at the last moment":
            monkeypatch.setattr(leaving, "member_of_deletion", unlinked_meanwhile)
        case "a notice":
            subject = MINJI.subject("kakao")
            provider_notices.end_identity(provider="kakao", event="test", subject=subject)
        case _:
            unlink()
    if ends == "linked again":
        SocialIdentity.objects.create(
            member=alice, provider="kakao", subject=MINJI.subject("kakao")
        )
    page = press(browser, confirm, action="confirm")
    assert page.status_code == 400
    assert "This link is not valid any more." in page.text
    assert not Leaving.objects.exists()


def test_a_suspended_member_may(browser: Client) -> None:
    alice = suspended(member_of("naver"))
    press(browser, browser.get(answer_for(browser, "naver")), action="confirm")
    assert Leaving.objects.get().member_id == alice.pk


def test_an_operator_stays(browser: Client) -> None:
    operator(member_of("google"))
    page = press(browser, browser.get(answer_for(browser, "google")), action="confirm")
    assert page.status_code == 403
    assert not Leaving.objects.exists()


def test_who_has_left_gets_the_way_back(browser: Client) -> None:
    alice = member_of("apple")
    leaving.leave(member=alice)
    page = browser.get(answer_for(browser, "apple"))
    assert page.status_code == 200
    assert "You can come back" in page.text
    assert press(browser, page, RESTORE).status_code == 200
    assert Member.objects.get().is_active


@pytest.mark.parametrize("provider", ["apple", "kakao", "facebook"])
def test_also_whose_login_the_provider_has_ended(
    browser: Client, providers: World, provider: str
) -> None:
    alice = member_of(provider)
    subject = MINJI.subject(provider)
    provider_notices.end_identity(provider=provider, event="test", subject=subject)
    page = browser.get(answer_for(browser, provider))
    assert page.status_code == 200
    assert "You can come back" in page.text
    assert SpentCredential.objects.get().member_id == alice.pk
    # Told of an end, the provider would throw out who comes back.
    assert not PendingUnlink.objects.exists()
    assert not SocialIdentity.objects.exists()


def test_of_an_account_that_an_operator_closed_nothing_is_told(
    browser: Client, providers: World
) -> None:
    alice = member_of("kakao")
    account_state.set_open(member=alice, is_open=False)
    page = browser.get(answer_for(browser, "kakao"))
    assert page.status_code == 404
    assert "alice" not in page.text
    # It is theirs all the same, and they may come back one day.
    assert not PendingUnlink.objects.exists()


def test_apples_token_is_kept_where_there_is_none(browser: Client, providers: World) -> None:
    """It is what erasing revokes; the one of the app does as well."""
    member_of("apple")
    browser.get(answer_for(browser, "apple"))
    identity = SocialIdentity.objects.get()
    assert (
        sealing.unseal(identity.refresh_token, settings.SOCIAL_TOKEN_KEYS)
        in providers.refresh_tokens
    )
    assert identity.client_id == providers.values["APPLE_SERVICES_ID"]
    browser.get(answer_for(browser, "apple"))
    assert SocialIdentity.objects.get().refresh_token == identity.refresh_token
