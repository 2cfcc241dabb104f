"""What names a member without a foreign key is found, for all who are erased together at once."""

import datetime as dt
import logging
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.common.models import RateWindow
from apps.common.throttles import count_call
from apps.members.models import Leaving, Member
from apps.members.services import erasing, leaving, traces
from apps.tasks.models import BackgroundTask, TaskAttempt
from apps.tasks.tasks import prune
from tests.builders import make_member
from tests.members.test_erasing import WEEK

TASKS = BackgroundTask._meta.db_table


def task(**values: Any) -> UUID:
    """A task of long ago."""
    found = BackgroundTask.objects.get(pk=prune.enqueue().id)
    BackgroundTask.objects.filter(pk=found.pk).update(status="FAILED", **values)
    return found.pk


def leavers(count: int, later: Any) -> list[Member]:
    """Members whose time is over and who have nothing left."""
    rows = [leaving.leave(member=make_member()) for _ in range(count)]
    later(WEEK)
    for row in rows:
        assert erasing.erase_member(leaving_id=row.pk) == "emptied"
    return [row.member for row in rows]


def test_a_task_that_names_one_anywhere_goes_and_no_other(committed: None, later: Any) -> None:
    alice, bob = leavers(2, later)
    Member.objects.filter(pk=bob.pk).update(email="bob@example.com")
    carol = make_member("carol")
    BackgroundTask.objects.all().delete()
    said = {"args": [], "kwargs": {}}
    gone = {
        task(args_kwargs=said | {"args": [str(alice.pk)]}),
        task(args_kwargs=said | {"kwargs": {"a": [{"b": f"x{bob.pk.hex}y"}]}}),
        task(return_value={"id": str(bob.pk)}),
        task(traceback=f"Failing row contains (0{alice.pk}, 5)."),
    }
    by_attempt = task()
    TaskAttempt.objects.create(
        task_id=by_attempt, number=1, worker="w", error="E", retried=False,
        traceback=f"UUID('{alice.pk}')",
    )  # fmt: skip
    stays = {
        task(),
        task(args_kwargs=said | {"args": [str(carol.pk), str(uuid4())]}),
        # Half of an id is another's.
        task(traceback=str(alice.pk)[:30]),
    }
    assert erasing.finish_erasing() == 2
    left = set(BackgroundTask.objects.values_list("pk", flat=True))
    assert left == stays
    assert not left & (gone | {by_attempt})
    assert not TaskAttempt.objects.exists()


def test_an_address_goes_and_the_task_that_may_be_somebody_elses_stays(
    committed: None, later: Any
) -> None:
    [bob] = leavers(1, later)
    Member.objects.filter(pk=bob.pk).update(email="bob@example.com")
    of_others = "to <jacob@example.com>, bob@example.com.au and bob@example.co"
    said, others = task(traceback="mail to <bob@example.com> failed."), task(traceback=of_others)
    TaskAttempt.objects.create(
        task_id=said, number=1, worker="w", error="E", retried=True,
        traceback="bob@example.com: mailbox full",
    )  # fmt: skip
    assert erasing.finish_erasing() == 1
    left = dict(BackgroundTask.objects.values_list("pk", "traceback"))
    assert (left[said], left[others]) == ("", of_others)
    assert [attempt.traceback for attempt in TaskAttempt.objects.all()] == [""]


def test_throttles_and_logins_to_the_admin(committed: None, later: Any) -> None:
    alice, scope = leavers(2, later)
    Member.objects.filter(pk=scope.pk).update(username="write")
    other = make_member()
    RateWindow.objects.all().delete()
    stores = []
    for member in (alice, other):
        count_call("write", str(member.pk))
        count_call("login_account", f"2001:db8::1:{member.username}")
        count_call("login_stranger", member.username)
        store = SessionStore()
        store["_auth_user_id"] = str(member.pk)
        store.create()
        stores.append(store.session_key)
    count_call("write", "192.0.2.1")
    # It is a week later by the process's clock alone: by the database's, these are new.
    assert erasing.finish_erasing() == 2
    assert sorted(RateWindow.objects.values_list("key", flat=True)) == sorted(
        f"{scope}:{caller}"
        for scope, caller in (
            ("write", other.pk),
            ("write", "192.0.2.1"),
            ("login_account", f"2001:db8::1:{other.username}"),
            ("login_stranger", other.username),
        )
    )
    assert [row.session_key for row in Session.objects.all()] == stores[1:]


@pytest.mark.parametrize("members", [1, 6])
def test_tables_are_read_once_for_all(
    committed: None,
    later: Any,
    monkeypatch: pytest.MonkeyPatch,
    members: int,
) -> None:
    """And in batches, however many rows there are."""
    monkeypatch.setattr(traces, "_BATCH", 5)
    leavers(members, later)
    BackgroundTask.objects.all().delete()
    for _ in range(12):
        task()
    with CaptureQueriesContext(connection) as queries:
        assert erasing.finish_erasing() == members
    reads = [q["sql"] for q in queries if q["sql"].startswith("SELECT") and TASKS in q["sql"]]
    assert len(reads) == 3
    assert all(sql.endswith("LIMIT 5") for sql in reads)


def test_one_who_cannot_be_erased_keeps_no_other(
    committed: None,
    later: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    alice, _ = leavers(2, later)
    delete = QuerySet.delete

    def fail_for_alice(rows: Any) -> Any:
        if rows.model is Member and rows.filter(pk=alice.pk).exists():
            raise DatabaseError("a row of a table that nobody knows")
        return delete(rows)

    with monkeypatch.context() as patched:
        patched.setattr(QuerySet, "delete", fail_for_alice)
        assert erasing.finish_erasing() == 1
    assert "could not be erased" in caplog.text
    assert [member.pk for member in Member.objects.all()] == [alice.pk]
    assert erasing.finish_erasing() == 1


@pytest.mark.parametrize(("hours", "told"), [(23, False), (25, True)])
def test_operators_are_told_of_who_should_be_gone(
    committed: None,
    later: Any,
    caplog: pytest.LogCaptureFixture,
    hours: int,
    told: bool,
) -> None:
    leaving.leave(member=make_member())
    # One that an operator opened by hand is not to be erased.
    Member.objects.filter(pk=leaving.leave(member=make_member()).member.pk).update(is_active=True)
    moment = timezone.now() - dt.timedelta(hours=hours)
    Leaving.objects.update(left_at=moment - WEEK, erase_at=moment)
    with caplog.at_level(logging.ERROR):
        erasing.erase_due_members()
    assert ("1 members should have been erased" in caplog.text) is told
