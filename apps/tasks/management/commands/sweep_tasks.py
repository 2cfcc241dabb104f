"""`manage.py sweep_tasks`: repair what workers and transports left behind."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.tasks.sweeper import sweep_tasks


class Command(BaseCommand):
    """One sweep."""

    help = "Free the tasks of workers that are gone, and send what nobody picked up."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was done."""
        swept = sweep_tasks()
        self.stdout.write(f"{swept.freed} freed, {swept.dead} dead, {swept.sent} sent")
