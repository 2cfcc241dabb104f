"""Periodic work: one row per slot, whoever fires it, and schedules that are what is declared."""

import datetime as dt
import logging
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from django_tasks.base import TaskResultStatus

from apps.tasks import events, periodic
from apps.tasks.models import BackgroundTask
from apps.tasks.periodic import fire, sync_schedules
from apps.tasks.services import enqueue_once
from apps.tasks.worker.brokers import TableBroker
from tests.concurrency import at_once
from tests.tasks.periodic_samples import needs_an_id, note, note_with_context, other_note

DAILY, MONTHLY = "0 3 * * *", "0 3 1 * *"
NIGHT = "2026-03-02T03:00Z"
FIRE = "apps.tasks.periodic.fire"


@pytest.fixture(autouse=True)
def _nothing_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test declares its own."""
    monkeypatch.setattr(periodic, "_declared", {})


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def assert_slots(name: str, *slots: str) -> None:
    """There are the rows of these slots, and no others."""
    assert BackgroundTask.objects.count() == len(slots)
    for slot in slots:
        # The key of a slot finds the row that there is, rather than adding one.
        enqueue_once(periodic.declared()[name].task, f"{name}@{slot}")
    assert BackgroundTask.objects.count() == len(slots)


# --- Declaring -----------------------------------------------------------------------------------


def test_a_declaration_has_a_name_a_cron_and_a_task() -> None:
    periodic.periodic("nightly-2", DAILY, note)
    [work] = periodic.declared().values()
    assert (work.name, work.cron.text, work.task) == ("nightly-2", DAILY, note)


@pytest.mark.parametrize("name", ["", "Nightly", "night_ly", "night.ly", "밤", "x" * 33, "a\n"])
def test_a_name_that_a_rule_could_not_carry_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be made of a-z, 0-9 and -, with 32 characters"):
        periodic.periodic(name, DAILY, note)
    assert not periodic.declared()


@pytest.mark.parametrize("name", ["nightly", "sweep-tasks"])
def test_a_name_is_taken_once(name: str) -> None:
    periodic.periodic("nightly", DAILY, note)
    with pytest.raises(ValueError, match=f"'{name}' is taken"):
        periodic.periodic(name, MONTHLY, other_note)
    assert periodic.declared()["nightly"].task is note


def test_a_bad_cron_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ValueError, match="hour '25'"):
        periodic.periodic("nightly", "0 25 * * *", note)
    assert not periodic.declared()


def test_a_task_that_needs_an_argument_is_refused() -> None:
    with pytest.raises(ValueError, match="missing a required argument: 'upload_id'"):
        periodic.periodic("nightly", DAILY, needs_an_id)
    periodic.periodic("nightly", DAILY, note_with_context)


# --- Firing --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_firing_enqueues_the_task() -> None:
    periodic.periodic("nightly", DAILY, note)
    fire("nightly", NIGHT)
    row = BackgroundTask.objects.get()
    assert row.task_path == note.module_path
    assert row.status == TaskResultStatus.READY
    assert row.args_kwargs["args"] == []
    assert row.args_kwargs["kwargs"] == {}
    assert_slots("nightly", NIGHT)


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        # The scheduled minute as EventBridge says it, and as Django-Q does.
        ("2026-03-02T03:00:00Z", "2026-03-02T03:00Z"),
        ("2026-03-02T03:00:00+00:00", "2026-03-02T03:00Z"),
        # Late, by however much.
        ("2026-03-02T03:00:59Z", "2026-03-02T03:00Z"),
        ("2026-03-02T23:59:59Z", "2026-03-02T03:00Z"),
        # By a clock that is 5 s slow, and one that is more so.
        ("2026-03-02T02:59:55Z", "2026-03-02T03:00Z"),
        ("2026-03-02T02:59:54Z", "2026-03-01T03:00Z"),
        # In another zone.
        ("2026-03-02T12:00:00+09:00", "2026-03-02T03:00Z"),
        (utc("2026-03-02T03:00"), "2026-03-02T03:00Z"),
    ],
)
@pytest.mark.django_db
def test_the_slot_is_the_latest_time_of_the_cron(at: dt.datetime | str, slot: str) -> None:
    periodic.periodic("nightly", DAILY, note)
    fire("nightly", at)
    assert_slots("nightly", slot)


@pytest.mark.django_db
def test_without_a_time_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    periodic.periodic("nightly", DAILY, note)
    monkeypatch.setattr(timezone, "now", lambda: utc("2026-03-02T04:30:05"))
    fire("nightly")
    assert_slots("nightly", NIGHT)


@pytest.mark.django_db
def test_a_slot_that_is_fired_twice_makes_one_row() -> None:
    periodic.periodic("nightly", DAILY, note)
    fire("nightly", NIGHT)
    fire("nightly", "2026-03-02T03:00:40Z")
    assert_slots("nightly", NIGHT)


@pytest.mark.django_db
def test_a_slot_whose_task_is_over_is_not_run_again() -> None:
    periodic.periodic("nightly", DAILY, note)
    fire("nightly", NIGHT)
    BackgroundTask.objects.update(status=TaskResultStatus.SUCCESSFUL)
    fire("nightly", NIGHT)
    assert BackgroundTask.objects.get().status == TaskResultStatus.SUCCESSFUL


@pytest.mark.django_db
def test_each_slot_makes_a_row() -> None:
    periodic.periodic("nightly", DAILY, note)
    fire("nightly", NIGHT)
    fire("nightly", "2026-03-03T03:00Z")
    assert_slots("nightly", NIGHT, "2026-03-03T03:00Z")


@pytest.mark.django_db
def test_two_declarations_of_one_task_make_a_row_each() -> None:
    periodic.periodic("nightly", DAILY, note)
    periodic.periodic("again", DAILY, note)
    fire("nightly", NIGHT)
    fire("again", NIGHT)
    assert BackgroundTask.objects.count() == 2


@pytest.mark.django_db
def test_a_name_of_another_version_is_logged_and_enqueues_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fire("long-gone", NIGHT)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "'long-gone' is not declared" in record.message
    assert not BackgroundTask.objects.exists()


@pytest.mark.parametrize("at", ["2026-03-02T03:00", dt.datetime(2026, 3, 2), "soon"])  # noqa: DTZ001
@pytest.mark.django_db
def test_a_time_without_a_zone_is_refused(at: dt.datetime | str) -> None:
    periodic.periodic("nightly", DAILY, note)
    with pytest.raises(ValueError):
        fire("nightly", at)
    assert not BackgroundTask.objects.exists()


@pytest.mark.django_db
def test_a_slot_that_was_rolled_back_can_be_fired_again() -> None:
    periodic.periodic("nightly", DAILY, note)
    with transaction.atomic():
        fire("nightly", NIGHT)
        transaction.set_rollback(True)
    assert not BackgroundTask.objects.exists()
    fire("nightly", NIGHT)
    assert_slots("nightly", NIGHT)


@pytest.mark.usefixtures("committed")
def test_a_slot_that_is_fired_by_many_at_once_makes_one_row() -> None:
    periodic.periodic("nightly", DAILY, note)
    at_once(*[lambda: fire("nightly", NIGHT)] * 8)
    assert_slots("nightly", NIGHT)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "fired"),
    [
        ("2026-03-02T03:00:59", False),  # both worlds still have time to fire it
        ("2026-03-02T03:01:00", True),
        ("2026-03-02T03:09:59", True),
        ("2026-03-02T03:10:00", False),  # as when it has just been declared
    ],
)
def test_what_nobody_fired_is_fired_within_ten_minutes(
    monkeypatch: pytest.MonkeyPatch, now: str, fired: bool
) -> None:
    periodic.periodic("nightly", DAILY, note)
    monkeypatch.setattr(timezone, "now", lambda: utc(now))
    periodic.fire_missed()
    periodic.fire_missed()
    assert_slots("nightly", *[NIGHT] * fired)


# --- Django-Q's schedules ------------------------------------------------------------------------


def schedule(name: str) -> Schedule:
    return Schedule.objects.get(name=name)


@pytest.mark.django_db
def test_a_schedule_is_created_for_each_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    periodic.periodic("nightly", DAILY, note)
    periodic.periodic("monthly", MONTHLY, other_note)
    monkeypatch.setattr(timezone, "now", lambda: utc("2026-03-02T04:00"))
    assert sync_schedules() == ["created nightly", "created monthly"]
    row = schedule("nightly")
    assert (row.func, row.args, row.cron) == (FIRE, "('nightly',)", DAILY)
    assert (row.schedule_type, row.repeats, row.cluster) == (Schedule.CRON, -1, None)
    assert row.next_run == utc("2026-03-03T03:00")
    assert schedule("monthly").next_run == utc("2026-04-01T03:00")


@pytest.mark.django_db
def test_a_second_time_changes_nothing(django_assert_num_queries: Any) -> None:
    periodic.periodic("nightly", DAILY, note)
    periodic.periodic("monthly", MONTHLY, other_note)
    sync_schedules()
    before = list(Schedule.objects.values())
    # A savepoint and its end, the lock, and the rows.
    with django_assert_num_queries(4):
        assert sync_schedules() == []
    assert list(Schedule.objects.values()) == before


@pytest.mark.django_db
def test_a_deploy_does_not_skip_what_is_due() -> None:
    periodic.periodic("nightly", DAILY, note)
    sync_schedules()
    due = timezone.now() - dt.timedelta(minutes=1)
    Schedule.objects.update(next_run=due)
    assert sync_schedules() == []
    assert schedule("nightly").next_run == due


@pytest.mark.django_db
def test_a_changed_cron_has_its_own_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    periodic.periodic("nightly", DAILY, note)
    sync_schedules()
    row = schedule("nightly")
    monkeypatch.setattr(periodic, "_declared", {})
    periodic.periodic("nightly", MONTHLY, note)
    monkeypatch.setattr(timezone, "now", lambda: utc("2026-03-02T04:00"))
    assert sync_schedules() == ["updated nightly"]
    changed = schedule("nightly")
    assert changed.pk == row.pk
    assert changed.cron == MONTHLY
    assert changed.next_run == utc("2026-04-01T03:00")


@pytest.mark.parametrize(
    "edit",
    [
        {"args": "('other',)"},
        {"kwargs": "{'at': '2020-01-01'}"},
        {"schedule_type": Schedule.HOURLY},
        {"repeats": 0},
        {"cluster": "elsewhere"},
        {"hook": "os.abort"},
        {"intended_date_kwarg": None},
        {"next_run": None},
    ],
)
@pytest.mark.django_db
def test_a_schedule_that_was_edited_is_mended(edit: dict[str, Any]) -> None:
    periodic.periodic("nightly", DAILY, note)
    sync_schedules()
    [before] = Schedule.objects.values()
    Schedule.objects.update(**edit)
    assert sync_schedules() == ["updated nightly"]
    assert list(Schedule.objects.values()) == [before]


@pytest.mark.django_db
def test_what_is_no_longer_declared_is_deleted_and_others_schedules_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    periodic.periodic("nightly", DAILY, note)
    sync_schedules()
    # Of the same name, but an operator's.
    other = Schedule.objects.create(name="nightly", func="math.sqrt", args="2")
    monkeypatch.setattr(periodic, "_declared", {})
    assert sync_schedules() == ["deleted nightly"]
    assert Schedule.objects.get() == other


@pytest.mark.django_db
def test_a_schedule_that_is_there_twice_is_deleted_once() -> None:
    periodic.periodic("nightly", DAILY, note)
    sync_schedules()
    twin = schedule("nightly")
    twin.pk = None
    twin.save()
    assert sync_schedules() == ["deleted nightly"]
    assert sync_schedules() == []
    assert Schedule.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_many_that_synchronise_at_once_make_one_schedule_each() -> None:
    periodic.periodic("nightly", DAILY, note)
    periodic.periodic("monthly", MONTHLY, other_note)
    done = at_once(*[sync_schedules] * 6)
    assert sorted(map(len, done)) == [0, 0, 0, 0, 0, 2]
    assert sorted(Schedule.objects.values_list("name", flat=True)) == ["monthly", "nightly"]


@pytest.mark.django_db
def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    periodic.periodic("nightly", DAILY, note)
    call_command("sync_schedules")
    call_command("sync_schedules")
    assert capsys.readouterr().out == "created nightly\nnothing to change\n"


# --- Fired by Django-Q itself --------------------------------------------------------------------

# Comes once in four years, so that no test runs across it.
RARE = "0 3 29 2 *"


def make_due(name: str = "rare") -> dt.datetime:
    """Set the schedule's next run to its last slot, as if no cluster had run since; that slot."""
    slot = periodic.declared()[name].cron.latest(timezone.now())
    Schedule.objects.filter(name=name).update(next_run=slot)
    return slot


