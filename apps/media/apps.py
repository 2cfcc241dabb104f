"""Uploads, storage drivers and the image pipeline."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MediaConfig(AppConfig):
    """Photos that members send."""

    name = "apps.media"
    verbose_name = _("Media")
