"""Forged logins at a provider, sent over HTTP to a real server, as in test_attacks.py.

All five providers, and more ways, are in test_social_forged.py.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest

from apps.members.models import Member, SocialIdentity
from igloo.laptop.providers.world import World
from tests.builders import DEVICE_JSON
from tests.contract.client import Answer
from tests.members import test_social_forged as forged
from tests.members.scene import Scene, changed
from tests.members.social import MINJI, NEW_MEMBER, RESPELLED

Forge = Callable[[World, str, str], str]
NOW = int(time.time())
OF_PROVIDERS: dict[str, tuple[dict[str, Any] | Forge, str]] = {
    "a token for another app": ({"aud": "com.example.other"}, "social_token_invalid"),
    "an expired token": ({"iat": NOW - 7200, "exp": NOW - 60}, "social_token_invalid"),
    "a token of another issuer": ({"iss": "https://evil.example"}, "social_token_invalid"),
    "a token with another nonce": ({"nonce": "x" * 43}, "social_token_invalid"),
    "alg none": (forged.unsigned, "social_token_invalid"),
    "HS256 with the public key": (forged.hmac_with_the_public_key, "social_token_invalid"),
    "an unknown key id": (forged.own_key_in_header, "social_token_invalid"),
    "one's own key under theirs": (forged.own_key_under_their_id, "social_token_invalid"),
    "someone else's id in it": (forged.other_payload, "social_token_invalid"),
}


def social_body(
    scene: Scene, providers: World, provider: str = "kakao", **claims: Any
) -> dict[str, Any]:
    """What Minji's phone sends after her login at a provider."""
    nonce = scene.client().post("/api/v1/auth/nonce").json["nonce"]
    token = providers.id_token(providers.login(provider, MINJI, nonce=nonce), **claims)
    return {"id_token": token, "nonce": nonce, "device": DEVICE_JSON} | NEW_MEMBER


def social(scene: Scene, body: dict[str, Any], provider: str = "kakao") -> Answer:
    return scene.client().post(f"/api/v1/auth/social/{provider}", body)


@pytest.mark.parametrize("name", OF_PROVIDERS)
def test_a_forged_login_at_a_provider(scene: Scene, providers: World, name: str) -> None:
    assert social(scene, social_body(scene, providers)).status == 201  # the real one
    change, code = OF_PROVIDERS[name]
    if isinstance(change, dict):
        body = social_body(scene, providers, **change)
    else:
        body = social_body(scene, providers)
        body["id_token"] = change(providers, "kakao", body["id_token"])
    # Keys that are not known are asked for anew, and kept.
    scene.ready()
    social(scene, body).problem(401, code)
    assert changed(scene) <= {"common_cache"}


def test_a_login_at_a_provider_once_more(scene: Scene, providers: World) -> None:
    body = social_body(scene, providers)
    assert social(scene, body).status == 201
    scene.ready()
    social(scene, body).problem(401, "nonce_invalid")
    nonce = scene.client().post("/api/v1/auth/nonce").json["nonce"]
    scene.ready()
    social(scene, body | {"nonce": nonce}).problem(401, "social_token_used")
    token = providers.id_token(providers.login("kakao", MINJI, nonce=body["nonce"]))
    social(scene, body | {"id_token": token}).problem(401, "nonce_invalid")
    assert changed(scene) == set()


@pytest.mark.parametrize("spelling", RESPELLED)
def test_a_used_token_of_google_spelled_another_way(
    scene: Scene, providers: World, spelling: str
) -> None:
    """No nonce of it was spent: the token alone keeps it from being used again."""
    token = providers.id_token(providers.login("google", MINJI))
    body = {"id_token": token, "device": DEVICE_JSON} | NEW_MEMBER
    assert social(scene, body, "google").status == 201
    scene.ready()
    body["id_token"] = RESPELLED[spelling](token)
    social(scene, body, "google").problem(401, "social_token_used")
    assert changed(scene) == set()


def test_someone_elses_id_at_a_provider_with_no_token(scene: Scene, providers: World) -> None:
    """The original's hole: whoever sent a member's id was that member."""
    assert social(scene, social_body(scene, providers)).status == 201
    member = Member.objects.exclude(pk=scene.alice.pk).get()
    scene.ready()
    subject = MINJI.subject("kakao")
    for claim in (
        {},
        {"id": subject},
        {"sub": subject, "email": MINJI.email},
        {"member_id": str(member.pk)},
        {"social_id": subject, "social_type": "kakao"},
    ):
        problem = social(scene, {"device": DEVICE_JSON} | claim).problem(400, "invalid_input")
        assert problem["errors"][0]["code"] == "one_of"
    made_up = {"device": DEVICE_JSON, "subject": subject, "access_token": subject}
    social(scene, made_up).problem(401, "social_token_invalid")
    assert changed(scene) == set()


@pytest.mark.parametrize("provider", ["kakao", "google"])
def test_the_address_of_an_account_opens_no_account(
    scene: Scene, providers: World, provider: str
) -> None:
    """Neither by its name nor because a provider says, as Google does, that it is confirmed."""
    Member.objects.filter(pk=scene.alice.pk).update(email=MINJI.email, email_verified=True)
    answer = social(scene, social_body(scene, providers, provider), provider)
    assert answer.status == 201
    assert answer.json["member"]["id"] != str(scene.alice.pk)
    assert not SocialIdentity.objects.filter(member=scene.alice).exists()
