"""Running igloo: health, the API's document, demo data."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OpsConfig(AppConfig):
    """What operators and engineers use."""

    name = "apps.ops"
    verbose_name = _("Operations")
