"""`manage.py task_worker`: run background tasks."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """The Django-Q cluster, looked after."""

    help = (
        "Run background tasks until TERM or Ctrl-C; tasks that run then have 110 s to end. "
        "TASK_WORKERS processes, 2 unless it says otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The part that is looked after."""
        parser.add_argument(
            "--cluster",
            action="store_true",
            help="the Django-Q cluster alone: what this command starts and watches",
        )
        parser.add_argument(
            "--supervisor",
            type=int,
            metavar="PID",
            help="end the cluster when this process is gone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and exit with the status."""
        if options["cluster"]:
            from apps.tasks.worker.cluster import run_cluster

            run_cluster(options["supervisor"])
            return
        from apps.tasks.worker.supervisor import Supervisor

        sys.exit(Supervisor().run())
