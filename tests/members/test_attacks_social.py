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
from tests.members.social import MINJI, NEW_MEMBER

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


def social_body(scene: Scene, providers: World, **claims: Any) -> dict[str, Any]:
    """What Minji's phone sends after her login at Kakao."""
    nonce = scene.client().post("/api/v1/auth/nonce").json["nonce"]
    token = providers.id_token(providers.login("kakao", MINJI, nonce=nonce), **claims)
    return {"id_token": token, "nonce": nonce, "device": DEVICE_JSON} | NEW_MEMBER


def social(scene: Scene, body: dict[str, Any]) -> Answer:
    return scene.client().post("/api/v1/auth/social/kakao", body)


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
    assert social(scene, body).status == 401
    token = providers.id_token(providers.login("kakao", MINJI, nonce=body["nonce"]))
    social(scene, body | {"id_token": token}).problem(401, "nonce_invalid")
    assert changed(scene) == set()


def test_someone_elses_id_at_a_provider_with_no_token(scene: Scene, providers: World) -> None:
    assert social(scene, social_body(scene, providers)).status == 201
    scene.ready()
    subject = MINJI.subject("kakao")
    for body in ({"id": subject}, {"subject": subject, "access_token": subject}):
        answer = social(scene, {"device": DEVICE_JSON} | body)
        assert answer.status in (400, 401)
        assert "refresh_token" not in answer.text
    assert changed(scene) == set()


def test_the_address_of_an_account_opens_no_account(scene: Scene, providers: World) -> None:
    """Neither by its name nor because a provider says that it is confirmed."""
    Member.objects.filter(pk=scene.alice.pk).update(email=MINJI.email, email_verified=True)
    answer = social(scene, social_body(scene, providers))
    assert answer.status == 201
    assert answer.json["member"]["id"] != str(scene.alice.pk)
    assert not SocialIdentity.objects.filter(member=scene.alice).exists()
