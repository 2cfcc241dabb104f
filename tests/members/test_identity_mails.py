"""What a member is told by mail of the logins that are linked to the account."""

import re

import pytest
from django.test import Client

from apps.members.models import Member, SocialIdentity
from apps.members.services import links, passwords
from apps.tasks.models import BackgroundTask
from igloo.laptop.providers.world import World
from tests.builders import PASSWORD, ApiClient, confirmed, make_member, operator
from tests.members.mailbox import mails_to
from tests.members.social import JUN, MINJI, assert_refused, id_token_login, token_login
from tests.members.test_sessions import change_password
from tests.members.test_social_identities import link
from tests.members.webhooks import send

ADDRESS = "alice@example.com"
NEW = "a much longer one"


@pytest.fixture
def client(db: None) -> ApiClient:
    """Alice's, who has a confirmed address and reads English."""
    member = confirmed(make_member("alice"), ADDRESS)
    member.locale = Member.Locale.EN
    member.save(update_fields=["locale"])
    return ApiClient(member)


def test_a_login_that_is_linked_and_unlinked_is_told_of_once_each(
    client: ApiClient, providers: World
) -> None:
    body = token_login(client, providers, "kakao")
    for _ in range(2):
        assert link(client, "kakao", body).status_code == 204
    for _ in range(2):
        assert client.delete("/me/identities/kakao").status_code == 204
    first, second = mails_to(ADDRESS)
    assert first.subject == "Kakao was linked to your account"
    assert re.search(r"Since 20\d\d-\d\d-\d\d \d\d:\d\d \(Korean time\) @alice on", first.body)
    assert "A new password alone does not end this login." in first.body
    assert second.subject == "Kakao was unlinked from your account"


@pytest.mark.parametrize("provider", ["kakao", "apple", "facebook"])
def test_a_login_that_was_ended_at_its_provider_is_told_of_once(
    client: ApiClient, providers: World, provider: str
) -> None:
    link(client, provider, id_token_login(client, providers, provider))
    before = len(mails_to(ADDRESS))
    for _ in range(2):
        assert send(Client(), providers, provider).status_code == 200
    [message] = mails_to(ADDRESS)[before:]
    assert message.subject == f"{provider.title()} was unlinked from your account"


def test_an_operator_whose_last_login_was_ended_is_told_too(
    client: ApiClient, providers: World
) -> None:
    """They do not leave with it, but every device is logged out."""
    link(client, "kakao", token_login(client, providers, "kakao"))
    passwords.reset_password(member=client.member, new_password=None)
    operator(client.member)
    before = len(mails_to(ADDRESS))
    assert send(Client(), providers, "kakao").status_code == 200
    [message] = mails_to(ADDRESS)[before:]
    assert message.subject == "Kakao was unlinked from your account"
    assert Member.objects.get().is_active


def test_where_it_was_the_last_login_leaving_is_told_alone(
    client: ApiClient, providers: World
) -> None:
    link(client, "kakao", token_login(client, providers, "kakao"))
    passwords.reset_password(member=Member.objects.get(), new_password=None)
    before = len(mails_to(ADDRESS))
    assert send(Client(), providers, "kakao").status_code == 200
    [message] = mails_to(ADDRESS)[before:]
    assert message.subject == "Your igloo account will be deleted"


def test_it_is_told_in_korean(client: ApiClient, providers: World) -> None:
    Member.objects.update(locale="ko")
    link(client, "kakao", token_login(client, providers, "kakao"))
    client.delete("/me/identities/kakao")
    passwords.reset_password(member=Member.objects.get(), new_password=NEW)
    assert [message.subject for message in mails_to(ADDRESS)] == [
        "계정에 카카오 로그인이 연결되었어요",
        "계정에서 카카오 로그인 연결이 끊겼어요",
        "비밀번호가 변경되었어요",
    ]


