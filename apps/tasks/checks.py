"""System checks of the settings of background work."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from apps.tasks.backend import check_path
from apps.tasks.errors import UnknownTask
from apps.tasks.events import declared_events, written_events
from apps.tasks.periodic import declared
from apps.tasks.policies import QueuePolicy
from apps.tasks.transports import NAMES

# Seconds: what Lambda gives an invocation.
_LAMBDA_LIMIT = 900
_POSITIVE = [field.name for field in fields(QueuePolicy) if field.name != "transport"]


@register("tasks")
def check_queues(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """TASK_QUEUES: a sound policy for each queue that there is, and for no other."""
    found: list[CheckMessage] = []
    if "default" not in settings.TASK_QUEUES:
        found.append(Error('TASK_QUEUES has no "default".', id="tasks.E001"))
    known = {name for backend in settings.TASKS.values() for name in backend.get("QUEUES", [])}
    if differing := sorted(known ^ set(settings.TASK_QUEUES)):
        found.append(
            Error(
                f"TASK_QUEUES and the QUEUES of TASKS differ in: {', '.join(differing)}.",
                hint="A queue must be in both.",
                id="tasks.E002",
            )
        )
    for name, values in settings.TASK_QUEUES.items():
        found += _check_policy(f'TASK_QUEUES["{name}"]', values)
    return found


def _check_policy(place: str, values: Mapping[str, Any]) -> Iterator[CheckMessage]:
    try:
        policy = QueuePolicy(**values)
    except TypeError as error:
        wanted = ", ".join(field.name for field in fields(QueuePolicy))
        yield Error(f"{place} is no policy: {error}.", hint=f"It takes {wanted}.", id="tasks.E003")
        return
    if policy.transport not in NAMES:
        yield Error(
            f"{place}: there is no transport {policy.transport!r}.",
            hint=f"There are {', '.join(NAMES)}.",
            id="tasks.E004",
        )
    bad = [name for name in _POSITIVE if not _is_positive(name, getattr(policy, name))]
    for name in bad:
        kind = "whole number" if name == "max_attempts" else "number of seconds"
        yield Error(
            f"{place}: {name} must be a {kind} above 0, not {getattr(policy, name)!r}.",
            id="tasks.E005",
        )
    if bad:
        return
    if policy.backoff > policy.backoff_cap:
        yield Error(f"{place}: backoff is longer than backoff_cap.", id="tasks.E006")
    if policy.transport == "zappa" and policy.time_limit >= _LAMBDA_LIMIT:
        yield Error(
            f"{place}: time_limit must be under the {_LAMBDA_LIMIT} s that Lambda gives.",
            hint="What takes longer belongs on a queue with the transport ecs.",
            id="tasks.E007",
        )
    if policy.lease > policy.time_limit:
        # No error: it works, and experiments do it.
        yield Warning(
            f"{place}: lease is longer than time_limit.",
            hint="A task whose worker died waits for longer than it may run.",
            id="tasks.W001",
        )


def _is_positive(name: str, value: Any) -> bool:
    kind = int if name == "max_attempts" else (int, float)
    # True is an int, and NaN is not above 0.
    return isinstance(value, kind) and not isinstance(value, bool) and value > 0


@register("tasks")
def check_transports(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What the transports in use have to know."""
    used = {values.get("transport") for values in settings.TASK_QUEUES.values()}
    missing = []
    if "zappa" in used and not settings.TASK_LAMBDA_FUNCTION:
        missing.append(("zappa", "TASK_LAMBDA_FUNCTION, which Lambda tells"))
    if "ecs" in used:
        missing += [
            ("ecs", f"ECS_{name.upper()}")
            for name in ("cluster", "task_definition", "container", "subnets")
            if not settings.ECS[name]
        ]
    return [
        Error(f"The transport {transport} needs {setting}.", id="tasks.E008")
        for transport, setting in missing
    ]


@register("tasks")
def check_periodic(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Periodic work can be enqueued, and Zappa's events are what is declared."""
    found: list[CheckMessage] = []
    for work in declared().values():
        try:
            check_path(work.task)
        except UnknownTask as error:
            found.append(Error(f"Periodic work {work.name}: {error}", id="tasks.E009"))
    path = Path(settings.BASE_DIR) / "zappa_settings.json"
    if not path.exists():  # in the Lambda package
        return found
    try:
        stale = written_events(path) != declared_events()
    except ValueError as error:
        found.append(Error(f"zappa_settings.json can't be read: {error}", id="tasks.E010"))
        return found
    if stale:
        found.append(
            Error(
                "zappa_settings.json's events differ from the periodic work that is declared.",
                hint="Run manage.py zappa_events --write.",
                id="tasks.E011",
            )
        )
    return found
