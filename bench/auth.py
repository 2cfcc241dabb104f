"""What it costs to know who calls: a login, an access token, and the query behind it.

`python -m bench auth`. Beside it stands `JWTAuthentication` of djangorestframework-simplejwt with
its defaults, which reads the member and knows no sessions: its tokens outlive a logout. All take
turns in one process, round after round, so that a busy machine slows each of them as much. Times
are CPU time of this process, medians of the rounds; PostgreSQL's own is not in them.
"""

import gc
import io
import re
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import get_hasher
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection, transaction
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.members.authentication import AccessTokenAuthentication
from apps.members.models import DeviceSession, Member
from apps.members.services import sessions
from apps.members.tokens import read_access_token
from bench import data
from bench.table import Row, at_most, print_table

ROUNDS = 25
CALLS = 200
LOGINS = 15
# Sessions of each member: the table is as large as a small service's.
SESSIONS = 5
VERIFY_LIMIT = 0.3
QUERY_LIMIT = 1
PASSWORD = "correct horse battery"  # noqa: S105
DEVICE = sessions.Device(name="bench", platform="ios", app_version="1.0.0")

_FILL = """
INSERT INTO members_devicesession
    (id, member_id, name, platform, app_version, created_at, last_used_at, expires_at, end_reason)
SELECT gen_random_uuid(), id, 'bench', 'ios', '1.0.0', now(), now(), now() + interval '60 days', ''
FROM members_member CROSS JOIN generate_series(1, %s)
"""

Call = Callable[[], object]


def run(*, explain: bool = False) -> None:
    """Measure, check the queries, print the table; what was written for it is rolled back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_FILL, [SESSIONS])
            cursor.execute("ANALYZE members_devicesession")
        member = Member.objects.get(username=data.VIEWER)
        member.set_password(PASSWORD)
        member.save(update_fields=["password"])
        _measure(member, explain=explain)
        transaction.set_rollback(True)


def _measure(member: Member, *, explain: bool) -> None:
    from rest_framework_simplejwt.authentication import JWTAuthentication
    from rest_framework_simplejwt.tokens import AccessToken

    ours = sessions.open_session(member=member, device=DEVICE).access_token
    theirs = str(AccessToken.for_user(member))
    calls: dict[str, Call] = {
        "verify": lambda: read_access_token(ours),
        "their verify": lambda: AccessToken(theirs),
        "whole": _authenticating(AccessTokenAuthentication(), ours, member.pk),
        "their whole": _authenticating(JWTAuthentication(), theirs, member.pk),
    }
    times = _cpu_times(calls)
    login = _login_time(member)
    asked, theirs_asked = _asked(calls["whole"]), _asked(calls["their whole"])
    plans = [_plan(query, params) for query, params in asked]
    scans = sorted(set(re.findall(r"(\w+ (?:Only )?Scan) ", "\n".join(plans))))
    indexed = bool(scans) and all(scan.startswith("Index ") for scan in scans)
    verify, whole = times["verify"], times["whole"]
    hasher = get_hasher()
    print_table(
        f"Who calls, CPU time of one call, medians of {ROUNDS} rounds of {CALLS};"
        f" {DeviceSession.objects.count():,} sessions",
        [
            at_most("an access token, verified", verify, VERIFY_LIMIT, unit="ms", digits=3),
            at_most("queries of an authenticated request", len(asked), QUERY_LIMIT, digits=0),
            Row("how they find rows", ", ".join(scans), "Index …", "ok" if indexed else "MISSED"),
            Row("the whole, with the query", f"{whole:.3f} ms"),
            Row("simplejwt: a token, verified", f"{times['their verify']:.3f} ms"),
            Row(
                "simplejwt: the whole", f"{times['their whole']:.3f} ms, {len(theirs_asked)} query"
            ),
            Row("a token, igloo / simplejwt", f"{verify / times['their verify']:.2f} ×"),
            at_most("the whole, igloo / simplejwt", whole / times["their whole"], 1, unit="×"),
            Row(
                f"a login: {hasher.algorithm}, {getattr(hasher, 'iterations', 0):,} iterations",
                f"{login:.0f} ms",
            ),
        ],
    )
    if explain:
        for (query, _params), plan in zip(asked, plans, strict=True):
            print(f"\n{query}\n\n{plan}")


def _authenticating(scheme: BaseAuthentication, token: str, member_id: UUID) -> Call:
    """A call that finds the member of a request."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/v1/me",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "HTTP_AUTHORIZATION": f"Bearer {token}",
    }
    request = Request(WSGIRequest(environ))

    def call() -> object:
        found = scheme.authenticate(request)
        if found is None or found[0].pk != member_id:
            raise RuntimeError(f"{scheme} does not know the member")
        return found

    return call


def _cpu_times(calls: Mapping[str, Call]) -> dict[str, float]:
    """The median CPU time of each call, in ms; the calls take turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            began = time.process_time()
            for _ in range(CALLS):
                call()
            if turn:  # the first one warms up
                taken[name].append((time.process_time() - began) * 1000 / CALLS)
    return {name: statistics.median(values) for name, values in taken.items()}


def _login_time(member: Member) -> float:
    """The median CPU time of a login, in ms."""
    taken = []
    for _ in range(LOGINS):
        began = time.process_time()
        sessions.log_in(username=member.username, password=PASSWORD, device=DEVICE)
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


def _asked(call: Call) -> list[tuple[str, Any]]:
    """The queries of a call, with their parameters."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], query: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((query, params))
        return execute(query, params, many, context)

    with connection.execute_wrapper(note):
        call()
    return asked


def _plan(query: str, params: Any) -> str:
    """How PostgreSQL runs a query, with its times and buffers."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {query}", params)
        return "\n".join(row[0] for row in cursor.fetchall())
