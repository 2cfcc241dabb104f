"""The door that every app shares: errors, cursors, idempotency, ETags, throttles, ids."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommonConfig(AppConfig):
    """Conventions of the API, once, for all apps."""

    name = "apps.common"
    verbose_name = _("Common")
