"""`manage.py run_task ID`: what a one-off container runs."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.tasks.runner import run_task


class Command(BaseCommand):
    """One task, here and now."""

    help = "Run one background task, if it is due: what ECS starts a container for."

    def add_arguments(self, parser: CommandParser) -> None:
        """The task."""
        parser.add_argument("task_id")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 where it is done or was nobody's to do, 1 where the attempt failed."""
        try:
            outcome = run_task(options["task_id"])
        except ValueError as error:
            raise CommandError(f"{options['task_id']} is not the id of a task.") from error
        self.stdout.write(outcome or "nothing to do: it is over, not due, or another worker's")
        if outcome in ("retried", "dead", "superseded"):
            sys.exit(1)
