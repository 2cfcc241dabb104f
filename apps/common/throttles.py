"""Throttles that hold across processes: one row per caller and scope, one statement per call.

A view's `throttle_scopes` names scopes of `settings.THROTTLE_RATES`; without it, writing counts
under `write` and reading does not count. See docs/adr/0004-throttles.md.
"""

import math
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

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
        """The member, or else the address."""
        if request.user and request.user.is_authenticated:
            return str(request.user.pk)
        return str(self.get_ident(request))
