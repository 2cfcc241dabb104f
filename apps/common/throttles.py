"""Throttles that hold across processes: one row per caller and scope, one statement per call.

A view's `throttle_scopes` names scopes of `settings.THROTTLE_RATES`; without it, writing counts
under `write` and reading does not count. See docs/adr/0004-throttles.md.
"""

import math
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.common.addresses import source_of
from apps.common.errors import Throttled
from apps.common.models import RateWindow

if TYPE_CHECKING:
    # DRF imports this module while it makes its views.
    from rest_framework.views import APIView

# The count and the start of a new window are decided in one statement under the row's lock, so
# that calls which arrive at once in different processes are all counted.
_HIT = """
INSERT INTO common_ratewindow AS w (key, started_at, hits)
VALUES (%(key)s, now(), 1)
ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN w.started_at <= now() - make_interval(secs => %(period)s)
                THEN 1 ELSE w.hits + 1 END,
    started_at = CASE WHEN w.started_at <= now() - make_interval(secs => %(period)s)
                      THEN now() ELSE w.started_at END
RETURNING hits, extract(epoch FROM started_at + make_interval(secs => %(period)s) - now())
"""

_FORGIVE = "UPDATE common_ratewindow SET hits = greatest(hits - 1, 0) WHERE key = %(key)s"


def count_call(scope: str, caller: str) -> None:
    """Count one call of `caller`; raises Throttled past the scope's rate."""
    limit, period = settings.THROTTLE_RATES[scope]
    with connection.cursor() as cursor:
        cursor.execute(_HIT, {"key": _key(scope, caller), "period": period})
        hits, seconds_left = cursor.fetchone()
    if hits > limit:
        reset = str(max(1, math.ceil(seconds_left)))
        raise Throttled(
            headers={
                "Retry-After": reset,
                "RateLimit-Limit": str(limit),
                "RateLimit-Remaining": "0",
                "RateLimit-Reset": reset,
            }
        )


def forgive_call(scope: str, caller: str) -> None:
    """Take back one call that was counted."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGIVE, {"key": _key(scope, caller)})


def forget_calls(scope: str, caller: str) -> None:
    """Begin a caller's window anew."""
    RateWindow.objects.filter(key=_key(scope, caller)).delete()


def _key(scope: str, caller: str) -> str:
    return f"{scope}:{caller}"[:200]


class RateThrottle(BaseThrottle):
    """DRF's hook: counts a call under the view's scopes."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """True, or raises Throttled."""
        writes = [] if request.method in SAFE_METHODS else ["write"]
        for scope in getattr(view, "throttle_scopes", writes):
            count_call(scope, self.caller(request))
        return True

    def caller(self, request: Request) -> str:
        """The member, or else where the call comes from."""
        if request.user and request.user.is_authenticated:
            return str(request.user.pk)
        return source_of(address_of(request))


def address_of(request: Request | HttpRequest) -> str:
    """The caller's IP address, behind `settings.TRUSTED_PROXIES` of our own."""
    # DRF reads its `META` alone.
    return str(BaseThrottle().get_ident(cast(Request, request)))
