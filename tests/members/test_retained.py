"""What is kept of members who were erased, and until when."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from pytest_django import Settings

from apps.members import tasks
from apps.members.models import DeviceSession, Member, RetainedRecord
from apps.members.services import erasing, sessions
from apps.members.usernames import UsernameTaken
from apps.tasks.models import BackgroundTask
from tests.background import run_tasks
from tests.builders import ApiClient, make_member
from tests.members.planted import plant
from tests.members.test_erasing import WEEK, erase_after_a_week

DAY = dt.timedelta(days=1)


def test_the_name_is_nobodys_for_a_while(committed: None, settings: Settings, later: Any) -> None:
    erase_after_a_week(make_member("alice"), later)
    with pytest.raises(UsernameTaken):
        make_member("alice")
    assert Member.objects.count() == 0
    later(WEEK + dt.timedelta(seconds=settings.USERNAME_KEPT_SECONDS))
    make_member("alice")


def test_what_was_kept_goes_when_its_time_is_over(
    committed: None,
    later: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasing, "_BATCH", 1)
    planted = plant()
    DeviceSession.objects.filter(member=planted.member).update(
        last_used_at=timezone.now() - dt.timedelta(days=80)
    )
    erase_after_a_week(planted.member, later)
    kinds = lambda: sorted(set(RetainedRecord.objects.values_list("kind", flat=True)))  # noqa: E731
    assert kinds() == ["login", "operator", "username"]
    assert erasing.delete_retained_records() == 0
    for days, left in ((13, ["operator", "username"]), (98, ["operator"]), (732, [])):
        later(dt.timedelta(days=days))
        tasks.delete_retained_records.enqueue()
        run_tasks()
        assert kinds() == left


def test_a_login_of_long_ago_is_not_kept(committed: None, later: Any) -> None:
    alice = make_member("alice")
    DeviceSession.objects.update(last_used_at=timezone.now() - dt.timedelta(days=90))
    erase_after_a_week(alice, later)
    assert {row.kind for row in RetainedRecord.objects.all()} == {"username"}


def test_a_device_that_was_logged_out_60_days_before_leaving_is_kept(
    committed: None,
    later: Any,
) -> None:
    """The law says three months, whether the session is over or not. The member sees it nowhere."""
    alice = make_member("alice")
    client = ApiClient(alice)
    [session, _] = DeviceSession.objects.order_by("pk")
    sessions.end_session(session=session, reason=DeviceSession.EndReason.LOGOUT)
    used_at = timezone.now() - 60 * DAY
    DeviceSession.objects.filter(pk=session.pk).update(
        created_at=used_at - DAY, last_used_at=used_at, ended_at=used_at
    )
    assert sessions.delete_expired_sessions() == 0
    listed = client.get("/auth/sessions").json()["items"]
    assert str(session.pk) not in {item["id"] for item in listed}
    assert len(listed) == 1
    assert client.delete(f"/auth/sessions/{session.pk}").status_code == 404

    erase_after_a_week(alice, later)
    record = RetainedRecord.objects.get(kind="login", source_id=str(session.pk))
    assert record.data["last_used_at"] == used_at.isoformat()
    assert record.delete_at == used_at + 92 * DAY


def test_what_operators_did_is_kept_as_their_members_go(committed: None, later: Any) -> None:
    """Of those in office as of those who were: who, when, what, and to whose row."""
    planted = plant()
    olga = Member.objects.get(username="olga")
    entries = {
        str(entry.pk): {
            "operator": str(entry.user_id),
            "at": entry.action_time.isoformat(),
            "action": entry.action_flag,
            "model": f"{entry.content_type.app_label}.{entry.content_type.model}",
            "object_id": entry.object_id,
        }
        for entry in LogEntry.objects.select_related("content_type")
    }
    # What is not of the member's stays where it is, and what is too old is not kept.
    kind = ContentType.objects.get_for_model(Member)
    other = log_of(olga, object_id=str(olga.pk))
    log_of(olga, object_id=str(planted.member.pk), action_time=timezone.now() - 731 * DAY)
    erase_after_a_week(planted.member, later)
    kept = RetainedRecord.objects.filter(kind="operator")
    assert {row.source_id: row.data for row in kept} == entries
    assert len(entries) == 4
    assert {row.data["operator"] for row in kept} == {str(olga.pk), str(planted.member.pk)}
    member_rows = kept.filter(data__model=f"{kind.app_label}.{kind.model}")
    assert [row.data["object_id"] for row in member_rows] == [str(planted.member.pk)]
    assert [entry.pk for entry in LogEntry.objects.all()] == [other.pk]


def log_of(operator: Member, **values: Any) -> LogEntry:
    kind = ContentType.objects.get_for_model(Member)
    return LogEntry.objects.create(user=operator, content_type=kind, action_flag=CHANGE, **values)


def test_the_task_names_nobody(committed: None, later: Any) -> None:
    alice = make_member("alice")
    erase_after_a_week(alice, later)
    for task in BackgroundTask.objects.all():
        assert str(alice.pk) not in str(task.args_kwargs)
