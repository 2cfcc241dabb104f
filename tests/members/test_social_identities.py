"""/me/identities: linking, unlinking, and telling a provider of the end."""

from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command

from apps.common import sealing
from apps.members import tasks
from apps.members.errors import ProviderUnavailable
from apps.members.models import Member, PendingUnlink, SocialIdentity
from apps.members.services import identities, passwords
from apps.tasks.models import BackgroundTask
from igloo.laptop.providers.world import World
from tests.builders import PASSWORD, ApiClient, confirmed, make_member, suspended
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.members.mailbox import mails_to, token_in
from tests.members.social import (
    JUN,
    MINJI,
    NEW_MEMBER,
    WAYS,
    Unchanged,
    assert_refused,
    code_login,
    id_token_login,
    join,
    log_in,
    token_login,
)

pytestmark = pytest.mark.django_db
ALL_WAYS = [pytest.param(*way, id=" ".join(way)) for way in WAYS]


def link(client: ApiClient, provider: str, body: dict[str, str]) -> Any:
    return client.put(f"/me/identities/{provider}", body, format="json")


def linked(client: ApiClient) -> list[str]:
    return [item["provider"] for item in client.get("/me/identities").json()["items"]]


def social_member(providers: World, provider: str = "kakao") -> ApiClient:
    """Somebody whose only way in is this one."""
    return ApiClient(join(ApiClient(), providers, provider))


def kept_token() -> str:
    """Apple's refresh token, as it is kept with the only identity there is."""
    return sealing.unseal(SocialIdentity.objects.get().refresh_token, settings.SOCIAL_TOKEN_KEYS)


@pytest.mark.parametrize(("provider", "kind"), ALL_WAYS)
def test_a_member_links_another_login_and_logs_in_with_it(
    alice: ApiClient, anonymous: ApiClient, providers: World, provider: str, kind: str
) -> None:
    way = WAYS[provider, kind]
    body = way(anonymous, providers, provider)
    assert link(alice, provider, body).status_code == 204
    [item] = alice.get("/me/identities").json()["items"]
    assert (item["provider"], set(item)) == (provider, {"provider", "linked_at"})
    assert alice.get(f"/me/identities/{provider}").json() == item
    response = log_in(anonymous, provider, **way(anonymous, providers, provider))
    assert response.json()["member"]["username"] == "alice"

    # The phone lost the answer and sends the same again; another one may not.
    with Unchanged():
        assert link(alice, provider, body).status_code == 204
        response = log_in(anonymous, provider, **body)
        assert_refused(response, 401, response.json()["code"])


def test_a_ticket_links_too_and_again(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient, providers: World
) -> None:
    body = code_login(anonymous, providers, "naver")
    ticket = log_in(anonymous, "naver", **body).json()["social_ticket"]
    for _ in range(2):
        assert link(alice, "naver", {"social_ticket": ticket}).status_code == 204
    with Unchanged():
        assert_refused(link(bob, "naver", {"social_ticket": ticket}), 401, "social_token_used")
        assert_refused(link(alice, "kakao", {"social_ticket": ticket}), 401, "social_token_invalid")


def test_a_login_of_another_member(alice: ApiClient, providers: World) -> None:
    other = social_member(providers)
    with Unchanged():
        body = token_login(other, providers, "kakao")
        assert_refused(link(alice, "kakao", body), 409, "identity_taken")
    assert linked(other) == ["kakao"]


def test_a_second_login_of_the_same_provider(providers: World) -> None:
    client = social_member(providers)
    with Unchanged():
        body = token_login(client, providers, "kakao", JUN)
        assert_refused(link(client, "kakao", body), 409, "provider_linked")
    # The one that there is: nothing to do.
    assert link(client, "kakao", token_login(client, providers, "kakao")).status_code == 204


def test_linking_needs_as_good_a_proof_as_logging_in(alice: ApiClient, providers: World) -> None:
    body = token_login(alice, providers, "kakao", app_id="999")
    with Unchanged():
        assert_refused(link(alice, "kakao", body), 401, "social_token_invalid")
        assert_refused(link(alice, "kakao", {}), 400, "invalid_input")
        body = {"subject": MINJI.subject("kakao"), "access_token": "made-up"}
        assert_refused(link(alice, "kakao", body), 401, "social_token_invalid")


def test_unlinking_is_idempotent(alice: ApiClient, bob: ApiClient, providers: World) -> None:
    link(alice, "google", id_token_login(alice, providers, "google"))
    assert bob.delete("/me/identities/google").status_code == 204
    assert linked(alice) == ["google"]
    for _ in range(2):
        assert alice.delete("/me/identities/google").status_code == 204
    assert linked(alice) == []


