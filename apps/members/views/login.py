"""Signing up, logging in and out, and the tokens in between."""

from typing import ClassVar

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import ConsentRequired
from apps.common.idempotency import idempotent
from apps.common.openapi import Query, describe
from apps.common.permissions import IsMember
from apps.common.throttles import RateThrottle, count_call
from apps.media.shapes import media_base
from apps.members import errors, examples, usernames
from apps.members.authentication import current_session
from apps.members.models import DeviceSession
from apps.members.serializers import LoginIn, RefreshIn, SignupIn
from apps.members.services import sessions, signup
from apps.members.shapes import (
    TokensOut,
    UsernameAvailableOut,
    tokens_shape,
)
from apps.members.views.whereabouts import here, network


def tokens_answer(request: Request, pair: sessions.TokenPair, status: int = 200) -> Response:
    """The tokens of a login; no cache keeps them."""
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
            ConsentRequired,
        ],
        idempotent=True,
        example_in=examples.SIGNUP,
        example_out=examples.TOKENS,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """The current `terms` and `privacy` must be granted. The birth date is checked and not
        stored. An `email` gets a mail that confirms it."""
        body = SignupIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        pair = signup.sign_up(**data | {"device": here(request, data["device"])})
        return tokens_answer(request, pair, status=201)


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
        errors=[errors.LoginFailed, errors.AccountLeaving],
        example_in=examples.LOGIN,
        example_out=examples.TOKENS,
    )
    def post(self, request: Request) -> Response:
        """Opens a session for the device. A member who is leaving gets 409 `account_leaving` with
        `erase_at`; with `restore: true` they come back and are logged in. While many guess
        a member's password, only places where the member was seen get in: others are 429,
        whatever the password."""
        body = LoginIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        # By address too: guessing from one place must not lock the member out at another.
        address = RateThrottle().caller(request)
        count_call("login_account", f"{address}:{data['username'].lower()}")
        pair = sessions.log_in(**data | {"device": here(request, data["device"])})
        return tokens_answer(request, pair)


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
        token = body.validated_data["refresh_token"]
        if not sessions.is_known(token):
            # Before it is counted: each that somebody makes up would leave a row.
            raise errors.RefreshTokenInvalid
        count_call("refresh", sessions.fingerprint(token))
        pair = sessions.refresh(**body.validated_data, network=network(request))
        return tokens_answer(request, pair)


class LogoutView(APIView):
    """Logging out."""

    permission_classes = [IsMember]

    @describe(summary="Log this device out", tag="auth", answers={204: None})
    def post(self, request: Request) -> Response:
        """Ends this device's session alone."""
        reason = DeviceSession.EndReason.LOGOUT
        sessions.end_session(session=current_session(request), reason=reason)
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
        query=[Query("username", "The name to check; none is `username_invalid`.")],
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
