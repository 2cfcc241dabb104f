"""A member whose account is wanted, and what must be as it was after whatever was tried."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import jwt
from django.db import connection
from django.utils import timezone

from apps.members import tokens
from apps.members.models import Member
from tests.contract.client import Answer, Client

# What counts calls, and what a live server's own connections write.
_COUNTERS = {"common_ratewindow"}


def fingerprints() -> dict[str, str]:
    """Each table with a hash of all its rows."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - _COUNTERS):
            name = connection.ops.quote_name(table)
            rows = "coalesce(string_agg(t::text, '|' ORDER BY t::text), '')"
            cursor.execute(f"SELECT md5({rows}) FROM {name} t")  # noqa: S608 - tables of ours
            found[table] = cursor.fetchone()[0]
    return found


def changed(scene: "Scene") -> set[str]:
    """The tables that are not as they were when the scene was ready."""
    after = fingerprints()
    return {name for name in after if after[name] != scene.before[name]}


@dataclass
class Scene:
    """Alice, whose account is wanted, and a way to call the API.

    Args:
        may_change: the tables that a row's refusal itself writes; set by the row.
    """

    url: str
    access_token: str
    refresh_token: str
    alice: Member
    before: dict[str, str] = field(default_factory=dict)
    may_change: set[str] = field(default_factory=set)

    def client(self, token: str = "") -> Client:
        found = Client(self.url)
        found.token = token
        return found

    def ready(self, *may_change: str) -> None:
        """From here on nothing may change, but for these tables."""
        self.before = fingerprints()
        self.may_change = set(may_change)

    def me(self, token: str) -> Answer:
        """Who one is, asked with this token: what each forged one is tried on."""
        self.ready()
        return self.client(token).get("/api/v1/me")

    def forged(self, key: bytes | None = None, algorithm: str = "HS256", **changes: Any) -> str:
        """Alice's access token with some claims changed, signed with ours or another key."""
        now = timezone.now()
        claims = jwt.decode(self.access_token, options={"verify_signature": False})
        claims |= {"iat": now, "exp": now + dt.timedelta(minutes=15)} | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, tokens._key() if key is None else key, algorithm=algorithm)
