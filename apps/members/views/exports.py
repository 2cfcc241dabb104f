"""Exports: asking for one, looking for it, and getting the file."""

from uuid import UUID

from django.core.files.storage import storages
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.idempotency import idempotent
from apps.common.lookups import get_or_404
from apps.common.openapi import describe
from apps.common.permissions import IsMember
from apps.media.drivers import issue_link
from apps.members import examples
from apps.members.authentication import current_member
from apps.members.errors import LinkInvalid
from apps.members.models import Export
from apps.members.services import exporting
from apps.members.shapes import ExportOut, ExportStartedOut
from apps.members.views.pages import page

_FILENAME = "igloo-export.zip"


class ExportsView(APIView):
    """Asking for one's data. A suspended member may."""

    permission_classes = [IsMember]
    throttle_scopes = ["export"]

    @describe(
        summary="Export my data",
        tag="members",
        answers={202: ExportStartedOut},
        idempotent=True,
        example_out=examples.EXPORT_STARTED,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """A zip of all that the member gave, made in the background. While one is being made,
        that one."""
        export = exporting.request_export(member=current_member(request))
        return Response({"id": export.pk, "status": export.status}, status=202)


class ExportView(APIView):
    """One of the caller's exports."""

    permission_classes = [IsMember]

    @describe(
        summary="An export of my data",
        tag="members",
        answers={200: ExportOut},
        example_out=examples.EXPORT,
    )
    def get(self, request: Request, export_id: UUID) -> Response:
        """How far it is. A day after it was ready it is gone, and its `url` with it. After
        `failed`, ask for another."""
        export = get_or_404(Export.objects.visible_to(request.user), export_id)
        return Response(exporting.status_of(export))


@never_cache
@require_safe
def export_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file of a link, for whoever has it."""
    response: HttpResponseBase
    try:
        export = exporting.export_of(token)
    except LinkInvalid:
        return page(request, "export_gone", status=404)
    link = issue_link(export.key, filename=_FILENAME)
    if link is not None:
        response = HttpResponseRedirect(link)
    else:
        file = storages["originals"].open(export.key)
        response = FileResponse(file, as_attachment=True, filename=_FILENAME)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
