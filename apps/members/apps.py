"""Members, their devices and consents."""

from django.apps import AppConfig


class MembersConfig(AppConfig):
    """Who uses igloo."""

    name = "apps.members"
    verbose_name = "Members"

    def ready(self) -> None:
        """Say what is kept of a member."""
        from apps.members.services.own_belongings import register_own

        register_own()
