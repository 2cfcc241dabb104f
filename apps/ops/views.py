"""Health, the API's document and its page, and paths that do not exist."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import DatabaseUnavailable, DomainError, NotFound
from apps.common.openapi import describe
from apps.common.problems import RETRY_AFTER, problem_response
from apps.ops.shapes import AppConfigOut, app_config_shape
from igloo.version import commit, version


class NotReady(DomainError):
    """The database lacks migrations of this code."""

    status = 503
    code = "not_ready"
    text = _("The service is not available right now. Try again soon.")


OPENAPI_FILE = Path(settings.BASE_DIR) / "docs" / "openapi.json"


def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive, and which code it runs; a database that is away kills nobody."""
    return JsonResponse({"status": "ok", "version": version(), "commit": commit()})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 where the database answers and has every migration of this code, else 503."""
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return problem_response(DatabaseUnavailable(headers=RETRY_AFTER))
    if plan:
        missing = [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
        return problem_response(NotReady(extra={"migrations": missing}, headers=RETRY_AFTER))
    return JsonResponse({"status": "ok"})


@cache
def _openapi() -> bytes:
    return OPENAPI_FILE.read_bytes()


class OpenAPIView(APIView):
    """The API's document."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """The file that `manage.py openapi` wrote and `make check` holds to the code."""
        return HttpResponse(_openapi(), content_type="application/json")


class DocsView(APIView):
    """The document as a page; its script and style are static files of ours."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """The page."""
        return render(request._request, "ops/docs.html")


class UnknownPathView(APIView):
    """Every path under /api that no other view has."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """404, whatever the method."""
        raise NotFound


class AppConfigView(APIView):
    """What an app asks when it starts."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @describe(
        summary="What the app needs to know when it starts",
        tag="app",
        answers={200: AppConfigOut},
        example_out={
            "platforms": {
                "ios": {"minimum_version": "1.0.0", "latest_version": "1.0.0", "store_url": None},
                "android": {
                    "minimum_version": "1.0.0",
                    "latest_version": "1.0.0",
                    "store_url": None,
                },
            },
            "contact": {"email": "help@example.com"},
            "consent_versions": {
                "terms": "2026-11-01",
                "privacy": "2026-11-01",
                "marketing": "2026-11-01",
                "marketing_night": "2026-11-01",
            },
            "flags": {},
        },
    )
    def get(self, request: Request) -> Response:
        """Versions, store addresses, the contact, and the current version of each consent."""
        return Response(app_config_shape())
