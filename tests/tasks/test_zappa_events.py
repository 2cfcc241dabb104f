"""EventBridge's rules: what Zappa makes of the declarations, and what its handler does with them.

Zappa's own code runs here; EventBridge is a fake that keeps the rules and sends their events.
"""

import datetime as dt
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from zappa.cli import ZappaCLI
from zappa.core import Zappa
from zappa.handler import LambdaHandler

from apps.tasks import periodic
from apps.tasks.events import declared_events
from apps.tasks.models import BackgroundTask
from apps.tasks.services import enqueue_once
from tests.tasks.periodic_samples import note, other_note

ARN = "arn:aws:events:ap-northeast-2:123456789012:rule/"
LONGEST = "n" * periodic.LONGEST_NAME
NIGHT = "2026-03-02T03:00:00Z"


class EventBridge:
    """Keeps rules, and makes the event of one as its target's input transformer says."""

    def __init__(self) -> None:
        self.expressions: dict[str, str] = {}
        self._targets: dict[str, Any] = {}

    def put_rule(self, *, Name: str, ScheduleExpression: str, **options: Any) -> dict[str, str]:  # noqa: N803
        assert re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", Name)
        assert Name not in self.expressions
        self.expressions[Name] = ScheduleExpression
        return {"RuleArn": ARN + Name}

    def put_targets(self, *, Rule: str, Targets: list[Any]) -> dict[str, Any]:  # noqa: N803
        [self._targets[Rule]] = Targets
        return {"ResponseMetadata": {"HTTPStatusCode": 200}}

    def event(self, rule: str, time: str) -> dict[str, Any]:
        said = {
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": time,
            "region": "ap-northeast-2",
            "resources": [ARN + rule],
            "detail": {},
        }
        transformer = self._targets[rule]["InputTransformer"]
        text = transformer["InputTemplate"]
        for name, path in transformer["InputPathsMap"].items():
            text = text.replace(f"<{name}>", json.dumps(said[path.removeprefix("$.")]))
        event: dict[str, Any] = json.loads(text)
        return event


class OfflineZappa(Zappa):
    """Zappa's scheduling, with the fake in place of AWS."""

    def __init__(self) -> None:
        self.events_client = EventBridge()
        self.credentials_arn = "arn:aws:iam::123456789012:role/igloo"

    def create_event_permission(self, *args: Any) -> None:
        """Lambda's side: not of interest."""

    def unschedule_events(self, **kwargs: Any) -> None:
        """There is nothing from before."""


def deploy(stage: str = "production") -> EventBridge:
    """Make the rules of the declarations, as `zappa schedule` does."""
    zappa = OfflineZappa()
    zappa.schedule_events(
        lambda_arn="arn:aws:lambda:ap-northeast-2:123456789012:function:igloo",
        lambda_name=f"igloo-{stage}",
        events=declared_events(),
    )
    return zappa.events_client


def invoke(event: dict[str, Any]) -> Any:
    """Zappa's handler, without its set-up: Django is there already."""
    handler = object.__new__(LambdaHandler)
    handler.settings = SimpleNamespace(DEBUG=False)
    return handler.handler(event, None)


def rule_of(bridge: EventBridge, expression: str) -> str:
    [rule] = [name for name, said in bridge.expressions.items() if said == expression]
    return rule


