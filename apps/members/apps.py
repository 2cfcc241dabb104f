"""Members, their devices and consents."""

from django.apps import AppConfig


class MembersConfig(AppConfig):
    """Who uses igloo."""

    name = "apps.members"
    verbose_name = "Members"
