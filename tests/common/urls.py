"""The API's paths, and some that misbehave."""

from django.db import IntegrityError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from igloo.urls import handler400, handler403, handler404, handler500
from igloo.urls import urlpatterns as real


class CrashView(APIView):
    """A fault of ours."""

    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        raise RuntimeError("secret detail")

    def post(self, request: Request) -> Response:
        raise IntegrityError("secret constraint")


class DatabaseAwayView(APIView):
    """The database goes away in the middle."""

    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 10")
            cursor.execute("SELECT pg_sleep(1)")
        return Response({})


class NestedView(APIView):
    """Takes any JSON."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        return Response({"data": request.data})


def crash_page(request: HttpRequest) -> HttpResponse:
    """A page outside of the API that fails."""
    raise OperationalError("connection refused")


urlpatterns = [
    path("api/v1/test/crash", CrashView.as_view()),
    path("api/v1/test/database-away", DatabaseAwayView.as_view()),
    path("api/v1/test/echo", NestedView.as_view()),
    path("test/crash-page", crash_page),
    *real,
]
__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
