"""What is kept of members who were erased, and until when."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from apps.members import tasks
from apps.members.models import DeviceSession, Member, RetainedRecord
from apps.members.services import erasing
from apps.members.usernames import UsernameTaken
from apps.tasks.models import BackgroundTask
from tests.builders import make_member
from tests.media.conftest import later, run_tasks  # noqa: F401 - a fixture
from tests.members.planted import plant
from tests.members.test_erasing import WEEK, erase_after_a_week


def test_the_name_is_nobodys_for_a_while(committed: None, settings: Settings, later: Any) -> None:  # noqa: F811
    erase_after_a_week(make_member("alice"), later)
    with pytest.raises(UsernameTaken):
        make_member("alice")
    assert Member.objects.count() == 0
    later(WEEK + dt.timedelta(seconds=settings.USERNAME_KEPT_SECONDS))
    make_member("alice")


def test_what_was_kept_goes_when_its_time_is_over(
    committed: None,
    later: Any,  # noqa: F811
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


def test_a_login_of_long_ago_is_not_kept(committed: None, later: Any) -> None:  # noqa: F811
    alice = make_member("alice")
    DeviceSession.objects.update(last_used_at=timezone.now() - dt.timedelta(days=90))
    erase_after_a_week(alice, later)
    assert {row.kind for row in RetainedRecord.objects.all()} == {"username"}


def test_the_task_names_nobody(committed: None, later: Any) -> None:  # noqa: F811
    alice = make_member("alice")
    erase_after_a_week(alice, later)
    for task in BackgroundTask.objects.all():
        assert str(alice.pk) not in str(task.args_kwargs)
