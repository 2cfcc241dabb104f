"""Lambda's handler: each kind of event does its work, and nothing else is let through."""

import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.core import management
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import get_script_prefix, reverse
from django.utils import translation
from django_tasks.base import TaskResultStatus
from zappa.core import Zappa

from apps.common.errors import BadRequest, ServerError
from apps.common.problems import problem
from apps.common.request_id import RequestIdFilter, current_request_id
from apps.media import services
from apps.media.models import Upload
from apps.media.tasks import delete_files
from apps.members.models import Member
from apps.tasks.models import BackgroundTask
from apps.tasks.transports.zappa import event_of
from igloo import lambda_handler
from igloo.config import BASE_DIR
from igloo.lambda_handler import (
    MANAGEMENT_COMMANDS,
    SCHEDULED_FUNCTIONS,
    BatchFailed,
    CommandFailed,
    UnknownEvent,
    handler,
)
from tests.aws_lambda.aws_events import (
    CONTEXT,
    alb,
    function_url,
    s3,
    s3_by_eventbridge,
    s3_by_sns,
    scheduled,
    sqs,
    v1,
    v2,
)
from tests.builders import PASSWORD, make_member, make_upload, processed_upload, send

BUCKET = "igloo-originals"
Event = dict[str, Any]
Make = Callable[..., Event]
KINDS = pytest.mark.parametrize("make", [v2, function_url, v1, alb])


def headers_of(answer: Event) -> dict[str, str]:
    lists = answer.get("multiValueHeaders")
    return (
        {name: ",".join(values) for name, values in lists.items()} if lists else answer["headers"]
    )


def problem_of(answer: Event, status: int, code: str) -> Event:
    """The problem, of the contract's shape."""
    assert answer["statusCode"] == status
    headers = headers_of(answer)
    assert headers["content-type"] == "application/problem+json"
    body: Event = json.loads(answer["body"])
    assert body["request_id"] == headers["x-request-id"]
    assert (body["status"], body["code"]) == (status, code)
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id"}
    assert "Traceback" not in answer["body"]
    return body


