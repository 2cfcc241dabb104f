"""The auth and members endpoints."""

from typing import ClassVar
from uuid import UUID

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.etags import expected_versions, versioned_response
from apps.common.idempotency import idempotent
from apps.common.lookups import get_or_404
from apps.common.openapi import PAGING, Query, describe, page_schema
from apps.common.paging import page_of
from apps.common.permissions import IsMember, MembersOnly
from apps.common.throttles import RateThrottle, count_call
from apps.media import errors as media_errors
from apps.media.shapes import media_base
from apps.members import errors, examples, services, sessions, usernames
from apps.members.authentication import current_member, current_session
from apps.members.models import DeviceSession, Member
from apps.members.serializers import LoginIn, PasswordChangeIn, ProfileIn, RefreshIn, SignupIn
from apps.members.shapes import (
    SESSION_COLUMNS,
    MeOut,
    OtherMemberOut,
    SessionOut,
    TokensOut,
    UsernameAvailableOut,
    me_shape,
    other_member_shape,
    session_shape,
    tokens_shape,
)


def _tokens_answer(request: Request, pair: sessions.TokenPair, status: int = 200) -> Response:
    shape = tokens_shape(pair, media_base(request))
    return Response(shape, status=status, headers={"Cache-Control": "no-store"})


class SignupView(APIView):
    """Becoming a member."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["signup"]

    @describe(
        summary="Sign up",
        tag="auth",
        body=SignupIn,
        answers={201: TokensOut},
        errors=[
            usernames.UsernameInvalid,
            usernames.UsernameReserved,
            usernames.UsernameTaken,
            errors.UnderAge,
            errors.ConsentRequired,
        ],
        idempotent=True,
        example_in=examples.SIGNUP,
        example_out=examples.TOKENS,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """`terms` and `privacy` must be granted. The birth date is checked and not stored."""
        body = SignupIn(data=request.data)
        body.is_valid(raise_exception=True)
        pair = services.sign_up(**body.validated_data)
        return _tokens_answer(request, pair, status=201)


class LoginView(APIView):
    """Logging in with a password."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["login_address"]

    @describe(
        summary="Log in",
        tag="auth",
        body=LoginIn,
        answers={200: TokensOut},
        errors=[errors.LoginFailed],
        example_in=examples.LOGIN,
        example_out=examples.TOKENS,
    )
    def post(self, request: Request) -> Response:
        """Opens a session for the device."""
        body = LoginIn(data=request.data)
        body.is_valid(raise_exception=True)
        # By address too: guessing from one place must not lock the member out at another.
        address = RateThrottle().caller(request)
        count_call("login_account", f"{address}:{body.validated_data['username'].lower()}")
        pair = sessions.log_in(**body.validated_data)
        return _tokens_answer(request, pair)


class RefreshView(APIView):
    """A new pair of tokens."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes: ClassVar[list[str]] = []

    @describe(
        summary="Refresh the tokens",
        tag="auth",
        body=RefreshIn,
        answers={200: TokensOut},
        errors=[errors.RefreshTokenInvalid],
        example_in={"refresh_token": examples.TOKENS["refresh_token"]},
        example_out=examples.TOKENS,
    )
    def post(self, request: Request) -> Response:
        """Spends the refresh token. The same one again within 30 s gives the same new one; later
        it ends the device's session."""
        body = RefreshIn(data=request.data)
        body.is_valid(raise_exception=True)
        count_call("refresh", sessions.fingerprint(body.validated_data["refresh_token"]))
        pair = sessions.refresh(**body.validated_data)
        return _tokens_answer(request, pair)


class LogoutView(APIView):
    """Logging out."""

    permission_classes = [IsMember]

    @describe(summary="Log this device out", tag="auth", answers={204: None})
    def post(self, request: Request) -> Response:
        """Ends this device's session alone."""
        reason = DeviceSession.EndReason.LOGOUT
        sessions.end_session(session=current_session(request), reason=reason)
        return Response(status=204)


