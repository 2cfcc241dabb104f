"""The devices that a member is logged in on."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.lookups import get_or_404
from apps.common.openapi import PAGING, describe, page_schema
from apps.common.paging import page_of
from apps.common.permissions import IsMember
from apps.members import examples
from apps.members.authentication import current_session
from apps.members.models import DeviceSession
from apps.members.services import sessions
from apps.members.shapes import (
    SESSION_COLUMNS,
    SessionOut,
    session_shape,
)


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