def test_what_was_refused_is_not_told(client: ApiClient, providers: World) -> None:
    assert link(client, "kakao", {"access_token": "made-up"}).status_code == 401
    assert client.delete("/me/identities/kakao").status_code == 204
    link(client, "kakao", token_login(client, providers, "kakao"))
    assert link(client, "kakao", token_login(client, providers, "kakao", JUN)).status_code == 409
    assert len(mails_to(ADDRESS)) == 1


def test_an_address_that_nobody_confirmed_is_told_nothing(
    client: ApiClient, providers: World
) -> None:
    Member.objects.update(email_verified=False)
    link(client, "kakao", token_login(client, providers, "kakao"))
    client.delete("/me/identities/kakao")
    assert mails_to(ADDRESS) == []
    assert not BackgroundTask.objects.filter(task_path__endswith="mail_identity_changed").exists()


def test_a_new_password_is_told_with_the_logins_that_it_does_not_end(
    client: ApiClient, providers: World
) -> None:
    assert change_password(client, current_password=PASSWORD, new_password=NEW).status_code == 204
    [message] = mails_to(ADDRESS)
    assert "and other devices were logged out." in message.body
    assert "can still be logged in to" not in message.body

    link(client, "google", id_token_login(client, providers, "google"))
    link(client, "kakao", token_login(client, providers, "kakao"))
    token = links.reset_token(Member.objects.get())
    passwords.confirm_reset(token=token, new_password=PASSWORD, network="192.0.2.0/24")
    message = mails_to(ADDRESS)[-1]
    assert "and all devices were logged out." in message.body
    assert "can still be logged in to with: Google, Kakao." in message.body


# --- The account's own address ------------------------------------------------------------------
@pytest.mark.parametrize("provider", ["google", "apple"])
@pytest.mark.parametrize("address", [MINJI.email, "Minji@Example.COM"])
def test_a_login_with_the_same_verified_address_confirms_it(
    alice: ApiClient, providers: World, provider: str, address: str
) -> None:
    alice.patch("/me", {"email": address}, format="json")
    version = Member.objects.get().version
    assert link(alice, provider, id_token_login(alice, providers, provider)).status_code == 204
    me = alice.get("/me").json()
    assert (me["email"], me["email_verified"]) == (address, True)
    # A phone that knows the account by its ETag hears of it.
    assert Member.objects.get().version == version + 1
    assert "Google" in mails_to(address)[-1].subject or "Apple" in mails_to(address)[-1].subject


@pytest.mark.parametrize(
    ("provider", "own", "claims"),
    [
        ("google", "other@example.com", {}),
        ("google", "", {}),
        ("google", MINJI.email, {"email_verified": False}),
        ("google", MINJI.email, {"email_verified": "true"}),
        ("apple", MINJI.email, {"email_verified": "false"}),
        ("google", MINJI.email, {"email": None}),
        ("google", "", {"email": ""}),
        ("kakao", MINJI.email, {"email_verified": True}),
        ("facebook", MINJI.email, {"email_verified": True}),
    ],
)
def test_any_other_login_confirms_no_address(
    alice: ApiClient, providers: World, provider: str, own: str, claims: dict[str, object]
) -> None:
    Member.objects.update(email=own)
    before = Member.objects.values().get()
    body = id_token_login(alice, providers, provider, **claims)
    assert link(alice, provider, body).status_code == 204
    assert Member.objects.values().get() == before


def test_a_login_that_is_refused_confirms_no_address(alice: ApiClient, providers: World) -> None:
    Member.objects.update(email=MINJI.email)
    assert alice.member is not None
    other = SocialIdentity.objects.create(member=alice.member, provider="google", subject="another")
    body = id_token_login(alice, providers, "google")
    assert_refused(link(alice, "google", body), 409, "provider_linked")
    assert not Member.objects.get().email_verified
    other.delete()
    assert link(alice, "google", body).status_code == 204
    Member.objects.update(email_verified=False)
    # Nor does one that was used: the same again is answered, and does nothing.
    assert link(alice, "google", body).status_code == 204
    assert not Member.objects.get().email_verified
