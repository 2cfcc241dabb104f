"""`manage.py recompute_renditions`: make the renditions of all photos again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.media.models import RenditionRun
from apps.media.rendition_runs import RunInProgress, start_run


class Command(BaseCommand):
    """Begin a run, or say how far the last one is."""

    help = (
        "Begin to make the renditions of all photos again, as a background task of the queue "
        "`heavy`. --progress says how far the last run is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether only to look."""
        parser.add_argument("--progress", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin, or look."""
        if options["progress"]:
            run = RenditionRun.objects.order_by("-id").first()
            if run is None:
                raise CommandError("There was no run yet.")
            state = "finished" if run.finished_at else "not over"
            self.stdout.write(f"{run} photos, {run.failed} of them failed; {state}")
            return
        try:
            run = start_run()
        except RunInProgress as error:
            raise CommandError("A run is not over: see --progress, and its task.") from error
        self.stdout.write(f"a run over {run.total} photos was enqueued")
