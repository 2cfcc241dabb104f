"""Uploads, storage drivers and the image pipeline."""

from django.apps import AppConfig


class MediaConfig(AppConfig):
    """Photos that members send."""

    name = "apps.media"
    verbose_name = "Media"
