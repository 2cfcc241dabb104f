"""Posts of homes, their photos, likes and comments, and the taxonomies that describe them."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PostsConfig(AppConfig):
    """What people share."""

    name = "apps.posts"
    verbose_name = _("Posts")

    def ready(self) -> None:
        """Say what is kept of a member."""
        from apps.posts.services.belongings import register_own

        register_own()
