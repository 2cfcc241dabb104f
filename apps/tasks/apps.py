"""The app of background work."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _


class TasksConfig(AppConfig):
    """What is kept beside the task rows: attempts that failed, what was sent again, who works."""

    name = "apps.tasks"
    verbose_name = _("Background work")

    def ready(self) -> None:
        """Import the tasks.py of each app of ours, as the admin does with admin.py."""
        for config in apps.get_app_configs():
            # Not by Django's autodiscover_modules: Django-Q has a module of this name, too.
            if config.name.startswith("apps.") and module_has_submodule(config.module, "tasks"):
                import_module(f"{config.name}.tasks")
        from apps.tasks import checks  # noqa: F401 - registers them
