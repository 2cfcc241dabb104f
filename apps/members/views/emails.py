"""E-mail addresses."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.openapi import describe
from apps.common.permissions import IsMember
from apps.members import errors, examples
from apps.members.authentication import current_member
from apps.members.serializers import LinkIn
from apps.members.services import email_addresses


class EmailVerifyView(APIView):
    """Whether the address is the member's."""

    permission_classes = [IsMember]
    throttle_scopes = ["ask_for_mail"]

    @describe(
        summary="Ask for a mail to confirm my address",
        tag="auth",
        answers={202: None, 204: None},
        errors=[errors.EmailMissing],
    )
    def post(self, request: Request) -> Response:
        """202: a mail is on its way; of many in 15 minutes a few are sent. 204: the address is
        confirmed already."""
        asked = email_addresses.ask_for_verification(member=current_member(request))
        return Response(status=202 if asked else 204)


class EmailVerifyConfirmView(APIView):
    """The link in the mail."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["link"]

    @describe(
        summary="Confirm an address",
        tag="auth",
        body=LinkIn,
        answers={204: None},
        errors=[errors.LinkInvalid],
        example_in=examples.LINK,
    )
    def post(self, request: Request) -> Response:
        """Within two days of the mail, while the account has the address. Again does no harm."""
        body = LinkIn(data=request.data)
        body.is_valid(raise_exception=True)
        email_addresses.confirm_email(**body.validated_data)
        return Response(status=204)
