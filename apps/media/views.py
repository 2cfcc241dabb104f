"""The uploads endpoints."""

from typing import cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.idempotency import idempotent
from apps.common.lookups import get_or_404
from apps.common.openapi import describe
from apps.common.permissions import MembersOnly
from apps.media import errors, services
from apps.media.models import Upload
from apps.media.serializers import UploadIn
from apps.media.shapes import (
    TicketOut,
    UploadOut,
    UploadStatusOut,
    media_base,
    ticket_shape,
    upload_shape,
)

_UPLOAD_ID = "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a11"


class UploadsView(APIView):
    """Announcing a photo."""

    permission_classes = [MembersOnly]

    @describe(
        summary="Start an upload",
        tag="uploads",
        body=UploadIn,
        answers={201: TicketOut},
        idempotent=True,
        example_in={"content_type": "image/jpeg", "size": 2483201},
        example_out={
            "id": _UPLOAD_ID,
            "status": "waiting",
            "method": "POST",
            "url": "https://storage.example.com/",
            "fields": {"key": f"incoming/{_UPLOAD_ID}", "Content-Type": "image/jpeg"},
            "expires_at": "2026-11-23T10:00:00Z",
        },
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Answers with a ticket. Send the file as multipart/form-data to `url`: every one of
        `fields` first, then the file as `file`. Then call `complete`."""
        body = UploadIn(data=request.data)
        body.is_valid(raise_exception=True)
        owner_id = cast(UUID, request.user.pk)  # MembersOnly lets nobody else in.
        upload, ticket = services.create_upload(owner_id=owner_id, **body.validated_data)
        answer = ticket_shape(upload, ticket, request)
        return Response(answer, status=201)


class UploadView(APIView):
    """One upload of the member's own."""

    permission_classes = [MembersOnly]

    @describe(
        summary="How far an upload is",
        tag="uploads",
        answers={200: UploadOut},
        example_out={
            "id": _UPLOAD_ID,
            "status": "failed",
            "failure": {"code": "truncated", "detail": "파일이 중간에 끊겼어요. 다시 보내 주세요."},
        },
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        """Ask again until `status` is `ready` or `failed`."""
        upload = get_or_404(Upload.objects.visible_to(request.user), upload_id)
        return Response(upload_shape(upload, media_base(request)))


class UploadCompleteView(APIView):
    """Saying that the file has been sent."""

    permission_classes = [MembersOnly]

    @describe(
        summary="Say that the file was sent",
        tag="uploads",
        answers={202: UploadStatusOut},
        errors=[errors.UploadNotReceived, errors.UploadExpired],
        example_out={"id": _UPLOAD_ID, "status": "processing"},
    )
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Starts the processing. Calling it again is harmless."""
        upload = get_or_404(Upload.objects.visible_to(request.user), upload_id)
        upload = services.complete_upload(upload=upload)
        return Response({"id": upload.pk, "status": upload.status}, status=202)
