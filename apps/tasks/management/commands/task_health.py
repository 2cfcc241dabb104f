"""`manage.py task_health`: whether background work goes on."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.tasks.health import Health, check_health, runs_workers
from apps.tasks.sweeper import sweep_tasks


class Command(BaseCommand):
    """The container's health check, and a look for operators."""

    help = (
        "Sweep, then exit 1 where the worker is frozen, a task has been due for too long, or "
        "tasks died lately."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The limits."""
        parser.add_argument("--json", action="store_true", help="print all figures as JSON")
        parser.add_argument(
            "--max-due",
            type=float,
            default=300,
            metavar="SECONDS",
            help="how long a task may have been due (300)",
        )
        parser.add_argument(
            "--dead-within",
            type=float,
            default=600,
            metavar="SECONDS",
            help="tasks that died within this time are a problem (600); 0: they are none",
        )
        parser.add_argument(
            "--worker",
            default=settings.TASK_WORKER_NAME,
            metavar="NAME",
            help="the worker that has to be alive (TASK_WORKER_NAME, else this host's)",
        )
        parser.add_argument(
            "--no-worker", action="store_true", help="don't ask for a worker: this host has none"
        )
        parser.add_argument("--no-sweep", action="store_true", help="look, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print, and exit with the status."""
        if not options["no_sweep"]:
            sweep_tasks()
        health = check_health(
            max_due_seconds=options["max_due"],
            dead_seconds=options["dead_within"],
            worker=options["worker"] if runs_workers() and not options["no_worker"] else None,
        )
        if options["json"]:
            self.stdout.write(json.dumps(health.as_dict(), indent=2))
        else:
            self._say(health)
        if health.problems:
            sys.exit(1)

    def _say(self, health: Health) -> None:
        for problem in health.problems:
            self.stdout.write(f"problem: {problem}")
        self.stdout.write(", ".join(f"{count} {state}" for state, count in health.states.items()))