def run_scheduler() -> None:
    """As Django-Q's guard does. It closes the connection: not for tests in a transaction."""
    scheduler(broker=TableBroker())


@pytest.mark.django_db
def test_django_qs_slots_are_in_utc(settings: Any) -> None:
    assert settings.TIME_ZONE == "Asia/Seoul"
    periodic.periodic("nightly", DAILY, note)
    sync_schedules()
    row = schedule("nightly")
    following = row.calculate_next_run()
    assert following == periodic.declared()["nightly"].cron.next(timezone.now())
    assert (following.utcoffset(), following.hour) == (dt.timedelta(0), 3)


@pytest.mark.usefixtures("committed")
def test_a_due_schedule_makes_a_row_and_moves_on() -> None:
    periodic.periodic("rare", RARE, note)
    sync_schedules()
    following = schedule("rare").next_run
    slot = make_due()
    run_scheduler()
    assert_slots("rare", f"{slot:%Y-%m-%dT%H:%MZ}")
    assert schedule("rare").next_run == following
    # Nothing went through a queue of Django-Q's.
    assert not OrmQ.objects.exists()


@pytest.mark.usefixtures("committed")
def test_a_schedule_tells_when_its_run_was_due_however_late_it_is() -> None:
    periodic.periodic("rare", RARE, note)
    sync_schedules()
    slot = make_due()
    packages = []

    class Keeper(TableBroker):
        def enqueue(self, task: str) -> str:
            packages.append(SignedPackage.loads(task))
            return "kept"

    scheduler(broker=Keeper())
    [package] = packages
    assert (package["func"], package["args"]) == (FIRE, ("rare",))
    assert package["kwargs"] == {"at": slot.isoformat()}


