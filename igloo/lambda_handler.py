"""AWS Lambda's way in: `handler` gets every event that reaches the function.

| event | what is done |
| --- | --- |
| HTTP of API Gateway (REST: v1; HTTP API: v2), a Function URL, an ALB | Django answers |
| EventBridge rule of `events` in zappa_settings.json | the function at the end of the rule's name |
| `{"command": "zappa.asynchronous.route_lambda_task", …}` | `run_task` |
| S3, as it is or out of SQS | `apps.media.events.uploaded` |
| `{"manage": "migrate --no-input"}`: what `zappa manage` sends | one of MANAGEMENT_COMMANDS |
| `{"warmup": true}`, or the rule of Zappa's `keep_warm` | nothing: the instance is warm now |

Anything else raises, so that SQS and the dead-letter queue keep it; Zappa's own handler would
return, which is a success, and would `exec` what `raw_command` says. It is not used at all: it
imports boto3, whatever comes. Only an HTTP event is always answered.
"""

import gc
import io
import json
import logging
import os
import random
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from igloo.lambda_http import Answer, http_handler, in_form_of, is_http, read_request

if TYPE_CHECKING:
    # It needs settings, which may be what is wrong.
    from apps.common.errors import DomainError

logger = logging.getLogger(__name__)

# What lambda:InvokeFunction allows, beside the tasks and events that the code declares.
MANAGEMENT_COMMANDS = (
    "check", "migrate", "recompute_renditions", "reseal_tokens", "showmigrations", "sweep_tasks",
    "task_health",
)  # fmt: skip
# The functions of zappa_settings.json that have an `expression`; a test compares.
SCHEDULED_FUNCTIONS = ("apps.tasks.events.fire", "apps.tasks.events.sweep")
# What is imported when a request first needs it, and costs nothing more in a snapshot: tokens,
# idempotency keys, tickets for photos. "Defined runtime environment variables" names the variable.
IN_SNAPSHOT = ("jwt", "cryptography.fernet", "apps.media.drivers.s3")
# The end of the name of the rule that Zappa makes for `keep_warm`.
KEEP_WARM = "handler.keep_warm_callback"


class UnknownEvent(Exception):
    """Nothing here handles such an event."""


class CommandFailed(Exception):
    """A management command ended with an exit status other than 0."""


class BatchFailed(Exception):
    """Not one message of a batch could be handled."""


# --- Start --------------------------------------------------------------------------------------
_http: Callable[[dict[str, Any], Any], Answer] | None = None


def _start() -> Callable[[dict[str, Any], Any], Answer]:
    """Set Django up, once; what is returned answers what read_request returns.

    What fails, fails this call alone: the next one tries again.
    """
    global _http
    if _http is None:
        _take_environment()
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
        _forget_failed_start()
        from django.urls import get_resolver

        from igloo.wsgi import application

        # All views now: a start has the whole processor, and SnapStart keeps what it made.
        get_resolver().url_patterns  # noqa: B018 - it is a cached property
        if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            for name in IN_SNAPSHOT:
                import_module(name)
        _http = http_handler(application)
    return _http


def _take_environment() -> None:
    """Set what the package says of its stage, as Zappa's handler would; Lambda's own values win.

    Raises:
        RuntimeError: nothing says the stage. Settings would take this for a laptop, and sign
            tokens with a key that everybody knows.
    """
    try:
        # Zappa writes it into the package.
        packaged: Any = import_module("zappa_settings")
    except ImportError:
        packaged = None
    if packaged is not None:
        remote = getattr(packaged, "REMOTE_ENV", None)
        # A stage's package on a laptop has the laptop's values.
        values = _read_remote(remote) if remote and os.environ.get("STAGE") != "local" else {}
        values |= {"STAGE": packaged.API_STAGE} | packaged.ENVIRONMENT_VARIABLES
        for name, value in values.items():
            os.environ.setdefault(name, str(value))
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and not os.environ.get("STAGE"):
        raise RuntimeError("STAGE is missing: set it in the function's environment")


def _read_remote(url: str) -> dict[str, Any]:
    """The JSON object at `remote_env`, `s3://bucket/key`.

    Raises:
        botocore's errors. Zappa would go on without its values until the instance ends.
    """
    # Here: it takes a tenth of a second, which a package without remote_env need not pay.
    import boto3

    bucket, _, key = url.removeprefix("s3://").partition("/")
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    values: dict[str, Any] = json.loads(body)
    return values


def _forget_failed_start() -> None:
    """Django takes a registry that it failed to fill for one that is just being filled."""
    from django.apps import apps

    if not apps.ready:
        # Not the models: a module that was imported is not imported again.
        apps.app_configs.clear()
        apps.loading = apps.apps_ready = apps.models_ready = False
        apps.clear_cache()


def _after_restore() -> None:
    """All instances that SnapStart makes of one snapshot would draw the same numbers."""
    import uuid_utils

    random.seed()
    uuid_utils.reseed_rng()


with suppress(ImportError):
    # Of Lambda's runtime, from Python 3.12 on, where there is SnapStart.
    import_module("snapshot_restore_py").register_after_restore(_after_restore)
try:
    # Nothing that is imported is garbage: looking for some took a seventh of a start.
    gc.disable()
    _start()
except Exception:
    # Raised from here it would be the end of this instance. The first call tries again.
    logger.exception("igloo could not start")
finally:
    # Nor does each later collection look at it again.
    gc.freeze()
    gc.enable()


