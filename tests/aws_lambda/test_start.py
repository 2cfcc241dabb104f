"""How the handler starts in a process of its own, and how it heals when that fails."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from igloo.config import BASE_DIR
from tests.aws_lambda.aws_events import CONTEXT, v2

# What a stage has to have, as .secrets/README.md lists it.
PRODUCTION = {
    "ALLOWED_HOSTS": "api.igloo.example",
    "DATABASE_URL": "postgresql://igloo@db.igloo.example/igloo",
    "MEDIA_BUCKET": "igloo-media",
    "ORIGINALS_BUCKET": "igloo-originals",
    "PUBLIC_BASE_URL": "https://api.igloo.example",
    "SECRET_KEY": "k" * 50,
    "STATIC_BUCKET": "igloo-static",
}
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "igloo-production"}


class Lambda:
    """Runs code in a fresh process, in which `get()` makes an HTTP call of the handler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, code: str, **environment: str) -> Any:
        """What the code puts into `answer`."""
        program = f"""
            import json, logging, os, sys
            from types import SimpleNamespace
            logging.basicConfig()
            EVENT, CONTEXT = {v2()!r}, SimpleNamespace(aws_request_id={CONTEXT.aws_request_id!r})
            def get():
                from igloo.lambda_handler import handler
                answer = handler(EVENT, CONTEXT)
                return answer["statusCode"], json.loads(answer["body"])
        """
        code = textwrap.dedent(program) + textwrap.dedent(code) + "\nprint(json.dumps(answer))"
        path = os.pathsep.join([str(self.folder), str(BASE_DIR), *sys.path])
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True,
            cwd=self.folder,
            env={"PATH": os.defpath, "PYTHONPATH": path, **environment},
            text=True,
            timeout=60,
        )
        self.log = done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def package(self, name: str, text: str) -> None:
        """Put a module beside igloo."""
        (self.folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.fixture
def fresh(tmp_path: Path) -> Lambda:
    return Lambda(tmp_path)


@pytest.mark.parametrize(("kind", "wanted"), [("on-demand", False), ("snap-start", True)])
def test_a_snapshot_has_what_a_start_leaves_for_later(
    fresh: Lambda, kind: str, wanted: bool
) -> None:
    code = """
        from igloo import lambda_handler
        answer = {name: name in sys.modules for name in lambda_handler.IN_SNAPSHOT}
    """
    settings = PRODUCTION | LAMBDA | {"STAGE": "production"}
    loaded = fresh.run(code, AWS_LAMBDA_INITIALIZATION_TYPE=kind, **settings)
    assert len(loaded) == 3
    assert set(loaded.values()) == {wanted}


def test_http_needs_neither_boto3_nor_zappa(fresh: Lambda) -> None:
    code = """
        from igloo import lambda_handler
        EVENT["rawPath"] = "/api/v1/app-config"
        started = "apps.posts.views" in sys.modules
        status, _ = get()
        heavy = {"boto3", "botocore", "zappa", "werkzeug", "pyvips", "PIL"} & set(sys.modules)
        answer = started, status, sorted(heavy)
    """
    settings = PRODUCTION | LAMBDA | {"STAGE": "production"}
    # All views are there before the first call.
    assert fresh.run(code, **settings) == [True, 200, []]


def test_it_heals_when_a_setting_that_was_missing_is_there(fresh: Lambda) -> None:
    code = """
        from igloo.lambda_handler import handler
        first = get()
        try:
            handler({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, CONTEXT)
        except Exception as error:
            raised = type(error).__name__
        os.environ["SECRET_KEY"] = "k" * 50
        answer = first, raised, get()
    """
    settings = PRODUCTION | LAMBDA | {"STAGE": "production", "SECRET_KEY": "short"}
    first, raised, then = fresh.run(code, **settings)
    assert first[0] == 500
    assert first[1]["code"] == "server_error"
    assert first[1]["request_id"] == CONTEXT.aws_request_id
    assert "SECRET_KEY" not in json.dumps(first)
    assert "SECRET_KEY must be 40 characters" in fresh.log
    assert raised == "ImproperlyConfigured"
    assert then == [200, {"status": "ok", "version": "local", "commit": ""}]


@pytest.mark.parametrize("step", ["import_models", "ready"])
def test_it_heals_when_django_was_half_set_up(fresh: Lambda, step: str) -> None:
    code = f"""
        from apps.tasks.apps import TasksConfig
        real = TasksConfig.{step}
        def once(config):
            TasksConfig.{step} = real
            raise OSError("in the middle")
        TasksConfig.{step} = once
        # The import fails, and the first call tries again.
        answer = get()
    """
    assert fresh.run(code, STAGE="local") == [
        200,
        {"status": "ok", "version": "local", "commit": ""},
    ]
    assert "OSError: in the middle" in fresh.log


def test_a_function_without_a_stage_refuses_to_be_a_laptop(fresh: Lambda) -> None:
    answer = fresh.run("answer = get()", **LAMBDA)
    assert answer[0] == 500
    assert "STAGE is missing" in fresh.log


ZAPPA_SETTINGS = """
    # Generated by Zappa
    API_STAGE='production'
    ENVIRONMENT_VARIABLES={'AWS_REGION': 'ap-northeast-2', 'CONTACT_EMAIL': 'zip@igloo.example'}
"""
TELL = """
    status, _ = get()
    from django.conf import settings
    answer = status, settings.STAGE, settings.CONTACT_EMAIL, settings.PUBLIC_BASE_URL
"""


def test_the_stage_is_the_package_s(fresh: Lambda) -> None:
    fresh.package("zappa_settings", ZAPPA_SETTINGS)
    answer = fresh.run(TELL, **PRODUCTION, **LAMBDA)
    assert answer == [200, "production", "zip@igloo.example", "https://api.igloo.example"]
    answer = fresh.run(TELL, STAGE="local", CONTACT_EMAIL="own@igloo.example")
    assert answer[:3] == [200, "local", "own@igloo.example"]


FAKE_BOTO3 = """
    import io, json
    calls = []
    class Client:
        def get_object(self, **place):
            calls.append(place)
            if len(calls) == 1:
                raise OSError("S3 is away")
            values = {values!r} | {"STAGE": "dev", "CONTACT_EMAIL": "s3@igloo.example"}
            return {"Body": io.BytesIO(json.dumps(values).encode())}
    def client(service):
        assert service == "s3"
        return Client()
"""


def test_remote_env_is_read_and_a_storage_that_is_away_heals(fresh: Lambda) -> None:
    fresh.package("zappa_settings", f"{ZAPPA_SETTINGS}    REMOTE_ENV='s3://secrets/igloo/p.json'\n")
    fresh.package("boto3", FAKE_BOTO3.replace("{values!r}", repr(PRODUCTION)))
    tell = TELL.replace("answer = ", "import boto3; answer = boto3.calls, ")
    calls, *answer = fresh.run(tell, **LAMBDA, PUBLIC_BASE_URL="https://own.igloo.example")
    assert calls == [{"Bucket": "secrets", "Key": "igloo/p.json"}] * 2
    # Lambda's own value, then the package's, then the remote one.
    assert answer == [200, "production", "zip@igloo.example", "https://own.igloo.example"]
    assert "S3 is away" in fresh.log


def test_instances_of_one_snapshot_draw_numbers_of_their_own(fresh: Lambda) -> None:
    fresh.package(
        "snapshot_restore_py",
        """
        hooks = []
        register_after_restore = hooks.append
        """,
    )
    code = """
        import random
        from igloo import lambda_handler
        import snapshot_restore_py
        [restore] = snapshot_restore_py.hooks
        state = random.getstate()
        restore()
        answer = random.getstate() != state
    """
    assert fresh.run(code, STAGE="local") is True


@pytest.mark.parametrize("stage", [{"STAGE": "local"}, {}])
def test_a_start_is_not_held_up_by_garbage_collection(fresh: Lambda, stage: dict[str, str]) -> None:
    code = """
        import gc
        collections = []
        gc.callbacks.append(lambda phase, _: phase == "start" and collections.append(phase))
        from igloo import lambda_handler
        gc.callbacks.clear()
        answer = [len(collections), gc.isenabled(), gc.get_freeze_count() > 0]
    """
    # Whether it could start or not, which without a stage it can't.
    collections, is_enabled, is_frozen = fresh.run(code, **(stage or LAMBDA))
    assert (is_enabled, is_frozen) == (True, True)
    # The few of the handler's own first imports; Django's would be two hundred.
    assert collections < 20
