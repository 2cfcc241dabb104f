"""Passwords."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.openapi import describe
from apps.common.permissions import IsMember
from apps.members import errors, examples
from apps.members.authentication import current_member, current_session
from apps.members.serializers import PasswordChangeIn, PasswordResetConfirmIn, PasswordResetIn
from apps.members.services import passwords
from apps.members.views.whereabouts import network


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
        passwords.change_password(
            member=current_member(request), session=current_session(request), **body.validated_data
        )
        return Response(status=204)


class PasswordResetView(APIView):
    """A forgotten password."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["password_reset"]

    @describe(
        summary="Ask for a mail to choose a new password",
        tag="auth",
        body=PasswordResetIn,
        answers={202: None},
        example_in={"email": "minji@example.com"},
    )
    def post(self, request: Request) -> Response:
        """The same answer whether or not there is such an account. The mail goes to an address that
        is confirmed, a few times in 15 minutes, and names each account that has it."""
        body = PasswordResetIn(data=request.data)
        body.is_valid(raise_exception=True)
        passwords.ask_for_reset(**body.validated_data)
        return Response(status=202)


class PasswordResetConfirmView(APIView):
    """A new password by the link in a mail."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["link"]

    @describe(
        summary="Choose a new password",
        tag="auth",
        body=PasswordResetConfirmIn,
        answers={204: None},
        errors=[errors.LinkInvalid],
        example_in=examples.LINK | {"new_password": "a longer one yet"},
    )
    def post(self, request: Request) -> Response:
        """Once, within 30 minutes of the mail. All devices are logged out. A password that is
        refused does not spend the `token`. If the answer was lost, log in: it tells."""
        body = PasswordResetConfirmIn(data=request.data)
        body.is_valid(raise_exception=True)
        passwords.confirm_reset(**body.validated_data, network=network(request))
        return Response(status=204)
