"""Social logins as an app makes them, and what a refusal must have left as it was."""

from collections.abc import Callable
from typing import Any

from apps.members.models import (
    Consent,
    DeviceSession,
    Member,
    SocialIdentity,
    SocialNonce,
    SpentCredential,
)
from igloo.laptop.providers.world import PEOPLE, Login, Person, World
from tests.builders import CONSENTS_JSON, DEVICE_JSON, ApiClient
from tests.common.test_problems import assert_problem

MINJI, JUN, HANEUL = PEOPLE
NEW_MEMBER = {"consents": CONSENTS_JSON, "birth_date": "1996-05-04"}
_TABLES = (Member, Consent, DeviceSession, SocialIdentity, SocialNonce, SpentCredential)


def new_nonce(client: ApiClient) -> str:
    """A nonce of POST /auth/nonce."""
    nonce: str = client.post("/auth/nonce").json()["nonce"]
    return nonce


def id_token_login(
    client: ApiClient, providers: World, provider: str, person: Person = MINJI, **claims: Any
) -> dict[str, str]:
    """What an app sends after a login that gave it an id token; with Apple's comes a code."""
    nonce = new_nonce(client)
    login = providers.login(provider, person, nonce=nonce)
    code = {"code": providers.code(login)} if provider == "apple" else {}
    return {"id_token": providers.id_token(login, **claims), "nonce": nonce} | code


def code_login(
    client: ApiClient, providers: World, provider: str, person: Person = MINJI
) -> dict[str, str]:
    """What an app sends after a login that gave it a code."""
    nonce = new_nonce(client)
    login = providers.login(
        provider,
        person,
        nonce=nonce,
        state=nonce,
        # Apple's apps have none, and Naver asks for it again nowhere.
        redirect_uri=providers.values["KAKAO_REDIRECT_URI"] if provider == "kakao" else "",
    )
    return {"code": providers.code(login), "nonce": nonce}


def token_login(
    client: ApiClient, providers: World, provider: str, person: Person = MINJI, **changes: Any
) -> dict[str, str]:
    """What an app sends after a login that gave it an access token."""
    login: Login = providers.login(provider, person, **changes)
    return {"access_token": providers.access_token(login)}


# Every way that an app can log somebody in.
WAYS = {
    ("kakao", "id_token"): id_token_login,
    ("kakao", "code"): code_login,
    ("kakao", "access_token"): token_login,
    ("apple", "id_token"): id_token_login,
    ("apple", "code"): code_login,
    ("google", "id_token"): id_token_login,
    ("facebook", "id_token"): id_token_login,
    ("facebook", "access_token"): token_login,
    ("naver", "code"): code_login,
}


_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Texts that are another token to a hash, while PyJWT reads the same signature out of each.
RESPELLED: dict[str, Callable[[str], str]] = {
    "padded": lambda token: token + "==",
    "with a letter that is skipped": lambda token: token[:-9] + "!" + token[-9:],
    # 256 bytes leave 4 bits of the last letter over.
    "with other spare bits": lambda token: token[:-1] + _BASE64URL[_BASE64URL.index(token[-1]) ^ 1],
}


def log_in(client: ApiClient, provider: str, **body: Any) -> Any:
    """POST /auth/social/{provider}."""
    headers = body.pop("headers", {})
    sent = {"device": DEVICE_JSON} | body
    return client.post(f"/auth/social/{provider}", sent, format="json", headers=headers)


def join(client: ApiClient, providers: World, provider: str, person: Person = MINJI) -> Member:
    """A new member by an id token."""
    body = id_token_login(client, providers, provider, person)
    response = log_in(client, provider, **body, **NEW_MEMBER)
    assert response.status_code == 201, response.content
    return Member.objects.get(pk=response.json()["member"]["id"])


def rows() -> dict[str, list[Any]]:
    """All that a login could write."""
    return {model.__name__: sorted(model._default_manager.values_list()) for model in _TABLES}


class Unchanged:
    """Asserts that what is done within writes nothing."""

    def __enter__(self) -> "Unchanged":
        self.before = rows()
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            assert rows() == self.before


def assert_refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem of a refusal."""
    assert "access_token" not in response.json()
    return assert_problem(response, status, code)
