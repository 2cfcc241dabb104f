"""Periodic work: declared once, fired by Django-Q's schedules or by EventBridge's rules.

Whoever fires enqueues a task that exists once for its slot, the minute for which it was due. So
both worlds may run beside each other, and either may fire twice.
"""

import datetime as dt
import inspect
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django_tasks.base import Task

from apps.tasks import services
from apps.tasks.cron import Cron, parse_cron

logger = logging.getLogger(__name__)

# A clock that is so much slow still finds the slot that it was called for, rather than the one
# before. More would give a call that comes late, near the end of its minute, to the next minute.
_SLOW_CLOCK = dt.timedelta(seconds=5)
_FIRED_BY_NOW = dt.timedelta(minutes=1)
# More would fire a daily task at once where it was declared some hours after its time.
_MISSED_AT_MOST = dt.timedelta(minutes=10)
# The name of an EventBridge rule has 64 characters: of these, two hyphens and the 22 of
# "apps.tasks.events.fire". Zappa fills what is left with the stage's name, or digits of its hash:
# eight at least, or the rules of two stages in one account would have the same name.
LONGEST_NAME = 64 - 2 - 22 - 8
_NAME = re.compile(r"[a-z0-9-]+")
# Of a rule that is not declared here: apps/tasks/events.py.
SWEEP = "sweep-tasks"
_FIRE = "apps.tasks.periodic.fire"
# Any number, of an advisory lock that nothing else takes: "igloo".
_SYNC_LOCK = 0x69676C6F6F


@dataclass(frozen=True)
class Periodic:
    """A declaration."""

    name: str
    cron: Cron
    task: Task


_declared: dict[str, Periodic] = {}


def periodic(name: str, cron: str, task: Task) -> None:
    """Have a task without arguments enqueued again and again. For the top level of a tasks.py.

    Args:
        name: what it is called everywhere, `[a-z0-9-]`, 32 characters at most.
        cron: five fields, in UTC; see `parse_cron`.

    Raises:
        ValueError: the name or the cron won't do, or the task needs an argument.
    """
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ValueError(
            f"the periodic name {name!r} must be made of a-z, 0-9 and -, with {LONGEST_NAME} "
            "characters at most"
        )
    if name in _declared or name == SWEEP:
        raise ValueError(f"the periodic name {name!r} is taken")
    try:
        inspect.signature(task.func).bind(*[None] * task.takes_context)
    except TypeError as error:
        raise ValueError(f"periodic {name!r}: {task.module_path} is called with {error}") from error
    _declared[name] = Periodic(name, parse_cron(cron), task)


def declared() -> Mapping[str, Periodic]:
    """All that was declared, by its name."""
    return _declared


def fire(name: str, at: dt.datetime | str | None = None) -> None:
    """Enqueue the task of a declaration for its latest slot, unless that was done before.

    A name that is not declared is a schedule left by another version: it is logged, and nothing
    is done.

    Args:
        at: when it was due, as an aware time or ISO 8601; now, if nothing is given. A caller that
            knows it should say it, however late it is. The slot is the last time of the cron at
            or before it, where up to 5 s before the slot still count as at it.

    Raises:
        ValueError: `at` is no time, or has no time zone.
        InvalidTaskError: see `enqueue_once`.
    """
    work = _declared.get(name)
    if work is None:
        logger.warning("periodic work %r is not declared in this version: not enqueued", name)
        return
    moment = dt.datetime.fromisoformat(at) if isinstance(at, str) else at or timezone.now()
    if timezone.is_naive(moment):
        raise ValueError(f"{moment.isoformat()} has no time zone")
    slot = work.cron.latest(moment + _SLOW_CLOCK)
    services.enqueue_once(work.task, f"{name}@{slot:%Y-%m-%dT%H:%MZ}")


def fire_missed() -> None:
    """Enqueue what was due between ten minutes and one minute ago and was fired by nobody.

    On Lambda an event can be lost while the database is away, and in the middle of a deploy an
    older worker may have fired a name that it does not know. Firing what was fired does nothing.
    """
    now = timezone.now()
    for work in _declared.values():
        slot = work.cron.latest(now - _FIRED_BY_NOW)
        if slot > now - _MISSED_AT_MOST:
            fire(work.name, slot)


def sync_schedules() -> list[str]:
    """Make Django-Q's schedules what is declared; those of others are left alone.

    A schedule whose cron is unchanged keeps the time of its next run, so that a deploy skips
    nothing that is due. Any number of processes may do this at once.

    Returns:
        What was done: "created NAME", "updated NAME", "deleted NAME".
    """
    # Here: EventBridge's side needs nothing of Django-Q.
    from django_q.models import Schedule

    now = timezone.now()
    missing = dict(_declared)
    done = []
    with transaction.atomic():
        # Schedule has no constraint that would keep two processes from adding the same.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SYNC_LOCK])
        # In their default order, in which Django-Q's scheduler locks them.
        for row in Schedule.objects.filter(func=_FIRE):
            work = missing.pop(row.name, None)
            if work is None:
                row.delete()
                done.append(f"deleted {row.name}")
                continue
            wanted = _schedule_of(work)
            changes = {key: value for key, value in wanted.items() if getattr(row, key) != value}
            if "cron" in changes or row.next_run is None:
                changes["next_run"] = work.cron.next(now)
            if changes:
                # Not save(): the scheduler may just have moved next_run.
                Schedule.objects.filter(pk=row.pk).update(**changes)
                done.append(f"updated {row.name}")
        for work in missing.values():
            # Its save() sets next_run.
            Schedule.objects.create(name=work.name, func=_FIRE, **_schedule_of(work))
            done.append(f"created {work.name}")
    return done


def _schedule_of(work: Periodic) -> dict[str, Any]:
    return {
        "args": repr((work.name,)),
        "kwargs": None,
        "hook": None,
        "schedule_type": "C",  # Schedule.CRON
        "cron": work.cron.text,
        "repeats": -1,
        "cluster": None,
        # With it, `fire` is told when this run was due.
        "intended_date_kwarg": "at",
    }