def test_the_last_way_in_has_to_stay(providers: World) -> None:
    client = social_member(providers)
    assert client.member is not None
    with Unchanged():
        assert_refused(client.delete("/me/identities/kakao"), 409, "last_login_method")
        # What is not linked goes without a word.
        assert client.delete("/me/identities/naver").status_code == 204
    assert not PendingUnlink.objects.exists()
    link(client, "google", id_token_login(client, providers, "google"))
    assert client.delete("/me/identities/kakao").status_code == 204
    assert_refused(client.delete("/me/identities/google"), 409, "last_login_method")
    # As the refusal says: a password is chosen by a mail.
    confirmed(client.member, "minji@example.com")
    anonymous = ApiClient()
    anonymous.post("/auth/password/reset", {"email": "minji@example.com"}, format="json")
    body = {"token": token_in(mails_to("minji@example.com")[-1]), "new_password": PASSWORD}
    answer = anonymous.post("/auth/password/reset/confirm", body, format="json")
    assert answer.status_code == 204
    client = ApiClient(Member.objects.get(pk=client.member.pk))
    assert client.delete("/me/identities/google").status_code == 204


def test_a_suspended_member_sees_to_logins(providers: World) -> None:
    client = ApiClient(suspended(make_member("sue")))
    body = id_token_login(client, providers, "google")
    assert link(client, "google", body).status_code == 204
    assert client.delete("/me/identities/google").status_code == 204


