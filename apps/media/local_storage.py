"""What S3 does on AWS, on a laptop: takes a file with a ticket, and serves renditions."""

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    UnreadablePostError,
)
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.static import serve

from apps.common.errors import BadRequest, DomainError, MethodNotAllowed
from apps.common.problems import problem_response
from apps.media.drivers import local
from apps.media.errors import FileTooLarge

# The form's fields and boundaries around the file, in bytes.
_FORM_ALLOWANCE = 64 * 1024


@csrf_exempt  # The signed ticket is the permission.
def receive_file(request: HttpRequest) -> HttpResponse:
    """Store the file of a ticket: 204, or a problem."""
    if request.method != "POST":
        return problem_response(MethodNotAllowed(headers={"Allow": "POST"}))
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return problem_response(BadRequest())
    if length > settings.UPLOAD_MAX_BYTES + _FORM_ALLOWANCE:
        return problem_response(FileTooLarge())
    try:
        fields = {name: str(value) for name, value in request.POST.items()}
        local.receive(fields, request.FILES.get("file"))
    except UnreadablePostError:
        return problem_response(BadRequest())
    except DomainError as error:
        return problem_response(error)
    return HttpResponse(status=204)


def serve_rendition(request: HttpRequest, key: str) -> FileResponse | HttpResponse:
    """A public file; its name carries a hash of its content, so it never changes."""
    folder = str(settings.LOCAL_STORAGE_DIR / "public")
    try:
        response = serve(request, key, document_root=folder)
    except SuspiciousFileOperation as error:
        # Out of the folder: nothing is there for anybody.
        raise Http404 from error
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


urlpatterns = [
    path(local.PATH.lstrip("/"), receive_file),
    re_path(rf"^{settings.MEDIA_URL.lstrip('/')}(?P<key>[\w./-]{{1,200}})$", serve_rendition),
]
