"""Posts of homes, their photos, likes and comments, and the taxonomies that describe them."""

from django.apps import AppConfig


class PostsConfig(AppConfig):
    """What people share."""

    name = "apps.posts"
    verbose_name = "Posts"