# --- Every event --------------------------------------------------------------------------------
def handler(event: Any, context: Any) -> Any:
    """Answer an HTTP event; do what another one asks for.

    Raises:
        UnknownEvent: nothing handles it.
        what the work raises, where it is no HTTP event.
    """
    request_id = getattr(context, "aws_request_id", None) or "-"
    if is_http(event):
        return in_form_of(event, _answer(event, context, request_id))
    _start()
    from django.conf import settings
    from django.db import close_old_connections
    from django.urls import clear_script_prefix
    from django.utils import translation

    from apps.common.request_id import as_request

    # A request that this instance answered before has left its stage, language and id behind.
    clear_script_prefix()
    with as_request(request_id), translation.override(settings.LANGUAGE_CODE):
        # Before: Lambda freezes between two events. No request begins and ends here to do it.
        close_old_connections()
        try:
            return _work(event)
        finally:
            close_old_connections()


def _answer(event: Mapping[str, Any], context: Any, request_id: str) -> Answer:
    try:
        http = _start()
    except Exception:
        logger.exception("igloo could not start")
        return _not_started(request_id)
    try:
        request = read_request(event)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Not the error's text: it may hold what a member sent.
        logger.warning("an HTTP event can't be read: %s", type(error).__name__)
        from apps.common.errors import BadRequest

        return _problem(BadRequest())
    try:
        return http(request, context)
    except Exception:
        logger.exception("an answer could not be made")
        from apps.common.errors import ServerError

        return _problem(ServerError())


def _problem(error: "DomainError") -> Answer:
    """An error's answer where Django can give none."""
    from django.conf import settings
    from django.utils import translation

    from apps.common.problems import problem_response
    from apps.common.request_id import start_request

    request_id = start_request(None)
    with translation.override(settings.LANGUAGE_CODE):
        response = problem_response(error)
    return {
        "statusCode": response.status_code,
        "headers": {"content-type": response["Content-Type"], "x-request-id": request_id},
        "cookies": [],
        "body": response.content.decode(),
        "isBase64Encoded": False,
    }


def _not_started(request_id: str) -> Answer:
    """`errors.ServerError` without any of the code that could not be loaded; a test compares."""
    problem = {
        "type": "urn:igloo:problem:server_error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "문제가 생겼어요. 잠시 후 다시 시도해 주세요.",
        "code": "server_error",
        "request_id": request_id,
    }
    return {
        "statusCode": 500,
        "headers": {"content-type": "application/problem+json", "x-request-id": request_id},
        "cookies": [],
        "body": json.dumps(problem, ensure_ascii=False),
        "isBase64Encoded": False,
    }


# --- Events that are not HTTP -------------------------------------------------------------------
def _work(event: Any) -> Any:
    match event:
        case {"warmup": True}:
            return None
        case {"detail-type": "Scheduled Event", "source": "aws.events", "resources": [rule, *_]}:
            return _fire(rule, event)
        case {
            "command": "zappa.asynchronous.route_lambda_task",
            "task_path": "apps.tasks.runner.run_task",
            "args": [task_id],
        }:
            from apps.tasks.runner import run_task

            return run_task(task_id)
        case {"manage": str(line)}:
            return _manage(line)
        case {"Records": [{"eventSource": "aws:sqs"}, *_] as records}:
            return _receive(records)
        case {"Records": [{"eventSource": "aws:s3"}, *_]}:
            from apps.media.events import uploaded

            return uploaded(event, None)
    # Its keys at most: its values may be secrets.
    kind = f"with {sorted(event)[:8]}" if isinstance(event, dict) else f"of {type(event).__name__}"
    raise UnknownEvent(f"nothing handles an event {kind}")


def _fire(rule: str, event: Mapping[str, Any]) -> None:
    """Call what a rule's name ends with, as Zappa makes it: `igloo-production-a.b.function`."""
    function = rule.rpartition("/")[2].rpartition("-")[2]
    if function == KEEP_WARM:
        return
    if function not in SCHEDULED_FUNCTIONS:
        raise UnknownEvent(f"no rule may call {function!r}")
    module, _, name = function.rpartition(".")
    getattr(import_module(module), name)(event, None)


def _manage(line: str) -> dict[str, str]:
    """Run a management command; what it wrote. `zappa manage` shows the end of the log."""
    from django.core.management import call_command

    words = shlex.split(line)
    if not words or words[0] not in MANAGEMENT_COMMANDS:
        # Not the line: what follows the command may be a password.
        name = words[0][:40] if words else ""
        raise UnknownEvent(f"{name!r} is none of {', '.join(MANAGEMENT_COMMANDS)}")
    output = io.StringIO()
    try:
        call_command(*words, stdout=output, stderr=output, no_color=True)
    except SystemExit as end:
        if end.code:
            text = output.getvalue()[-2000:]
            raise CommandFailed(f"{words[0]} ended with {end.code}: {text}") from end
    finally:
        sys.stdout.write(output.getvalue())
        sys.stdout.flush()
    return {"output": output.getvalue()}


def _receive(records: Iterable[Any]) -> dict[str, Any]:
    """Handle each message of a queue; the ones that failed are named, and come again.

    Source: "Implementing partial batch responses" in the AWS Lambda developer guide.

    Raises:
        BatchFailed: all failed. To a mapping with ReportBatchItemFailures that is the same. One
            without it, which is what Zappa makes, would take the names for a success and delete
            the messages.
    """
    from apps.media.events import uploaded

    handled = 0
    failed = []
    for record in records:
        try:
            uploaded(json.loads(record["body"]), None)
            handled += 1
        except Exception:
            logger.exception("message %r of the queue failed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    if not handled:
        raise BatchFailed(f"{len(failed)} of {len(failed)} messages failed")
    return {"batchItemFailures": failed}
