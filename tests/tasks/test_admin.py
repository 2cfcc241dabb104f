"""Background work, as operators see it: what runs, what went wrong, run again, cancel."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags
from django_q.models import Schedule

from apps.common.request_id import as_request
from apps.tasks.models import STATES, BackgroundTask, TaskAttempt, WorkerPulse
from apps.tasks.periodic import sync_schedules
from apps.tasks.runner import run_task
from tests.builders import make_member, operator
from tests.ops.test_admin import url
from tests.tasks import samples
from tests.tasks.conftest import Queues, claim, pass_time, row_of
from tests.tasks.test_services import make


@pytest.fixture
def desk(db: None) -> Client:
    """An operator's browser."""
    client = Client()
    client.force_login(operator(make_member("olga")))
    return client


@pytest.fixture
def reader(db: None) -> Client:
    """The browser of one who may look at tasks, and change nothing."""
    member = make_member("rachel")
    member.is_staff = True
    member.save(update_fields=["is_staff"])
    names = ["view_backgroundtask", "view_taskattempt", "view_workerpulse"]
    member.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(member)
    return client


LIST = url(BackgroundTask, "changelist")


def rows(page: Any) -> list[dict[str, str]]:
    """The lines of a list, by the names of their columns."""
    found = []
    for line in re.findall(r"<tr>(.*?)</tr>", page.content.decode(), re.S):
        cells = re.findall(r'<t[dh] class="field-(\w+)[^"]*">(.*?)</t[dh]>', line, re.S)
        if cells:
            found.append({name: strip_tags(text).strip() for name, text in cells})
    return found


def act(client: Client, action: str, *ids: UUID, **more: Any) -> Any:
    """Choose tasks in the list, and an action."""
    data = {"action": action, "_selected_action": [str(task_id) for task_id in ids], **more}
    return client.post(LIST, data, follow=True)


def said(page: Any) -> list[tuple[str, str]]:
    """The messages above a page: their level and text."""
    return [(message.level_tag, str(message)) for message in page.context["messages"]]


# --- The list ------------------------------------------------------------------------------------


def test_the_list_shows_each_tasks_state_queue_age_and_attempts(
    desk: Client, queues: Queues
) -> None:
    queues(max_attempts=2)
    dead = samples.fail.using(queue_name="push").enqueue("no way")
    for _ in range(2):
        run_task(dead.id)
        pass_time(3 * 3600, dead)
    samples.echo.enqueue()
    first, second = rows(desk.get(LIST))
    assert second == {
        "name": "tests.samples.fail",
        "state": "dead",
        "queue_name": "push",
        "age": "6시간",
        "attempts_begun": "2",
        "error": "ValueError",
        "id": dead.id,
    }
    assert (first["state"], first["attempts_begun"], first["error"]) == ("due", "0", "-")


def test_the_youngest_comes_first(desk: Client) -> None:
    ids = [samples.echo.enqueue().id for _ in range(3)]
    assert [row["id"] for row in rows(desk.get(LIST))] == ids[::-1]


@pytest.mark.parametrize("state", STATES)
def test_the_filter_shows_what_is_in_a_state_and_nothing_else(desk: Client, state: str) -> None:
    made = {name: make(name) for name in STATES}
    assert len(rows(desk.get(LIST))) == len(STATES)
    shown = rows(desk.get(LIST, {"state": state}))
    assert [(row["id"], row["state"]) for row in shown] == [(str(made[state]), state)]


def test_states_are_offered_in_the_order_of_a_life(desk: Client) -> None:
    page = desk.get(LIST).content.decode()
    assert re.findall(r'href="\?state=(\w+)"', page) == list(STATES)


@pytest.mark.parametrize("what", ["id", "function", "error", "request"])
def test_a_task_is_found(desk: Client, what: str) -> None:
    with as_request("request-of-alice"):
        wanted = samples.fail_for_good.enqueue()
    run_task(wanted.id)
    samples.echo.enqueue()
    query = {
        "id": wanted.id,
        "function": "fail_for_good",
        "error": "NoSuchPhoto",
        "request": "request-of-alice",
    }[what]
    assert [row["id"] for row in rows(desk.get(LIST, {"q": query}))] == [wanted.id]


@pytest.mark.parametrize("query", ["nothing", "\x00", "' OR 1=1 --", "%", "123", "{}"])
def test_any_search_is_answered(desk: Client, query: str) -> None:
    make("dead")
    assert desk.get(LIST, {"q": query}).status_code == 200