@pytest.mark.usefixtures("committed")
def test_a_schedule_that_is_not_due_makes_no_row(caplog: pytest.LogCaptureFixture) -> None:
    periodic.periodic("rare", RARE, note)
    sync_schedules()
    run_scheduler()
    assert not BackgroundTask.objects.exists()
    # It tells of no error in another way.
    assert not caplog.records


@pytest.mark.usefixtures("committed")
def test_a_schedule_that_is_due_again_makes_no_second_row() -> None:
    periodic.periodic("rare", RARE, note)
    sync_schedules()
    for _ in range(2):
        slot = make_due()
        run_scheduler()
    assert_slots("rare", f"{slot:%Y-%m-%dT%H:%MZ}")


@pytest.mark.usefixtures("committed")
def test_a_schedule_of_another_version_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    periodic.periodic("gone", RARE, note)
    periodic.periodic("rare", RARE, note)
    sync_schedules()
    make_due("gone")
    slot = make_due("rare")
    monkeypatch.delitem(periodic._declared, "gone")
    run_scheduler()
    assert_slots("rare", f"{slot:%Y-%m-%dT%H:%MZ}")


@pytest.mark.usefixtures("committed")
def test_both_worlds_at_once_make_one_row() -> None:
    periodic.periodic("rare", RARE, note)
    sync_schedules()
    slot = make_due()
    event = {"kwargs": {"name": "rare"}, "time": f"{slot:%Y-%m-%dT%H:%M:%SZ}"}
    at_once(*[run_scheduler, lambda: events.fire(event, None)] * 3)
    assert_slots("rare", f"{slot:%Y-%m-%dT%H:%MZ}")
    assert schedule("rare").next_run > timezone.now()
