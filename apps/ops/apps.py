"""Running igloo: health, the API's document, demo data."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """What operators and engineers use."""

    name = "apps.ops"
    verbose_name = "Operations"
