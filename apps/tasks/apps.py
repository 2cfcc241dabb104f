"""The app of background work."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TasksConfig(AppConfig):
    """What is kept beside the task rows: attempts that failed, what was sent again, who works."""

    name = "apps.tasks"
    verbose_name = "Background work"

    def ready(self) -> None:
        """Import each app's tasks.py, as the admin does with admin.py."""
        autodiscover_modules("tasks")
        from apps.tasks import checks  # noqa: F401 - registers them