@pytest.fixture
def _nothing_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test declares its own."""
    monkeypatch.setattr(periodic, "_declared", {})


# --- From the declaration to the row -------------------------------------------------------------


@pytest.mark.parametrize("name", ["nightly", "n", "prune-expired-rows", LONGEST])
@pytest.mark.usefixtures("committed", "_nothing_declared")
def test_a_rule_makes_the_row_of_its_slot(name: str) -> None:
    periodic.periodic(name, "0 3 * * *", note)
    bridge = deploy()
    event = bridge.event(rule_of(bridge, "cron(0 3 * * ? *)"), NIGHT)
    # EventBridge may send an event more than once, and Lambda may too.
    for _ in range(2):
        assert invoke(event) is None
    row = BackgroundTask.objects.get()
    assert row.task_path == note.module_path
    enqueue_once(note, f"{name}@2026-03-02T03:00Z")
    assert BackgroundTask.objects.count() == 1


@pytest.mark.usefixtures("committed", "_nothing_declared")
def test_each_rule_fires_its_own_task() -> None:
    periodic.periodic("nightly", "0 3 * * *", note)
    periodic.periodic("hourly", "5 * * * *", other_note)
    bridge = deploy()
    assert sorted(bridge.expressions.values()) == [
        "cron(0 3 * * ? *)",
        "cron(5 * * * ? *)",
        "rate(1 minute)",
    ]
    invoke(bridge.event(rule_of(bridge, "cron(5 * * * ? *)"), "2026-03-02T04:05:00Z"))
    assert BackgroundTask.objects.get().task_path == other_note.module_path


@pytest.mark.usefixtures("committed", "_nothing_declared")
def test_the_rule_of_each_minute_sweeps() -> None:
    note.enqueue()
    BackgroundTask.objects.update(
        status=TaskResultStatus.RUNNING,
        run_after=timezone.now() - dt.timedelta(hours=1),
        worker_ids=["worker that is gone"],
    )
    bridge = deploy()
    assert invoke(bridge.event(rule_of(bridge, "rate(1 minute)"), NIGHT)) is None
    assert BackgroundTask.objects.get().status == TaskResultStatus.READY


@pytest.mark.usefixtures("committed", "_nothing_declared")
def test_an_event_that_can_not_be_handled_is_a_failure_that_lambda_sees() -> None:
    periodic.periodic("nightly", "0 3 * * *", note)
    bridge = deploy()
    event = bridge.event(rule_of(bridge, "cron(0 3 * * ? *)"), "soon")
    with pytest.raises(ValueError):
        invoke(event)
    assert not BackgroundTask.objects.exists()


@pytest.mark.usefixtures("committed", "_nothing_declared")
def test_a_connection_that_broke_between_two_events_is_made_anew() -> None:
    periodic.periodic("nightly", "0 3 * * *", note)
    bridge = deploy()
    for rule in bridge.expressions:
        connection.ensure_connection()
        connection.connection.close()  # without Django's knowledge: frozen for an hour
        invoke(bridge.event(rule, NIGHT))
        # And none is left open, to be counted by the database while nobody uses it.
        assert connection.connection is None
    assert BackgroundTask.objects.count() == 1


@pytest.mark.usefixtures("_nothing_declared")
def test_stages_in_one_account_share_no_rule() -> None:
    periodic.periodic(LONGEST, "0 3 * * *", note)
    rules = [set(deploy(stage).expressions) for stage in ("dev", "staging", "production")]
    assert len(set.union(*rules)) == 3 * 2


# --- The file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["dev", "staging", "production"])
def test_every_stage_has_the_declared_events(stage: str) -> None:
    cli = ZappaCLI()
    cli.zappa_settings = json.loads((real_settings.BASE_DIR / "zappa_settings.json").read_text())
    cli.api_stage = stage
    assert cli.stage_config["events"] == declared_events()
    assert cli.stage_config["django_settings"] == "igloo.settings"


def test_the_file_is_as_declared() -> None:
    call_command("zappa_events", "--check")


# Of all kinds of lay-out, and with "events" that are not the declared ones.
ODD = """{
  "dev": {"extends": "base", "events": [ ]},
    "base": {
        "exclude": ["a",   "b"],
        "note": "\\"events\\": [] 밤",
        "other": {"events": ["x"]},
        "events" :  [{"name": "old", "function": "a.b", "expression": "rate(1 hour)"}],
        "aws_region": "ap-northeast-2"
    }
}
"""


@pytest.fixture
def file(tmp_path: Path, settings: Any, _nothing_declared: None) -> Path:
    """A zappa_settings.json of its own, in which one of two rules is missing, and one too many."""
    settings.BASE_DIR = tmp_path
    periodic.periodic("nightly", "0 3 * * *", note)
    path = tmp_path / "zappa_settings.json"
    path.write_text(ODD, encoding="utf-8")
    return path


def test_writing_changes_the_events_of_the_base_stage_and_nothing_else(file: Path) -> None:
    call_command("zappa_events", "--write")
    text = file.read_text(encoding="utf-8")
    before, after = ODD.split('[{"name": "old", "function": "a.b", "expression": "rate(1 hour)"}]')
    assert text.startswith(before)
    assert text.endswith(after)
    assert json.loads(text)["base"]["events"] == declared_events()
    # Indented as the file is.
    assert '"events" :  [\n            {\n                "name": "nightly",\n' in text
    call_command("zappa_events", "--check")


def test_writing_twice_changes_nothing(file: Path) -> None:
    call_command("zappa_events", "--write")
    text = file.read_text(encoding="utf-8")
    call_command("zappa_events", "--write")
    assert file.read_text(encoding="utf-8") == text


def test_a_check_names_what_differs_and_writes_nothing(file: Path) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("zappa_events", "--check")
    assert caught.value.returncode == 1
    said = str(caught.value).splitlines()
    assert "manage.py zappa_events --write" in said[0]
    assert [(line[0], json.loads(line[1:])["name"]) for line in said[1:]] == [
        ("+", "nightly"),
        ("-", "old"),
        ("+", "sweep-tasks"),
    ]
    assert file.read_text(encoding="utf-8") == ODD


def test_a_check_shows_both_sides_of_a_changed_rule(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("zappa_events", "--write")
    monkeypatch.setattr(periodic, "_declared", {})
    periodic.periodic("nightly", "30 3 * * *", note)
    with pytest.raises(CommandError) as caught:
        call_command("zappa_events", "--check")
    _, old, new = str(caught.value).splitlines()
    assert (old[:2], new[:2]) == ("- ", "+ ")
    assert "cron(0 3 * * ? *)" in old
    assert "cron(30 3 * * ? *)" in new


def test_a_check_finds_a_wrong_order(file: Path) -> None:
    call_command("zappa_events", "--write")
    written = json.loads(file.read_text(encoding="utf-8"))
    written["base"]["events"].reverse()
    file.write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(CommandError, match="The order differs"):
        call_command("zappa_events", "--check")


@pytest.mark.usefixtures("file")
def test_without_an_option_the_events_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("zappa_events")
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "nightly",
            "function": "apps.tasks.events.fire",
            "expression": "cron(0 3 * * ? *)",
            "kwargs": {"name": "nightly"},
        },
        {
            "name": "sweep-tasks",
            "function": "apps.tasks.events.sweep",
            "expression": "rate(1 minute)",
        },
    ]


@pytest.mark.parametrize("option", ["--write", "--check"])
@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"base": {}}', '{"base": {"events": {}}}', None]
)
def test_a_file_without_a_place_for_them_is_named(
    file: Path, option: str, text: str | None
) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(CommandError):
        call_command("zappa_events", option)
    assert (file.read_text() if file.exists() else None) == text