class SessionsView(APIView):
    """The member's devices."""

    permission_classes = [IsMember]

    @describe(
        summary="Devices that are logged in",
        tag="auth",
        answers={200: page_schema(SessionOut)},
        query=PAGING,
        example_out={"items": [examples.SESSION], "next_cursor": None},
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        current = current_session(request).pk
        page = page_of(
            DeviceSession.objects.visible_to(request.user).values(*SESSION_COLUMNS),
            request,
            name="sessions",
            keys=["id"],
            shape=lambda row: session_shape(row, current),
        )
        return Response(page)


class SessionView(APIView):
    """One device of the member's."""

    permission_classes = [IsMember]

    @describe(summary="Log a device out", tag="auth", answers={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        """Its tokens stop working at once."""
        session = get_or_404(DeviceSession.objects.visible_to(request.user), session_id)
        sessions.end_session(session=session, reason=DeviceSession.EndReason.REMOVED)
        return Response(status=204)


class UsernameAvailableView(APIView):
    """Whether a username can be had."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["username_available"]

    @describe(
        summary="Whether a username can be had",
        tag="auth",
        answers={200: UsernameAvailableOut},
        query=[Query("username", "The name to check.", required=True)],
        example_out={"available": False, "code": "username_taken"},
    )
    def get(self, request: Request) -> Response:
        """Names are the same whatever their case."""
        try:
            usernames.require_free(
                usernames.normalize_username(request.query_params.get("username", "").strip())
            )
        except (
            usernames.UsernameInvalid,
            usernames.UsernameReserved,
            usernames.UsernameTaken,
        ) as error:
            return Response({"available": False, "code": error.code})
        return Response({"available": True})


class PasswordChangeView(APIView):
    """Changing the password."""

    permission_classes = [IsMember]
    throttle_scopes = ["login_account"]

    @describe(
        summary="Change the password",
        tag="auth",
        body=PasswordChangeIn,
        answers={204: None},
        errors=[errors.PasswordWrong],
        example_in={"current_password": "a long passphrase", "new_password": "a longer one yet"},
    )
    def post(self, request: Request) -> Response:
        """Every other device is logged out."""
        body = PasswordChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        services.change_password(
            member=current_member(request), session=current_session(request), **body.validated_data
        )
        return Response(status=204)


class MeView(APIView):
    """One's own account."""

    permission_classes = [MembersOnly]

    @describe(summary="My account", tag="members", answers={200: MeOut}, example_out=examples.ME)
    def get(self, request: Request) -> Response:
        """The profile, and what only its owner sees."""
        member = current_member(request)
        return versioned_response(me_shape(member, media_base(request)), member.version)

    @describe(
        summary="Change my profile",
        tag="members",
        body=ProfileIn,
        answers={200: MeOut},
        errors=[
            media_errors.UploadNotFound,
            media_errors.UploadNotReady,
            media_errors.UploadFailed,
            media_errors.UploadInUse,
        ],
        if_match=True,
        example_in={"bio": "볕 잘 드는 13평에서 식물과 살아요."},
        example_out=examples.ME,
    )
    def patch(self, request: Request) -> Response:
        """What is left out stays as it is. `avatar_upload_id: null` takes the picture away."""
        body = ProfileIn(data=request.data)
        body.is_valid(raise_exception=True)
        member = services.update_profile(
            member=current_member(request),
            changes=body.validated_data,
            expected=expected_versions(request),
        )
        return versioned_response(me_shape(member, media_base(request)), member.version)


class MemberView(APIView):
    """A member's public profile."""

    permission_classes = [AllowAny]

    @describe(
        summary="A member",
        tag="members",
        answers={200: OtherMemberOut},
        example_out=examples.OTHER_MEMBER,
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """The public profile."""
        members = Member.objects.visible_to(request.user).select_related("avatar")
        member = get_or_404(members, member_id)
        return Response(other_member_shape(member, media_base(request)))
