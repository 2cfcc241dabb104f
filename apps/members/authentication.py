"""Who is calling: the bearer of an access token."""

from typing import cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.members.models import DeviceSession, Member
from apps.members.tokens import TokenExpired, TokenInvalid, read_access_token


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`. One query, which also sees that the session is still open."""

    # What it may refuse a call with, for the API's document.
    errors = (TokenInvalid, TokenExpired)

    def authenticate(self, request: Request) -> tuple[Member, DeviceSession] | None:
        """The member and the session; None without a token; raises TokenInvalid, TokenExpired."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise TokenInvalid
        claims = read_access_token(token.strip())
        session = DeviceSession.of_token(session_id=claims.session_id, member_id=claims.member_id)
        if session is None:
            raise TokenInvalid
        return session.member, session

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


def current_member(request: Request) -> Member:
    """The caller, in a view that lets only members in."""
    return cast(Member, request.user)


def current_session(request: Request) -> DeviceSession:
    """The caller's device, in a view that lets only members in."""
    return cast(DeviceSession, request.auth)
