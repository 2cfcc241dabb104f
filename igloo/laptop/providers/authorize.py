"""Where a person agrees to log in, and what their browser brings back of it."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from igloo.laptop.providers.world import PEOPLE, World

Query = Mapping[str, str]

# Where an app or a page sends its users, and what an app gets where it does not say.
AUTHORIZE = {
    "/kakao/kauth/oauth/authorize": ("kakao", "code"),
    "/apple/auth/authorize": ("apple", "code id_token"),
    "/google/o/oauth2/v2/auth": ("google", "id_token"),
    "/facebook/limited/dialog/oauth": ("facebook", "id_token"),
    "/facebook/www/dialog/oauth": ("facebook", "code"),
    "/naver/nid/oauth2.0/authorize": ("naver", "code"),
}


def complaint(world: World, path: str, query: Query) -> str:
    """What is wrong with where somebody was sent, which the provider tells them; nothing else."""
    provider, kind = AUTHORIZE[path]
    kind = query.get("response_type", kind)
    if query.get("client_id") not in world.client_ids(provider, kind):
        return "unknown client_id"
    if not world.knows_redirect(provider, query.get("redirect_uri", "")):
        return "the redirect_uri is not registered"
    if provider == "google" and "openid" not in query.get("scope", "openid").split():
        return "no scope"
    if provider == "apple" and query.get("scope") and query.get("response_mode") == "query":
        return "response_mode must be form_post when a scope is requested"
    return ""


def way_back(world: World, path: str, query: Query) -> str:
    """The address that the person's choice leads to: `person` of the query is a number, or
    `nobody`."""
    provider, kind = AUTHORIZE[path]
    kind = query.get("response_type", kind)
    redirect_uri, state = query["redirect_uri"], query.get("state", "")
    if query["person"] == "nobody":
        error = "user_cancelled_authorize" if provider == "apple" else "access_denied"
        return f"{redirect_uri}?{urlencode({'error': error, 'state': state})}"
    login = world.login(
        provider,
        PEOPLE[int(query["person"]) % len(PEOPLE)],
        client_id=query["client_id"],
        nonce=query.get("nonce", ""),
        state=state,
        redirect_uri=redirect_uri,
        code_challenge=query.get("code_challenge", ""),
    )
    if kind == "code":
        return f"{redirect_uri}?{urlencode({'state': state, 'code': world.code(login)})}"
    back = {"state": state, "id_token": world.id_token(login)}
    if kind == "code id_token":
        # As a phone gets them of Apple, whose code is bound to no address.
        back["code"] = world.code(replace(login, redirect_uri=""))
    return f"{redirect_uri}#{urlencode(back)}"
