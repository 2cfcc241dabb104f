"""The door that every app shares: errors, cursors, idempotency, ETags, throttles, ids."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Conventions of the API, once, for all apps."""

    name = "apps.common"
    verbose_name = "Common"