@pytest.fixture(autouse=True)
def _connection_stays(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction around a test would end with its connection, which Lambda's work closes."""
    if "committed" not in request.fixturenames:
        monkeypatch.setattr(
            BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda connection: None
        )


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Lines, each with the request id that it would have."""
    caplog.handler.addFilter(RequestIdFilter())
    caplog.set_level(logging.INFO)
    return caplog


# --- HTTP ---------------------------------------------------------------------------------------
@KINDS
def test_django_answers(make: Make) -> None:
    answer = handler(make("/healthz"), CONTEXT)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"status": "ok", "version": "local", "commit": ""}
    assert answer["isBase64Encoded"] is False
    # A request has an id of its own, or keeps that of its caller.
    assert headers_of(answer)["x-request-id"] != CONTEXT.aws_request_id
    answer = handler(make("/healthz", headers={"x-request-id": "phone-42_retry"}), CONTEXT)
    assert headers_of(answer)["x-request-id"] == "phone-42_retry"


def test_under_a_stage_links_have_it() -> None:
    answer = handler(v1("/", headers={"Accept": "text/html"}), CONTEXT)
    assert answer["statusCode"] == 302
    answer = handler(v1("/admin/", headers={"Accept": "text/html"}), CONTEXT)
    [location] = answer["multiValueHeaders"]["location"]
    assert location.startswith("/dev/admin/login/")


@KINDS
@pytest.mark.usefixtures("db")
def test_an_error_of_the_api(make: Make) -> None:
    make_member("alice")
    body = json.dumps({"username": "alice", "password": "wrong", "device": 1})
    event = make(
        "/api/v1/auth/login", "POST", body=body, headers={"content-type": "application/json"}
    )
    answer = handler(event, CONTEXT)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["code"] == "invalid_input"


@KINDS
@pytest.mark.usefixtures("db")
def test_a_member_logs_in_and_reads(make: Make) -> None:
    make_member("alice")
    device = {"name": "test phone", "platform": "ios", "app_version": "1.0.0"}
    body = json.dumps({"username": "alice", "password": PASSWORD, "device": device})
    event = make(
        "/api/v1/auth/login", "POST", body=body, headers={"content-type": "application/json"}
    )
    answer = handler(event, CONTEXT)
    assert answer["statusCode"] == 200, answer
    token = json.loads(answer["body"])["access_token"]
    answer = handler(make("/api/v1/me", headers={"authorization": f"Bearer {token}"}), CONTEXT)
    assert json.loads(answer["body"])["username"] == "alice"


@pytest.mark.usefixtures("db")
def test_a_client_that_lies_about_its_address_is_throttled_all_the_same(settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_address": (3, 60)}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    device = {"name": "test phone", "platform": "ios", "app_version": "1.0.0"}
    statuses = []
    for number in range(6):
        body = {"username": f"nobody{number}", "password": PASSWORD, "device": device}
        lie = {"x-forwarded-for": f"198.51.100.{number}", "x_forwarded_for": f"10.0.0.{number}"}
        event = v2(
            "/api/v1/auth/login",
            "POST",
            body=json.dumps(body),
            headers={"content-type": "application/json", **lie},
        )
        statuses.append(handler(event, CONTEXT)["statusCode"])
    assert statuses == [401, 401, 401, 429, 429, 429]


def test_a_huge_query_is_no_fault_of_ours() -> None:
    fields = "&".join(f"a{number}=1" for number in range(5000))
    for query in ("q=" + "x" * 1_000_000, fields, "%" * 10_000, "q=%ff%00"):
        assert handler(v2("/healthz", rawQueryString=query), CONTEXT)["statusCode"] == 200


@pytest.mark.usefixtures("db")
def test_bodies_that_are_no_json() -> None:
    json_type = {"content-type": "application/json"}
    for body in ("/w==", "gA==", "AA=="):
        event = v2("/api/v1/auth/login", "POST", body=body, isBase64Encoded=True, headers=json_type)
        problem_of(handler(event, CONTEXT), 400, "malformed_json")
    event = v2("/api/v1/auth/login", "POST", body="{" * 100, headers=json_type)
    problem_of(handler(event, CONTEXT), 400, "malformed_json")


def test_a_body_over_1_mib_is_refused() -> None:
    event = v2("/api/v1/posts", "POST", body="x" * (1024 * 1024 + 1))
    problem_of(handler(event, CONTEXT), 413, "body_too_large")


@pytest.mark.parametrize(
    "event",
    [
        {"requestContext": None},
        {"httpMethod": "GET"},
        {"httpMethod": None, "requestContext": "x", "path": []},
        {"version": ["2.0"], "rawPath": {}},
        v2(body="a", isBase64Encoded=True),
        v2(headers={"accept": None}),
        v2(http={"method": "GET /"}),
        v1() | {"path": None},
        v1() | {"multiValueHeaders": [1]},
        alb() | {"path": "x"},
        alb(lists=True) | {"multiValueHeaders": {"a": 1}},
        {"requestContext": {"connectionId": "L0SM9cOFvHcCIhw=", "eventType": "CONNECT"}},
    ],
)
def test_a_malformed_http_event_is_a_400(event: Event, log: pytest.LogCaptureFixture) -> None:
    with translation.override("en"):  # as the request before may have left it
        answer = handler(event, CONTEXT)
    body = problem_of(answer, 400, BadRequest.code)
    with translation.override("ko"):
        assert body["detail"] == problem(BadRequest())["detail"]
    assert [record.levelname for record in log.records] == ["WARNING"]


def test_the_body_of_an_event_is_no_command() -> None:
    for event in (v2(command="x"), v1(manage="check", raw_command="1"), alb(warmup=True)):
        assert json.loads(handler(event, CONTEXT)["body"]) == {
            "status": "ok",
            "version": "local",
            "commit": "",
        }


@pytest.mark.parametrize("make", [v2, v1])
def test_a_fault_of_the_adapter_is_a_problem(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(event: Event, context: object) -> Event:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(lambda_handler, "_http", broken)
    answer = handler(make(), CONTEXT)
    problem_of(answer, 500, "server_error")
    assert "secret" not in answer["body"]


# --- Starts that fail ---------------------------------------------------------------------------
@pytest.fixture
def _cannot_start(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail() -> None:
        raise OSError("the disk is on fire")

    with monkeypatch.context() as patch:
        patch.setattr(lambda_handler, "_http", None)
        patch.setattr(lambda_handler, "_take_environment", fail)
        yield


@KINDS
@pytest.mark.usefixtures("_cannot_start")
def test_http_is_answered_where_igloo_cannot_start(
    make: Make, log: pytest.LogCaptureFixture
) -> None:
    answer = handler(make(), CONTEXT)
    body = problem_of(answer, 500, "server_error")
    assert body["request_id"] == CONTEXT.aws_request_id
    assert "fire" not in answer["body"]
    assert "the disk is on fire" in log.text
    with translation.override("ko"):
        assert body == problem(ServerError()) | {"request_id": CONTEXT.aws_request_id}


@pytest.mark.usefixtures("_cannot_start")
def test_another_event_raises_where_igloo_cannot_start() -> None:
    for event in (sqs("{}"), scheduled("igloo-apps.tasks.events.sweep"), {"warmup": True}):
        with pytest.raises(OSError, match="fire"):
            handler(event, CONTEXT)


@pytest.mark.django_db
def test_the_next_call_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        monkeypatch.undo()
        monkeypatch.setattr(lambda_handler, "_http", None)
        raise OSError

    monkeypatch.setattr(lambda_handler, "_http", None)
    monkeypatch.setattr(lambda_handler, "_take_environment", fail)
    assert handler(v2(), CONTEXT)["statusCode"] == 500
    assert handler(v2(), CONTEXT)["statusCode"] == 200


# --- EventBridge --------------------------------------------------------------------------------
def written_events() -> list[Event]:
    path = Path(real_settings.BASE_DIR) / "zappa_settings.json"
    stages = json.loads(path.read_text(encoding="utf-8"))
    return [event for stage in stages.values() for event in stage.get("events", [])]


def test_what_zappa_schedules_is_what_may_be_called() -> None:
    functions = {event["function"] for event in written_events() if "expression" in event}
    assert functions == set(SCHEDULED_FUNCTIONS)
    others = {event["function"] for event in written_events() if "expression" not in event}
    # S3 and SQS call it, whatever function is named.
    assert others <= {"apps.media.events.uploaded"}


@pytest.mark.usefixtures("db")
def test_each_rule_that_zappa_makes_does_its_work() -> None:
    zappa = object.__new__(Zappa)
    for event in written_events():
        if "expression" in event:
            rule = zappa.get_scheduled_event_name(event, event["function"], "igloo-production")
            assert handler(scheduled(rule, **event.get("kwargs", {})), CONTEXT) is None
    paths = {task.task_path.rpartition(".")[2] for task in BackgroundTask.objects.all()}
    assert {"prune", "purge_unattached_uploads"} <= paths


@pytest.mark.parametrize(
    "rule",
    [
        "igloo-production-apps.tasks.sweeper.sweep_tasks",
        "igloo-production-os.system",
        "igloo-production-igloo.lambda_handler.handler",
        "x-apps.tasks.events.fire-",
        "x-../../os.system",
        "x-apps.tasks.events.fire/../os.system",
        "x-apps.tasks.events.sweep\0",
        "x-apps.tasks.events._with_fresh_connection",
        "",
        "-",
    ],
)
def test_a_rule_of_another_name_raises(rule: str) -> None:
    with pytest.raises(UnknownEvent):
        handler(scheduled(rule), CONTEXT)


@pytest.mark.parametrize(
    "change",
    [
        # Anyone who may PutEvents can choose the rest of an event, but no source of AWS.
        {"source": "igloo"},
        {"resources": []},
        {"resources": "igloo-apps.tasks.events.sweep"},
        {"detail-type": "EC2 Instance State-change Notification"},
    ],
)
def test_an_event_that_no_schedule_sent_raises(change: Event) -> None:
    with pytest.raises(UnknownEvent):
        handler(scheduled("igloo-apps.tasks.events.sweep") | change, CONTEXT)


def test_warm_ups_do_nothing(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert handler({"warmup": True}, CONTEXT) is None
        rule = "igloo-production-zappa-keep-warm-handler.keep_warm_callback"
        assert handler(scheduled(rule), CONTEXT) is None


# --- Tasks --------------------------------------------------------------------------------------
@pytest.mark.usefixtures("committed")
def test_a_task_runs_once() -> None:
    task_id = str(delete_files.enqueue(public=[], originals=[]).id)
    assert handler(event_of(task_id), CONTEXT) == "successful"
    # Lambda may send it twice.
    assert handler(event_of(task_id), CONTEXT) is None
    assert BackgroundTask.objects.get().status == TaskResultStatus.SUCCESSFUL


@pytest.mark.parametrize(
    "change",
    [
        {"command": "zappa.asynchronous.route_sns_task"},
        {"command": "apps.tasks.runner.run_task"},
        {"command": "os.system"},
        {"command": ""},
        {"command": None},
        {"task_path": "os.system", "args": ["touch /tmp/pwned"]},
        {"task_path": "apps.tasks.runner.run_due_tasks", "args": []},
        {"task_path": "apps.tasks.runner.run_task.__globals__"},
        {"args": []},
        {"args": ["a", "b"]},
        {"args": "a"},
    ],
)
def test_no_other_function_is_called(change: Event) -> None:
    with pytest.raises(UnknownEvent):
        handler(event_of("01939f7e-0000-7000-8000-000000000000") | change, CONTEXT)


def test_an_id_that_is_none_raises() -> None:
    for wrong in ("x", "", None, 7, {"a": 1}, "'; DROP TABLE"):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            handler(event_of("") | {"args": [wrong]}, CONTEXT)


# --- Management commands ------------------------------------------------------------------------
@pytest.mark.usefixtures("db")
def test_migrations_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    answer = handler({"manage": "migrate --no-input"}, CONTEXT)
    assert "No migrations to apply" in answer["output"]
    # `zappa manage` shows the log.
    assert "No migrations to apply" in capsys.readouterr().out
    assert "[X] 0001_initial" in handler({"manage": "showmigrations posts"}, CONTEXT)["output"]
    assert "no issues" in handler({"manage": "check"}, CONTEXT)["output"]
    handler({"manage": "sweep_tasks"}, CONTEXT)
    handler({"manage": "task_health --no-worker"}, CONTEXT)


def test_each_command_is_one_that_exists() -> None:
    assert set(MANAGEMENT_COMMANDS) <= set(management.get_commands())


# What the docs tell to run beside a stage: from a checkout, or in a container.
RUN_ELSEWHERE = {
    *("collectstatic", "cost", "traffic", "zappa_events"),
    *("sync_schedules", "task_worker"),
}


def test_what_the_docs_tell_to_run_on_a_stage_is_run() -> None:
    docs = [BASE_DIR / "README.md", *(BASE_DIR / "docs").glob("*.md")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in docs)
    told = set(re.findall(r"manage\.py ([a-z_]+)", text))
    told |= set(re.findall(r"zappa\.cli manage \S+ ([a-z_]+)", text))
    assert told - RUN_ELSEWHERE <= set(MANAGEMENT_COMMANDS)
    assert told >= RUN_ELSEWHERE | {"reseal_tokens"}


@pytest.mark.parametrize(
    "line",
    [
        *("shell -c 1", "flush --no-input", "dbshell", "runserver", "demo", "loaddata x", "test"),
        *("task_worker", "createsuperuser", "sqlflush", "diffsettings", "dumpdata"),
        *("", " ", "Migrate", "migrate; flush", "./migrate", "migrate\0", "--help", "'mig' rate"),
    ],
)
def test_no_other_command_is_run(line: str) -> None:
    with pytest.raises(UnknownEvent):
        handler({"manage": line}, CONTEXT)


@pytest.mark.parametrize("line", ["migrate 'posts", "migrate --nothing", "migrate nothing"])
@pytest.mark.usefixtures("db")
def test_a_command_that_cannot_be_read_raises(line: str) -> None:
    with pytest.raises((ValueError, management.CommandError)):
        handler({"manage": line}, CONTEXT)


@pytest.mark.parametrize("status", [1, 2, "no"])
def test_a_command_that_exits_raises(monkeypatch: pytest.MonkeyPatch, status: object) -> None:
    def fail(*words: str, stdout: io.StringIO, **options: object) -> None:
        stdout.write("2 dead")
        sys.exit(status)  # type: ignore[arg-type]

    monkeypatch.setattr(management, "call_command", fail)
    with pytest.raises(CommandFailed, match=f"task_health ended with {status}: 2 dead"):
        handler({"manage": "task_health"}, CONTEXT)


@pytest.mark.parametrize("status", [0, None])
def test_a_command_that_exits_well(monkeypatch: pytest.MonkeyPatch, status: int | None) -> None:
    monkeypatch.setattr(management, "call_command", lambda *words, **options: sys.exit(status))
    assert handler({"manage": "task_health"}, CONTEXT) == {"output": ""}


# --- What else may come -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "extra",
    [{}, {"command": "x"}, {"manage": "shell"}, {"manage": None}, {"Records": []}],
)
def test_no_code_is_run(tmp_path: Path, extra: Event) -> None:
    code = f"open({str(tmp_path / 'pwned')!r}, 'w').close()"
    with pytest.raises(UnknownEvent):
        handler({"raw_command": code, **extra}, CONTEXT)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "event",
    [
        *(None, [], [{}], "", "x", 0, 1.5, True, {}, {"Records": []}, {"Records": None}),
        *({"Records": [None]}, {"Records": {}}, {"warmup": 1}, {"warmup": "true"}),
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": '{"command": "os.system"}'}}]},
        {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {}}]},
        {"awslogs": {"data": "H4sIAAAAAAAAAHWPwQqCQBCGX0Xm7EFtK+smZBEUgXoLCdMhFtKV3akI8d0b"}},
        {"type": "TOKEN", "authorizationToken": "x", "methodArn": "arn:aws:execute-api:x"},
        {"bot": {"name": "x"}, "currentIntent": {"name": "x"}},
        {"triggerSource": "PreSignUp_SignUp"},
        s3_by_eventbridge(BUCKET, "incoming/x"),
    ],
)
def test_anything_else_raises(event: Any) -> None:
    with pytest.raises(UnknownEvent):
        handler(event, CONTEXT)


def test_an_unknown_event_is_named_by_its_keys_alone() -> None:
    with pytest.raises(UnknownEvent) as raised:
        handler({"password": "hunter2"}, CONTEXT)
    assert "password" in str(raised.value)
    assert "hunter2" not in str(raised.value)


# --- Around all of them -------------------------------------------------------------------------
def test_log_lines_and_work_carry_the_id_of_lambda(log: pytest.LogCaptureFixture) -> None:
    handler(v2(), CONTEXT)
    before = current_request_id()
    handler(sqs(s3("other", "incoming/x")), CONTEXT)
    [record] = [record for record in log.records if record.name == "apps.media.events"]
    assert record.request_id == CONTEXT.aws_request_id  # type: ignore[attr-defined]
    assert current_request_id() == before


def test_work_makes_links_without_the_stage_of_a_request_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler(v1("/healthz"), CONTEXT)
    assert get_script_prefix() == "/dev/"
    seen = []
    monkeypatch.setattr(
        management, "call_command", lambda *_, **__: seen.append(reverse("admin:index"))
    )
    handler({"manage": "check"}, CONTEXT)
    assert seen == ["/admin/"]


def test_work_is_done_in_the_default_language(monkeypatch: pytest.MonkeyPatch) -> None:
    handler(v2(headers={"accept-language": "en"}), CONTEXT)
    assert translation.get_language() == "en"
    seen = []
    monkeypatch.setattr(
        management, "call_command", lambda *_, **__: seen.append(translation.get_language())
    )
    handler({"manage": "check"}, CONTEXT)
    assert seen == ["ko"]


@pytest.mark.parametrize("event", [{"warmup": True}, {"manage": "shell"}])
def test_connections_are_looked_at_before_and_after(
    monkeypatch: pytest.MonkeyPatch, event: Event
) -> None:
    steps = []
    monkeypatch.setattr("django.db.close_old_connections", lambda: steps.append("close"))
    work = lambda_handler._work

    def noted(event: Event) -> Any:
        steps.append("work")
        return work(event)

    monkeypatch.setattr(lambda_handler, "_work", noted)
    with suppress(UnknownEvent):
        handler(event, CONTEXT)
    assert steps == ["close", "work", "close"]


def test_a_call_without_a_context() -> None:
    assert handler({"warmup": True}, None) is None
    assert handler(v2(), None)["statusCode"] == 200


# --- S3 and SQS ---------------------------------------------------------------------------------
@pytest.fixture
def owner(settings: Any, db: None) -> Member:
    settings.ORIGINALS_BUCKET = BUCKET
    return make_member("alice")


@pytest.fixture
def sent(owner: Member) -> Upload:
    """An upload whose file is in storage, of which the phone has not told."""
    upload = make_upload(owner, b"a photo")
    send(upload, b"a photo")
    return upload


def processing() -> list[str]:
    """The uploads for which a task was enqueued, each time."""
    return [
        task.args_kwargs["args"][0]
        for task in BackgroundTask.objects.all()
        if task.task_path == "apps.media.tasks.process_upload"
    ]


WRAPPINGS = pytest.mark.parametrize(
    "wrap",
    [
        s3,
        lambda bucket, key: s3(bucket, key, "ObjectCreated:CompleteMultipartUpload"),
        lambda bucket, key: sqs(s3(bucket, key)),
        lambda bucket, key: sqs(s3_by_eventbridge(bucket, key)),
        lambda bucket, key: sqs(s3_by_sns(bucket, key)),
    ],
    ids=["s3", "multipart", "sqs", "sqs-eventbridge", "sqs-sns"],
)


@WRAPPINGS
def test_a_file_that_arrived_is_processed_once(sent: Upload, wrap: Make) -> None:
    event = wrap(BUCKET, sent.incoming_key)
    handler(event, CONTEXT)
    sent.refresh_from_db()
    assert sent.status == "processing"
    assert processing() == [str(sent.pk)]
    # S3 and SQS may send it again, and the phone tells it too.
    handler(event, CONTEXT)
    services.complete_upload(upload=sent)
    assert processing() == [str(sent.pk)]


def test_s3_encodes_keys_and_eventbridge_does_not(sent: Upload) -> None:
    key = sent.incoming_key.replace("/", "%2F").replace("-", "%2D")
    handler(sqs(s3_by_eventbridge(BUCKET, key)), CONTEXT)
    assert processing() == []
    handler(s3(BUCKET, key), CONTEXT)
    assert processing() == [str(sent.pk)]


def test_it_is_harmless_after_the_processing(owner: Member) -> None:
    upload = processed_upload(owner)
    before = len(processing())
    handler(s3(BUCKET, upload.incoming_key), CONTEXT)
    assert len(processing()) == before
    upload.refresh_from_db()
    assert upload.status == "ready"


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("somebody-elses", "incoming/{id}"),
        (BUCKET, "originals/{id}"),
        (BUCKET, "incoming/{id}/"),
        (BUCKET, "incoming//{id}"),
        (BUCKET, "/incoming/{id}"),
        (BUCKET, "incoming/../incoming/{id}"),
        (BUCKET, "incoming/{{{id}}}"),
        (BUCKET, "incoming/urn:uuid:{id}"),
        (BUCKET, "{id}"),
        (BUCKET, "incoming/00000000-0000-7000-8000-000000000000"),
        (BUCKET, "incoming/a photo%0A.jpg"),
        (BUCKET, ""),
    ],
)
@WRAPPINGS
def test_what_is_no_upload_of_ours_is_logged_and_ignored(
    sent: Upload, wrap: Make, bucket: str, key: str, log: pytest.LogCaptureFixture
) -> None:
    handler(wrap(bucket, key.format(id=sent.pk)), CONTEXT)
    sent.refresh_from_db()
    assert sent.status == "waiting"
    assert processing() == []
    [record] = [record for record in log.records if record.name == "apps.media.events"]
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize("name", ["ObjectRemoved:Delete", "ReducedRedundancyLostObject", ""])
def test_other_events_of_a_bucket_are_ignored(sent: Upload, name: str) -> None:
    handler(s3(BUCKET, sent.incoming_key, name), CONTEXT)
    assert processing() == []


def test_an_upload_that_was_deleted_meanwhile_is_ignored(
    sent: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = services.complete_upload

    def late(*, upload: Upload) -> Upload:
        services.delete_uploads(upload_ids=[upload.pk])
        return complete(upload=upload)

    monkeypatch.setattr(services, "complete_upload", late)
    handler(s3(BUCKET, sent.incoming_key), CONTEXT)
    assert processing() == []


def test_a_file_that_is_not_there_raises(owner: Member) -> None:
    upload = make_upload(owner)
    with pytest.raises(Exception, match="upload_not_received"):
        handler(s3(BUCKET, upload.incoming_key), CONTEXT)


def test_a_database_that_is_away_raises(sent: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(services, "complete_upload", away)
    with pytest.raises(OperationalError):
        handler(s3(BUCKET, sent.incoming_key), CONTEXT)


def test_of_a_batch_only_what_failed_comes_again(
    sent: Upload, log: pytest.LogCaptureFixture
) -> None:
    answer = handler(
        sqs(
            s3("somebody-elses", "incoming/x"),  # ignored is handled
            "{not json",
            s3(BUCKET, sent.incoming_key),
            {"hello": "world"},
            {"command": "zappa.asynchronous.route_lambda_task", "task_path": "os.system"},
            {"Type": "Notification", "Message": "[1]"},
            # What S3 sends when the queue is made the bucket's.
            {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET},
            "null",
        ),
        CONTEXT,
    )
    assert answer == {
        "batchItemFailures": [{"itemIdentifier": f"message-{number}"} for number in (1, 3, 4, 5, 7)]
    }
    assert processing() == [str(sent.pk)]
    assert log.text.count("Traceback") >= 5


def test_a_batch_without_a_failure(sent: Upload) -> None:
    assert handler(sqs(s3(BUCKET, sent.incoming_key)), CONTEXT) == {"batchItemFailures": []}


@pytest.mark.parametrize("bodies", [["x"], ["x", "[]", '{"Records": []}']])
def test_a_batch_of_failures_raises(bodies: list[str]) -> None:
    """A mapping without ReportBatchItemFailures would take any answer for a success."""
    with pytest.raises(BatchFailed):
        handler(sqs(*bodies), CONTEXT)


def test_a_message_without_an_id_raises() -> None:
    event = sqs("x")
    del event["Records"][0]["messageId"]
    with pytest.raises(KeyError):
        handler(event, CONTEXT)
