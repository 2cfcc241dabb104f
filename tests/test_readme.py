"""The README's first requests work when they are pasted, against real processes."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import global_settings, settings
from django.db import connection

from apps.ops.demo.people import MEMBERS
from apps.ops.demo.seed import PASSWORD
from apps.posts.models import Post
from tests.builders import make_member, make_post
from tests.processes import free_port, wait_for_answer

README = (Path(settings.BASE_DIR) / "README.md").read_text(encoding="utf-8")


# On a busy machine a photo may take longer than a reader's three seconds.
WAIT = (
    'for _ in $(seq 100); do curl -s "$API/uploads/$UPLOAD" -H "Authorization: Bearer $TOKEN" '
    """| grep -q '"status":"ready"' && break; sleep 0.3; done"""
)


@pytest.fixture
def laptop(committed: None, tmp_path: Path) -> Iterator[str]:
    """The web server and the worker of `make run`, on this test's database; the address."""
    port = free_port()
    database = connection.settings_dict
    host = database["OPTIONS"].get("host") or database["HOST"]
    url = (
        f"postgresql://{database['USER']}:{database['PASSWORD']}@:{database['PORT'] or 5432}"
        f"/{database['NAME']}?host={host}"
    )
    environment = os.environ | {"DATABASE_URL": url, "LOCAL_STORAGE_DIR": str(tmp_path / "storage")}
    commands = (
        ["runserver", "--noreload", "--insecure", "--skip-checks", f"127.0.0.1:{port}"],
        ["task_worker"],
    )
    with (tmp_path / "log").open("wb") as log:
        children = [
            subprocess.Popen(
                [sys.executable, "manage.py", *command],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=log,
                stderr=log,
            )
            for command in commands
        ]
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for_answer(f"{address}/readyz")
            yield address
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(timeout=15)


@pytest.mark.usefixtures("committed")
def test_the_first_requests_work_when_pasted(laptop: str, settings: Any) -> None:
    # The server is a process of its own, with the real hasher.
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    make_post(make_member(MEMBERS[0].username, password=PASSWORD))
    [script] = re.findall(r"test_readme\.py runs these\. -->\n```sh\n(.*?)```", README, re.DOTALL)
    said = subprocess.run(
        ["bash", "-e"],
        input=script.replace("http://localhost:8000", laptop).replace("sleep 3", WAIT),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    answers = [orjson.loads(line) for line in said.splitlines()]
    listed, me, completed, ready, published = answers
    assert listed["items"][0]["housing_type"] == "apartment"
    assert me["username"] == MEMBERS[0].username
    assert completed["status"] == "processing"
    assert ready["status"] == "ready"
    assert "green" in ready["suggested_colors"]
    assert published["status"] == "published"
    assert Post.objects.filter(pk=published["id"]).exists()
    with urllib.request.urlopen(published["cover"]["renditions"][0]["url"], timeout=10) as photo:
        assert photo.headers["Content-Type"] == "image/webp"


def test_every_link_and_command_of_the_readme_is_there() -> None:
    makefile = (Path(settings.BASE_DIR) / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z]+)", README):
        if target not in {"a", "nothing"}:
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(settings.BASE_DIR) / link).exists(), link
