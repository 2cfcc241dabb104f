"""EventBridge: the rules that Zappa makes at a deploy, and what its handler calls for them.

Zappa's handler finds the function by the end of the rule's name, which is why these paths are
short. What they return would be sent back as JSON: nothing.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from django.db import close_old_connections

from apps.tasks import periodic
from apps.tasks.sweeper import sweep_tasks

# Of zappa_settings.json; the others extend it.
STAGE = "base"

Event = Mapping[str, Any]


def _with_fresh_connection(function: Callable[[Event], None]) -> Callable[[Event, object], None]:
    """No request begins and ends here, which would do it. Lambda freezes between two events."""

    @wraps(function)
    def handle(event: Event, context: object) -> None:
        close_old_connections()
        try:
            function(event)
        finally:
            close_old_connections()

    return handle


@_with_fresh_connection
def fire(event: Event) -> None:
    """A rule of periodic work is due: see periodic.fire."""
    periodic.fire(event["kwargs"]["name"], event["time"])


@_with_fresh_connection
def sweep(event: Event) -> None:
    """Each minute: see sweep_tasks and fire_missed."""
    sweep_tasks()
    periodic.fire_missed()


def declared_events() -> list[dict[str, Any]]:
    """What `events` of zappa_settings.json has to be, in the order of the names."""
    fired = [
        {
            "name": work.name,
            "function": f"{__name__}.fire",
            "expression": work.cron.eventbridge,
            "kwargs": {"name": work.name},
        }
        for work in periodic.declared().values()
    ]
    swept = {
        "name": periodic.SWEEP,
        "function": f"{__name__}.sweep",
        "expression": "rate(1 minute)",
    }
    return sorted([*fired, swept], key=lambda event: str(event["name"]))


def written_events(path: Path) -> list[dict[str, Any]]:
    """What `events` of a zappa_settings.json is.

    Raises:
        ValueError: the file is not JSON, or has no list there.
    """
    settings = json.loads(path.read_text(encoding="utf-8"))
    try:
        events = settings[STAGE]["events"]
    except (KeyError, TypeError) as error:
        raise ValueError(f'{path.name}: stage "{STAGE}" has no "events"') from error
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError(f'{path.name}: "events" of stage "{STAGE}" is no list of objects')
    return events
