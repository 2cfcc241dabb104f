"""Passwords."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.openapi import describe
from apps.common.permissions import IsMember
from apps.members import errors
from apps.members.authentication import current_member, current_session
from apps.members.serializers import PasswordChangeIn
from apps.members.services import passwords


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