@pytest.mark.usefixtures("committed")
def test_two_unlinks_at_once_leave_one(providers: World) -> None:
    client = social_member(providers)
    link(client, "google", id_token_login(client, providers, "google"))
    answers = at_once(
        lambda: client.delete("/me/identities/kakao").status_code,
        lambda: client.delete("/me/identities/google").status_code,
    )
    assert sorted(answers) == [204, 409]
    assert SocialIdentity.objects.count() == 1


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("way", [id_token_login, token_login])
def test_two_taps_link_once(providers: World, way: Any) -> None:
    client = ApiClient(make_member())
    body = way(client, providers, "kakao")
    answers = at_once(*[lambda: link(client, "kakao", body).status_code] * 3)
    assert answers == [204, 204, 204]
    assert SocialIdentity.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_two_members_link_the_same_login_at_once(providers: World) -> None:
    clients = [ApiClient(make_member()) for _ in range(3)]
    bodies = [token_login(client, providers, "kakao") for client in clients]
    answers = at_once(
        *(
            lambda client=client, body=body: link(client, "kakao", body)
            for client, body in zip(clients, bodies, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"identity_taken"}
    assert SocialIdentity.objects.count() == 1


# --- Telling the provider -----------------------------------------------------------------------
def run_told() -> int:
    """Run what was enqueued to tell providers; how many tasks there were."""
    waiting = BackgroundTask.objects.filter(task_path="apps.members.tasks.tell_provider")
    for task in waiting:
        tasks.tell_provider.func(*task.args_kwargs["args"])
    return len(waiting)


def test_apples_refresh_token_is_kept_encrypted_and_revoked(
    anonymous: ApiClient, providers: World
) -> None:
    client = ApiClient(join(anonymous, providers, "apple"))
    [token] = providers.refresh_tokens
    identity = SocialIdentity.objects.get()
    assert token not in str(SocialIdentity.objects.values())
    assert kept_token() == token
    assert identity.client_id == "com.example.igloo"
    link(client, "google", id_token_login(client, providers, "google"))

    assert client.delete("/me/identities/apple").status_code == 204
    assert providers.ended == []
    assert token not in str(list(BackgroundTask.objects.values()))
    assert token not in str(list(PendingUnlink.objects.values()))
    assert run_told() == 1
    assert providers.ended == [token]
    assert not PendingUnlink.objects.exists()
    # A task may run twice.
    assert run_told() == 1
    assert providers.ended == [token]


def test_the_newest_of_apples_tokens_is_kept(anonymous: ApiClient, providers: World) -> None:
    log_in(anonymous, "apple", **id_token_login(anonymous, providers, "apple"), **NEW_MEMBER)
    log_in(anonymous, "apple", **id_token_login(anonymous, providers, "apple"))
    first, second = providers.refresh_tokens
    assert kept_token() == second != first
    # A login without a code leaves it.
    body = id_token_login(anonymous, providers, "apple")
    del body["code"]
    assert log_in(anonymous, "apple", **body).status_code == 200
    assert kept_token() == second


def test_a_login_with_apple_that_could_not_be_revoked_is_not_kept(
    alice: ApiClient, anonymous: ApiClient, providers: World
) -> None:
    """App Review, 5.1.1 (v): what is deleted with the account has to be ended at Apple."""
    body = id_token_login(anonymous, providers, "apple")
    code = body.pop("code")
    with Unchanged():
        for response in (
            log_in(anonymous, "apple", **body),
            log_in(anonymous, "apple", **body, **NEW_MEMBER),
            link(alice, "apple", body),
        ):
            problem = assert_refused(response, 400, "invalid_input")
            assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/code", "required")]
    # Nothing was spent: the same login with its code does.
    assert link(alice, "apple", body | {"code": code}).status_code == 204
    assert kept_token() in providers.refresh_tokens


def test_kakao_is_told_until_it_has_heard(providers: World) -> None:
    client = social_member(providers)
    assert client.member is not None
    identities.forget_identities(member=client.member)
    assert linked(client) == []
    providers.down.add("kakao")
    with pytest.raises(ProviderUnavailable):
        run_told()
    assert PendingUnlink.objects.count() == 1
    # Its task has given up: another one is made each hour.
    assert identities.retry_unlinks() == 0
    pending = PendingUnlink.objects.get()
    PendingUnlink.objects.update(created_at=pending.created_at - identities._TASK_GIVES_UP)
    before = BackgroundTask.objects.count()
    assert identities.retry_unlinks() == identities.retry_unlinks() == 1
    assert BackgroundTask.objects.count() == before + 1
    providers.down.clear()
    caches["shared"].clear()
    run_told()
    assert providers.ended == [f"kakao {MINJI.subject('kakao')}"]
    assert not PendingUnlink.objects.exists()


def test_who_has_ended_it_at_kakao_already_is_no_error(providers: World) -> None:
    client = social_member(providers)
    assert client.member is not None
    providers.ended.append(f"kakao {MINJI.subject('kakao')}")
    identities.forget_identities(member=client.member)
    run_told()
    assert not PendingUnlink.objects.exists()


def test_who_came_back_meanwhile_is_not_thrown_out(providers: World) -> None:
    client = social_member(providers)
    assert client.member is not None
    identities.forget_identities(member=client.member)
    join(ApiClient(), providers, "kakao")
    run_told()
    assert providers.ended == []
    assert not PendingUnlink.objects.exists()


def test_forgetting_takes_all_of_one_member(alice: ApiClient, providers: World) -> None:
    other = social_member(providers, "google")
    for provider in ("kakao", "apple", "naver"):
        body = (id_token_login if provider != "naver" else code_login)(alice, providers, provider)
        assert link(alice, provider, body).status_code == 204
    assert alice.member is not None
    identities.forget_identities(member=alice.member)
    assert linked(alice) == []
    assert linked(other) == ["google"]
    # Naver can be told nothing.
    assert {pending.provider for pending in PendingUnlink.objects.all()} == {"kakao", "apple"}


def test_keys_rotate(anonymous: ApiClient, providers: World, settings: Any) -> None:
    log_in(anonymous, "apple", **id_token_login(anonymous, providers, "apple"), **NEW_MEMBER)
    [token] = providers.refresh_tokens
    old, new = settings.SOCIAL_TOKEN_KEYS[0], Fernet.generate_key().decode()
    settings.SOCIAL_TOKEN_KEYS = [new, old]
    assert kept_token() == token
    call_command("reseal_tokens")
    settings.SOCIAL_TOKEN_KEYS = [new]
    assert kept_token() == token
    settings.SOCIAL_TOKEN_KEYS = [old]
    with pytest.raises(InvalidToken):
        kept_token()


@pytest.mark.parametrize("provider", ["naver", "line", "%00", "카카오"])
def test_one_that_is_not_linked_is_404(
    alice: ApiClient, bob: ApiClient, providers: World, provider: str
) -> None:
    link(alice, "kakao", token_login(bob, providers, "kakao"))
    assert_problem(alice.get(f"/me/identities/{provider}"), 404, "not_found")
    # Nor is it told of another.
    assert alice.get("/me/identities/kakao").status_code == 200
    assert_problem(bob.get("/me/identities/kakao"), 404, "not_found")


def test_me_tells_whether_there_is_a_password(alice: ApiClient, providers: World) -> None:
    assert alice.get("/me").json()["has_password"] is True
    minji = social_member(providers)
    seen = minji.get("/me")
    assert seen.json()["has_password"] is False
    passwords.reset_password(member=Member.objects.get(pk=minji.member.pk), new_password=PASSWORD)
    again = ApiClient(minji.member).get("/me", headers={"If-None-Match": seen["ETag"]})
    assert again.json()["has_password"] is True
