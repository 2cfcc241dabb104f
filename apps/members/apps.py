"""Members, their devices and consents."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    """Who uses igloo."""

    name = "apps.members"
    verbose_name = _("Members")

    def ready(self) -> None:
        """Say what is kept of a member."""
        from apps.members.services.own_belongings import register_own

        register_own()
