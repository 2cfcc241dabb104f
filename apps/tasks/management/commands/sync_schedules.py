"""`manage.py sync_schedules`: make Django-Q's schedules what is declared."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.tasks.periodic import sync_schedules


class Command(BaseCommand):
    """One synchronisation."""

    help = "Create, update and delete the schedules of periodic work, as the code declares it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was done."""
        self.stdout.write("\n".join(sync_schedules()) or "nothing to change")
