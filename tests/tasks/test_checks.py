"""The system checks of background work name what is wrong in the settings."""

import copy
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.management import call_command

from apps.tasks import periodic
from apps.tasks.checks import check_periodic, check_queues, check_transports
from apps.tasks.management.commands.zappa_events import Command
from tests.tasks.periodic_samples import lost, note


def ids(messages: list[checks.CheckMessage]) -> list[Any]:
    return [message.id for message in messages]


@pytest.fixture
def queues(settings: Any) -> dict[str, dict[str, Any]]:
    """TASK_QUEUES, to be spoilt."""
    settings.TASK_QUEUES = copy.deepcopy(settings.TASK_QUEUES)
    found: dict[str, dict[str, Any]] = settings.TASK_QUEUES
    return found


def test_igloos_own_settings_are_sound() -> None:
    assert checks.run_checks(tags=["tasks"]) == []


# --- Queues --------------------------------------------------------------------------------------


def test_the_default_queue_is_needed(queues: dict[str, Any]) -> None:
    del queues["default"]
    assert ids(check_queues(None)) == ["tasks.E001", "tasks.E002"]


def test_a_queue_has_a_policy_and_a_policy_has_a_queue(queues: dict[str, Any]) -> None:
    queues["post"] = queues.pop("push")
    [message] = check_queues(None)
    assert message.id == "tasks.E002"
    assert "post, push" in message.msg


def test_a_policy_has_no_other_names(queues: dict[str, Any]) -> None:
    queues["media"]["timeout"] = 5
    [message] = check_queues(None)
    assert message.id == "tasks.E003"
    assert 'TASK_QUEUES["media"]' in message.msg
    assert "'timeout'" in message.msg
    assert "time_limit" in str(message.hint)


def test_a_policy_lacks_nothing(queues: dict[str, Any]) -> None:
    del queues["media"]["lease"]
    [message] = check_queues(None)
    assert message.id == "tasks.E003"
    assert "'lease'" in message.msg


def test_a_transport_is_one_that_there_is(queues: dict[str, Any]) -> None:
    queues["media"]["transport"] = "celery"
    [message] = check_queues(None)
    assert message.id == "tasks.E004"
    assert "'celery'" in message.msg
    assert "djangoq, zappa, ecs, inline" in str(message.hint)


@pytest.mark.parametrize("value", [0, -1, "60", None, True, float("nan")])
@pytest.mark.parametrize(
    "name", ["lease", "time_limit", "max_attempts", "backoff", "backoff_cap", "resend_after"]
)
def test_numbers_are_above_0(queues: dict[str, Any], name: str, value: Any) -> None:
    queues["media"][name] = value
    [message] = check_queues(None)
    assert message.id == "tasks.E005"
    assert f'TASK_QUEUES["media"]: {name} must be' in message.msg


def test_attempts_are_whole(queues: dict[str, Any]) -> None:
    queues["media"]["max_attempts"] = 1.5
    queues["media"]["backoff"] = 1.5
    [message] = check_queues(None)
    assert message.id == "tasks.E005"
    assert "max_attempts must be a whole number above 0" in message.msg


def test_a_backoff_is_no_longer_than_its_cap(queues: dict[str, Any]) -> None:
    queues["media"] |= {"backoff": 60, "backoff_cap": 59}
    assert ids(check_queues(None)) == ["tasks.E006"]
    queues["media"]["backoff_cap"] = 60
    assert check_queues(None) == []


@pytest.mark.parametrize(("seconds", "found"), [(899, []), (900, ["tasks.E007"])])
def test_lambda_gives_a_task_15_minutes(
    queues: dict[str, Any], seconds: int, found: list[str]
) -> None:
    queues["media"] |= {"transport": "zappa", "time_limit": seconds}
    assert ids(check_queues(None)) == found
    queues["media"]["transport"] = "djangoq"
    assert check_queues(None) == []


@pytest.mark.parametrize(("lease", "found"), [(120, []), (121, ["tasks.W001"])])
def test_a_lease_beyond_the_time_limit_is_a_warning(
    queues: dict[str, Any], lease: int, found: list[str]
) -> None:
    queues["media"] |= {"lease": lease, "time_limit": 120}
    messages = check_queues(None)
    assert ids(messages) == found
    assert not any(message.is_serious() for message in messages)


# --- Transports ----------------------------------------------------------------------------------


def test_zappa_has_a_function_to_invoke(queues: dict[str, Any], settings: Any) -> None:
    queues["media"]["transport"] = "zappa"
    settings.TASK_LAMBDA_FUNCTION = ""
    [message] = check_transports(None)
    assert message.id == "tasks.E008"
    assert "TASK_LAMBDA_FUNCTION" in message.msg
    settings.TASK_LAMBDA_FUNCTION = "igloo-production"
    assert check_transports(None) == []


def test_ecs_knows_what_to_start_and_where(queues: dict[str, Any], settings: Any) -> None:
    queues["heavy"]["transport"] = "ecs"
    settings.ECS = dict.fromkeys(settings.ECS, "") | {"cluster": "igloo"}
    said = [message.msg for message in check_transports(None)]
    assert said == [
        f"The transport ecs needs {name}."
        for name in ("ECS_TASK_DEFINITION", "ECS_CONTAINER", "ECS_SUBNETS")
    ]
    settings.ECS = dict.fromkeys(settings.ECS, "there")
    assert check_transports(None) == []


# --- Periodic work -------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zappa_settings.json that is as declared: one rule, and the sweeper's."""
    settings.BASE_DIR = tmp_path
    monkeypatch.setattr(periodic, "_declared", {})
    periodic.periodic("nightly", "0 3 * * *", note)
    path = tmp_path / "zappa_settings.json"
    path.write_text('{"base": {"events": []}}')
    call_command("zappa_events", "--write")
    return path


@pytest.mark.usefixtures("file")
def test_events_that_are_as_declared_are_fine() -> None:
    assert check_periodic(None) == []


@pytest.mark.usefixtures("file")
def test_events_that_differ_say_what_to_run() -> None:
    periodic.periodic("hourly", "5 * * * *", note)
    [message] = check_periodic(None)
    assert message.id == "tasks.E011"
    assert "zappa_events --write" in str(message.hint)
    # Which is possible although the check fails.
    Command().run_from_argv(["manage.py", "zappa_events", "--write"])
    assert check_periodic(None) == []


def test_where_there_is_no_file_nothing_differs(file: Path) -> None:
    file.unlink()
    assert check_periodic(None) == []


@pytest.mark.parametrize("text", ["{", "{}"])
def test_a_file_that_can_not_be_read_is_named(file: Path, text: str) -> None:
    file.write_text(text)
    [message] = check_periodic(None)
    assert message.id == "tasks.E010"
    assert "zappa_settings.json" in message.msg


def test_periodic_work_that_no_worker_would_find_is_named(file: Path) -> None:
    file.unlink()
    periodic.periodic("lost", "5 * * * *", lost)
    [message] = check_periodic(None)
    assert message.id == "tasks.E009"
    assert "Periodic work lost" in message.msg
    assert lost.module_path in message.msg
