"""`manage.py zappa_events`: the EventBridge rules of what is declared."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.tasks.events import STAGE, declared_events, written_events

# Of the file: what `zappa init` writes.
_INDENT = 4


class Command(BaseCommand):
    """Prints the events; `--write` puts them into zappa_settings.json, `--check` compares."""

    help = "Print, write or check the events of zappa_settings.json, as the code declares them."
    # One of them says that this has to be run.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--write` or `--check`."""
        either = parser.add_mutually_exclusive_group()
        either.add_argument("--write", action="store_true", help="write them into the file")
        either.add_argument("--check", action="store_true", help="exit 1 where the file differs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where the file differs, or can't be read."""
        declared = declared_events()
        if not options["write"] and not options["check"]:
            self.stdout.write(json.dumps(declared, indent=_INDENT))
            return
        path = Path(settings.BASE_DIR) / "zappa_settings.json"
        try:
            written = written_events(path)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if written == declared:
            self.stdout.write(f"{path.name}: the events are as declared")
        elif options["check"]:
            raise CommandError(
                f"The events of {path.name} are not as declared; run manage.py zappa_events "
                "--write.\n" + "\n".join(differences(written, declared))
            )
        else:
            text = path.read_text(encoding="utf-8")
            path.write_text(with_events(text, declared), encoding="utf-8")
            self.stdout.write("\n".join(differences(written, declared)))


def differences(written: list[dict[str, Any]], declared: list[dict[str, Any]]) -> list[str]:
    """What has to be done to what is written, a line for each event: `- old`, `+ new`."""
    lines = []
    names = {str(event.get("name")) for event in [*written, *declared]}
    for name in sorted(names):
        old, new = (
            [json.dumps(event) for event in events if str(event.get("name")) == name]
            for events in (written, declared)
        )
        if old != new:
            lines += [f"- {event}" for event in old] + [f"+ {event}" for event in new]
    return lines or ["The order differs."]


def with_events(text: str, events: list[dict[str, Any]]) -> str:
    """The text of a zappa_settings.json with these events; all else stays, letter for letter.

    The text must have a list of events in its base stage, as `written_events` sees to.
    """
    wanted = json.loads(text)
    wanted[STAGE]["events"] = events
    said = json.dumps(events, indent=_INDENT).replace("\n", "\n" + " " * 2 * _INDENT)
    # Other stages, and other things in this one, may have "events" too.
    for key in re.finditer(r'"events"\s*:\s*', text):
        _, end = json.JSONDecoder().raw_decode(text, key.end())
        changed = text[: key.end()] + said + text[end:]
        if json.loads(changed) == wanted:
            return changed.rstrip() + "\n"
    raise AssertionError("written_events found the list")