def test_the_list_takes_as_many_queries_for_many_rows_as_for_few(desk: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(LIST).status_code == 200
        return len(captured)

    make("dead")
    few = queries()
    for state in STATES:
        make(state)
    assert queries() == few


# --- One task ------------------------------------------------------------------------------------


def test_a_task_shows_each_attempts_error(desk: Client, queues: Queues) -> None:
    queues(max_attempts=3)
    with as_request("request-of-alice"):
        result = samples.fail_until.enqueue(9)
    for _ in range(2):
        run_task(result.id)
        pass_time(1000, result)
    claim(result, "box-7:42:abc")
    page = desk.get(url(BackgroundTask, "change", result.id))
    text = page.content.decode()
    for shown in (
        "tests.tasks.samples.fail_until",
        "request-of-alice",
        "box-7:42:abc",
        "ValueError: attempt 1",
        "ValueError: attempt 2",
        "builtins.ValueError",
        "[9] {}",
        "running",
    ):
        assert shown in text
    # Once more above, as the task's last error.
    assert text.index("ValueError: attempt 1") < text.rindex("ValueError: attempt 2")


@pytest.mark.parametrize("state", STATES)
def test_a_task_in_any_state_can_be_looked_at(desk: Client, state: str) -> None:
    task_id = make(state)
    page = desk.get(url(BackgroundTask, "change", task_id))
    assert page.status_code == 200
    assert state in page.content.decode()


def test_a_task_that_this_version_lacks_can_be_looked_at(desk: Client) -> None:
    task_id = make("dead")
    BackgroundTask.objects.update(task_path="apps.gone.tasks.gone")
    assert rows(desk.get(LIST))[0]["name"] == "gone.gone"
    assert desk.get(url(BackgroundTask, "change", task_id)).status_code == 200


def test_what_a_task_was_given_is_no_markup(desk: Client) -> None:
    result = samples.fail.enqueue("<script>alert(1)</script>")
    run_task(result.id)
    page = desk.get(url(BackgroundTask, "change", result.id)).content
    assert b"alert(1)" in page
    assert b"<script>alert(1)" not in page


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_no_form_changes_a_task(desk: Client, page: str) -> None:
    task_id = make("dead")
    before = BackgroundTask.objects.values().get()
    address = url(BackgroundTask, page, *[task_id] * (page != "add"))
    assert desk.post(address, {"post": "yes"}).status_code == 403
    assert BackgroundTask.objects.values().get() == before
    assert b'name="_save"' not in desk.get(url(BackgroundTask, "change", task_id)).content


# --- The actions ---------------------------------------------------------------------------------


def test_run_again(desk: Client) -> None:
    dead, cancelled, due = make("dead"), make("cancelled"), make("due")
    page = act(desk, "run_again", dead)
    assert said(page) == [("success", "1 will run again.")]
    assert {row.state for row in BackgroundTask.objects.filter(pk__in=[dead, due])} == {"due"}
    page = act(desk, "run_again", cancelled, due)
    assert said(page) == [("success", "1 will run again. 1 wait or run already.")]
    page = act(desk, "run_again", due)
    assert said(page) == [("warning", "0 will run again. 1 wait or run already.")]
    assert BackgroundTask.objects.due().count() == 3


def test_cancel(desk: Client) -> None:
    due, running, over = make("due"), make("running"), make("successful")
    page = act(desk, "cancel", due, running, over)
    assert said(page) == [("success", "2 cancelled. 1 are over already.")]
    rows_ = BackgroundTask.objects.filter(pk__in=[due, running])
    assert {row.traceback for row in rows_} == {"Cancelled by olga."}
    assert row_of(str(over)).state == "successful"
    page = act(desk, "cancel", over)
    assert said(page) == [("warning", "0 cancelled. 1 are over already.")]


def test_all_that_a_filter_found(desk: Client) -> None:
    for _ in range(3):
        make("dead")
    over = make("successful")
    page = desk.post(
        f"{LIST}?state=dead",
        {"action": "run_again", "_selected_action": [over], "select_across": "1"},
        follow=True,
    )
    assert said(page) == [("success", "3 will run again.")]
    assert row_of(str(over)).state == "successful"


def test_who_may_only_look_sees_all_and_has_no_actions(reader: Client) -> None:
    dead, due = make("dead"), make("due")
    page = reader.get(LIST)
    assert len(rows(page)) == 2
    assert b"run_again" not in page.content
    assert b'value="cancel"' not in page.content
    act(reader, "run_again", dead)
    act(reader, "cancel", due)
    assert (row_of(str(dead)).state, row_of(str(due)).state) == ("dead", "due")
    shown = reader.get(url(BackgroundTask, "change", dead)).content.decode()
    assert "NoSuchPhoto: gone" in shown
    assert TaskAttempt.objects.get().error in shown


def test_the_actions_come_with_the_permission_to_change(reader: Client) -> None:
    dead = make("dead")
    member = make_member("mia")
    member.is_staff = True
    member.save(update_fields=["is_staff"])
    names = ["view_backgroundtask", "change_backgroundtask"]
    member.user_permissions.set(Permission.objects.filter(codename__in=names))
    reader.force_login(member)
    assert b'value="run_again"' in reader.get(LIST).content
    act(reader, "run_again", dead)
    assert row_of(str(dead)).state == "due"


@pytest.mark.parametrize("who", ["nobody", "a member"])
def test_only_operators_get_in(db: None, who: str) -> None:
    client = Client()
    if who == "a member":
        client.force_login(make_member())
    dead = make("dead")
    for address in (LIST, url(BackgroundTask, "change", dead), url(WorkerPulse, "changelist")):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")
    act(client, "run_again", dead)
    assert row_of(str(dead)).state == "dead"


# --- What is beside them -------------------------------------------------------------------------


def test_workers_and_schedules_can_be_looked_at(desk: Client) -> None:
    WorkerPulse.objects.create(name="box-7")
    sync_schedules()
    [pulse] = rows(desk.get(url(WorkerPulse, "changelist")))
    assert pulse["name"] == "box-7"
    names = {row["name"] for row in rows(desk.get(url(Schedule, "changelist")))}
    assert "prune" in names
    for address in (
        url(WorkerPulse, "change", "box-7"),
        url(Schedule, "change", Schedule.objects.get(name="prune").pk),
    ):
        assert desk.get(address).status_code == 200
        assert desk.post(address, {}).status_code == 403


def test_the_tables_of_others_are_not_there_twice() -> None:
    labels = {f"{model._meta.app_label}.{model.__name__}" for model in admin.site._registry}
    ours = {"tasks.BackgroundTask", "tasks.WorkerPulse", "django_q.Schedule"}
    assert {
        label
        for label in labels
        if label.partition(".")[0] in ("tasks", "django_q", "django_tasks_database")
    } == ours
