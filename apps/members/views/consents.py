"""What a member consented to."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import NotFound
from apps.common.openapi import describe, page_schema
from apps.common.permissions import IsMember
from apps.members import errors, examples
from apps.members.authentication import current_member, current_session
from apps.members.models import Consent
from apps.members.serializers import ConsentChangeIn
from apps.members.services import consents
from apps.members.services.consents import ConsentChoice
from apps.members.shapes import ConsentChangedOut, ConsentStateOut, consent_states


class ConsentsView(APIView):
    """The member's own."""

    permission_classes = [IsMember]

    @describe(
        summary="My consents",
        tag="members",
        answers={200: page_schema(ConsentStateOut)},
        example_out={"items": [examples.MARKETING], "next_cursor": None},
    )
    def get(self, request: Request) -> Response:
        """Every kind, with what was last said to it: always one page."""
        items = consent_states(current_member(request), Consent.Kind.values)
        return Response({"items": items, "next_cursor": None})


class ConsentView(APIView):
    """One kind of consent."""

    permission_classes = [IsMember]
    throttle_scopes = ["consents"]

    @describe(
        summary="Agree to a text, or take it back",
        tag="members",
        body=ConsentChangeIn,
        answers={200: ConsentChangedOut},
        errors=[errors.ConsentNeeded, errors.MarketingNeeded],
        example_in={"version": "2026-11-01", "granted": True},
        example_out=examples.MARKETING | {"also": []},
    )
    def put(self, request: Request, kind: str) -> Response:
        """The answer is the confirmation that the law asks for: what holds, and since when. A mail
        confirms it too, where the address is verified; where it is not, nothing else does: the app
        shows the answer to the member. The same choice again changes nothing. A no to `marketing`
        takes `marketing_night` back as well, which `also` tells.

        `version` is the current one or an older one, in which case a required text is still asked
        for. A member who is suspended, or has not agreed to a new text, may call this."""
        if kind not in Consent.Kind.values:
            raise NotFound
        body = ConsentChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        choice = ConsentChoice(kind=kind, **body.validated_data)
        consents.change_consent(session=current_session(request), choice=choice)
        kinds = [kind, *consents.ends_with(choice)]
        [state, *also] = consent_states(current_member(request), kinds)
        return Response(state | {"also": also})
