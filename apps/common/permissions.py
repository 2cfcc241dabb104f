"""Who may call: a member, and for writing one who is not suspended and has agreed to the texts.

A new version of the terms asks again: `MembersWrite` and `MembersOnly` refuse writes until the
member has agreed. `IsMember` is for what must go on: see docs/adr/0014-consents.md.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.common.errors import ConsentRequired, Suspended

if TYPE_CHECKING:
    # DRF imports this module while it makes its views.
    from rest_framework.views import APIView

# Operators give a day that nobody waits for, as 9999-12-31, to somebody who is never to write.
_FOR_GOOD = dt.timedelta(days=50 * 365)


class IsMember(BasePermission):
    """Anyone who is logged in, suspended or not, agreed or not: one's own devices, password and
    consents; leaving; what keeps one safe from others."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True for a member."""
        return bool(request.user and request.user.is_authenticated)


class MembersWrite(BasePermission):
    """Members who are not suspended and agreed to the texts may write, everyone may read."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True to read, or for a member; raises Suspended, ConsentRequired."""
        if request.method in SAFE_METHODS:
            return True
        return _may_write(request)


class MembersOnly(BasePermission):
    """Members read; those who are not suspended and agreed to the texts write."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True for a member; a write may raise Suspended, ConsentRequired."""
        if request.method in SAFE_METHODS:
            return bool(request.user and request.user.is_authenticated)
        return _may_write(request)


def _may_write(request: Request) -> bool:
    if not (request.user and request.user.is_authenticated):
        return False
    until = request.user.suspended_until
    if until and until > timezone.now():
        raise Suspended(extra={"suspended_until": until}, detail=_suspended_text(until))
    missing = request.user.missing_consents()
    if missing:
        raise ConsentRequired(extra={"missing": missing})
    return True


def _suspended_text(until: dt.datetime) -> str:
    if until - timezone.now() > _FOR_GOOD:
        return gettext("Your account is suspended for good. You can read but not post.")
    when = f"{timezone.localtime(until):%Y-%m-%d %H:%M}"
    text = gettext(
        "Your account is suspended until %(when)s, Korean time. You can read but not post."
    )
    return text % {"when": when}
