"""Paths of the uploads endpoints, under /api/v1."""

from django.urls import path

from apps.media import views

urlpatterns = [
    path("uploads", views.UploadsView.as_view()),
    path("uploads/<uuid:upload_id>", views.UploadView.as_view()),
    path("uploads/<uuid:upload_id>/complete", views.UploadCompleteView.as_view()),
]
