"""Draw the diagrams of docs/ from the code, or check that the drawn ones are what the code says."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.ops.diagrams import DOCUMENTS, Outdated, document


class Command(BaseCommand):
    """`manage.py diagrams` writes docs/erd.md and docs/flow.md; `--check` fails if stale."""

    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check`."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Raises CommandError for a stale diagram, or one that names what no longer exists."""
        docs = Path(settings.BASE_DIR) / "docs"
        try:
            texts = {docs / name: document(name) for name in DOCUMENTS}
        except Outdated as error:
            raise CommandError(str(error)) from error
        if not check:
            for path, text in texts.items():
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return
        stale = [
            f"docs/{path.name} is stale: run `make generate`."
            for path, text in texts.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]
        if stale:
            raise CommandError("\n".join(stale))
