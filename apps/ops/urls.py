"""Paths of operations: under /api/v1, and outside of the API."""

from django.urls import path

from apps.ops import views

api_urlpatterns = [
    path("app-config", views.AppConfigView.as_view()),
]
urlpatterns = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("api/v1/openapi.json", views.OpenAPIView.as_view()),
    path("api/docs", views.DocsView.as_view()),
]
