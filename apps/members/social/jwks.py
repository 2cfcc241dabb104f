"""Providers' signing keys, shared by all processes.

Kept in the shared cache and asked for again when they are an hour old, or when a token names a key
that is not among them: a provider that changes its keys is followed at once. All processes
together ask at most once in 10 s, so that made-up key ids cost the provider nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import caches

from apps.common.errors import Throttled
from apps.common.throttles import count_call, forget_calls
from apps.members.errors import ProviderUnavailable, SocialTokenInvalid
from apps.members.social import http

_TURN = "jwks_refresh"
# Seconds: older keys are asked for again; while the provider is down they do for so long.
FRESH, KEPT = 3600, 24 * 3600
# Seconds that another process is given to bring the keys that it is asking for.
PATIENCE = 3.0
_POLL = 0.1
# Keys of an answer: a provider has two to five.
_MOST_KEYS = 50


@dataclass(frozen=True)
class KeySet:
    """A provider's keys as JWKs, by their ids."""

    fetched_at: float
    keys: Mapping[str, Mapping[str, Any]]


def signing_key(provider: str, url: str, key_id: str) -> Mapping[str, Any]:
    """The provider's key of this id, as a JWK.

    Raises:
        SocialTokenInvalid: it has no such key.
        ProviderUnavailable: it can't be told whether it has.
    """
    known = _cached(provider)
    if known and key_id in known.keys:
        if time.time() - known.fetched_at < FRESH:
            return known.keys[key_id]
        try:
            known = _refresh(provider, url, known, patience=0)
        except ProviderUnavailable:
            # They were its keys, and will do until it answers again.
            return known.keys[key_id]
    else:
        known = _refresh(provider, url, known, patience=PATIENCE)
    if key_id not in known.keys:
        raise SocialTokenInvalid
    return known.keys[key_id]


def _refresh(provider: str, url: str, known: KeySet | None, *, patience: float) -> KeySet:
    failures = http.require_up(provider)
    if not _is_my_turn(provider):
        return _of_another(provider, known, patience)
    try:
        answer = http.call(provider, "GET", url)
        keys = _usable(answer)
    except ProviderUnavailable:
        # An error page of theirs counts too: here nothing of the caller's can be its cause.
        http.note_failure(provider, failures)
        # The pause says when it is asked again.
        forget_calls(_TURN, provider)
        raise
    found = KeySet(time.time(), keys)
    value = {"fetched_at": found.fetched_at, "keys": keys}
    caches["shared"].set(_cache_key(provider), value, KEPT)
    return found


def _is_my_turn(provider: str) -> bool:
    # Counted by one statement; the cache's own `add` lets two through when the entry has expired.
    try:
        count_call(_TURN, provider)
    except Throttled:
        return False
    return True


def _of_another(provider: str, known: KeySet | None, patience: float) -> KeySet:
    """The keys that somebody else asked for just now, or is asking for."""
    # As old as the turn may be, and a little more for clocks that differ.
    just_now = time.time() - 15
    deadline = time.monotonic() + patience
    while known is None or known.fetched_at < just_now:
        if time.monotonic() >= deadline:
            raise http.unavailable()
        time.sleep(_POLL)
        http.require_up(provider)
        known = _cached(provider)
    return known


def _cached(provider: str) -> KeySet | None:
    found = caches["shared"].get(_cache_key(provider))
    return KeySet(found["fetched_at"], found["keys"]) if found else None


def _cache_key(provider: str) -> str:
    return f"social-keys-{provider}"


def _usable(answer: http.Answer) -> dict[str, Any]:
    """The keys that signatures are checked with; raises ProviderUnavailable without any."""
    keys = answer.data.get("keys")
    found = {
        key["kid"]: key
        for key in (keys if isinstance(keys, list) else [])[:_MOST_KEYS]
        if isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("kty") == "RSA"
        and key.get("use", "sig") == "sig"
    }
    if answer.status != 200 or not found:
        raise http.unavailable()
    return found
