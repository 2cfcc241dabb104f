"""Demo members, homes, likes and comments, for a laptop."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.ops.demo.seed import Progress, logins, seed


class Command(BaseCommand):
    """`manage.py demo` adds what is missing; `--show-logins` prints who can log in."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--show-logins`."""
        parser.add_argument("--show-logins", action="store_true", help="print the demo logins")

    def handle(self, *args: Any, show_logins: bool, **options: Any) -> None:
        """Raises CommandError on a deployed stage: everyone knows the demo's password."""
        if settings.DEPLOYED:
            raise CommandError("Demo data is for a laptop: its password is known to everyone.")
        if show_logins:
            for username, password, what in logins():
                self.stdout.write(f"{username} / {password}  ({what})")
            return
        # Hundreds of tasks are run; what counts is how far it is.
        logging.disable(logging.INFO)
        try:
            added = seed(self._report)
        finally:
            logging.disable(logging.NOTSET)
        self.stdout.write("Demo data added." if added else "Demo data is there already.")

    def _report(self, progress: Progress) -> None:
        """One line that is written over on a terminal, one in ten homes elsewhere."""
        line = f"  {progress.done} of {progress.total} homes"
        if self.stdout.isatty():
            self.stdout.write(f"\r{line}", ending="")
            if progress.done == progress.total:
                self.stdout.write("")
        elif progress.done % 10 == 0 or progress.done == progress.total:
            self.stdout.write(line)
        self.stdout.flush()
