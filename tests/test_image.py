"""The container's image: what goes into it, and that what it says is so.

`make image` builds it and `make contract IMAGE=igloo:local` tries what is in it, where buildah is.
"""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from igloo.packaging import PackagingError
from igloo.packaging.image import copy
from tests.aws_lambda.test_package import checkout, write

ROOT = Path(settings.BASE_DIR)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Dockerfile copies."""
    folder = tmp_path_factory.mktemp("image")
    copy(folder)
    return folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_has_the_cluster_and_nothing_for_developers(image: Path) -> None:
    found = names(image)
    assert {
        "manage.py",
        "deploy/gunicorn.conf.py",
        "deploy/prices/measured.toml",
        "docs/openapi.json",
        "igloo/wsgi.py",
        "apps/tasks/worker/cluster.py",
        "apps/tasks/management/commands/task_worker.py",
        "apps/tasks/management/commands/task_health.py",
        "locale/ko/LC_MESSAGES/django.mo",
    } <= found
    rooms = (
        *("apps/ops/demo/", "igloo/deploying/", "igloo/packaging/"),
        *("igloo/laptop/aws_lambda/", "igloo/laptop/providers/"),
    )
    assert not [name for name in found if name.startswith(rooms) or "/static/" in name]


@pytest.mark.parametrize("name", ["apps/.env", "igloo/id_rsa", "apps/posts/dump.sql", "apps/x.bin"])
def test_what_should_not_be_in_it_fails_the_build_by_name(tmp_path: Path, name: str) -> None:
    write(checkout(tmp_path / "checkout") / name)
    with pytest.raises(PackagingError, match=re.escape(name)):
        copy(tmp_path / "image", tmp_path / "checkout")


def test_a_build_sees_no_more_than_it_needs() -> None:
    """Not .secrets, .git or .venv: all is left out but what is named."""
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    assert {line for line in rest if line.startswith("!")} == {
        "!apps", "!deploy/gunicorn.conf.py", "!deploy/prices", "!docs/openapi.json", "!igloo",
        "!locale", "!manage.py", "!requirements.txt", "!requirements-dev.txt",
    }  # fmt: skip


def test_what_it_runs_is_there(image: Path) -> None:
    """By the code of the image alone: its settings, its commands, its web server's file."""
    program = """
import json, django
django.setup()
from django.core.management import get_commands
from igloo.wsgi import application
print(json.dumps(sorted(get_commands())))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=image,
        env={"DJANGO_SETTINGS_MODULE": "igloo.settings", "PYTHONPATH": str(image)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert {"migrate", "run_task", "task_health", "task_worker"} <= set(json.loads(done.stdout))


def test_it_runs_as_nobody_in_particular_on_gunicorns_port() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    [user] = re.findall(r"^USER (\d+):\d+$", last, re.M)
    assert int(user) >= 10_000
    [port] = re.findall(r"^EXPOSE (\d+)$", last, re.M)
    gunicorn = runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))
    assert gunicorn["bind"].endswith(f":{port}")
    [command] = re.findall(r"^CMD (\[.*\])$", last, re.M)
    assert json.loads(command) == ["gunicorn", "--config", "deploy/gunicorn.conf.py", "igloo.wsgi"]
    assert f"'127.0.0.1', {port}" in last
    assert re.findall(r"^VOLUME (.+)$", last, re.M) == ['["/tmp"]']


def test_the_assets_whose_names_it_makes_are_pinned_by_hash() -> None:
    """The Dockerfile takes one requirement out of requirements-dev.txt."""
    [program] = re.findall(r"sed -n '(.+?)'", DOCKERFILE)
    done = subprocess.run(
        ["sed", "-n", program, str(ROOT / "requirements-dev.txt")],
        capture_output=True,
        text=True,
        check=True,
    )
    first, *hashes = done.stdout.splitlines()
    assert re.fullmatch(r"drf-spectacular-sidecar==[\d.]+ \\", first)
    assert len(hashes) == 2
    assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found["services"]


def test_compose_runs_what_the_image_has() -> None:
    ours = {name: one for name, one in services().items() if one["image"] == "igloo:local"}
    assert set(ours) == {"web", "worker", "migrate", "buckets"}
    for name, service in ours.items():
        assert service["read_only"] is True, name
        command = service.get("command", ["python", "manage.py", "check"])
        if command[1] == "manage.py":
            assert command[2] in get_commands(), name
        if wanted := service.get("healthcheck", {}).get("test"):
            assert wanted[1:3] == ["python", "manage.py"]
            assert wanted[3] in get_commands()
    others = {one["image"].partition(":")[0] for one in services().values()}
    assert others == {"igloo", "postgres", "redis", "motoserver/moto"}


def test_compose_sets_what_the_settings_read() -> None:
    read = (ROOT / "igloo" / "settings.py").read_text(encoding="utf-8")
    variables = services()["web"]["environment"]
    of_others = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "WEB_CONCURRENCY"}
    for name in variables.keys() - of_others:
        assert f'"{name}"' in read, name
