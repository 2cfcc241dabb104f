"""Folders and a small project to run the laptop's tools on, none of it this checkout's own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from igloo.laptop.places import CHECKOUT


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with spaces and Korean letters that every account can reach.

    pytest's own is closed to others, and as root the server runs as `nobody`.
    """
    with tempfile.TemporaryDirectory(prefix="igloo 집 ") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


SETTINGS = """
    import os
    import dj_database_url
    from igloo.laptop import database_url, postgres
    SECRET_KEY = "x" * 50
    ALLOWED_HOSTS = ["*"]
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.staticfiles", "igloo.app"]
    ROOT_URLCONF = "igloo.urls"
    STATIC_URL = "/static/"
    DATABASES = {"default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or database_url.default_url())}
"""
URLS = """
    from django.contrib.contenttypes.models import ContentType
    from django.http import HttpResponse
    from django.urls import path
    urlpatterns = [path("readyz", lambda request: HttpResponse(str(ContentType.objects.count())))]
"""
MANAGE = """
    import os, sys
    from django.core.management import execute_from_command_line
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
    execute_from_command_line(sys.argv)
"""
DEMO = """
    from django.core.management.base import BaseCommand
    from django.contrib.contenttypes.models import ContentType
    class Command(BaseCommand):
        def add_arguments(self, parser):
            parser.add_argument("--show-logins", action="store_true")
        def handle(self, show_logins, **options):
            if show_logins:
                print("alice / password")
            else:
                _, new = ContentType.objects.get_or_create(app_label="demo", model="demo")
                print("demo data made" if new else "demo data is there")
"""
WORKER = """
    import time
    from django.core.management.base import BaseCommand
    class Command(BaseCommand):
        def handle(self, **options):
            print("worker at work")
            while True:
                time.sleep(1)
"""


@pytest.fixture
def project(folder: Path) -> Path:
    """A checkout with this launcher and the smallest Django project that has its commands."""
    project = folder / "작은 igloo"
    files = {
        "manage.py": MANAGE,
        "igloo/__init__.py": "",
        "igloo/settings.py": SETTINGS,
        "igloo/urls.py": URLS,
        "igloo/app/__init__.py": "",
        "igloo/app/management/__init__.py": "",
        "igloo/app/management/commands/__init__.py": "",
        "igloo/app/management/commands/demo.py": DEMO,
        "igloo/app/management/commands/task_worker.py": WORKER,
    }
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    shutil.copytree(CHECKOUT / "igloo" / "laptop", project / "igloo" / "laptop")
    return project


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Run:
    """One `python -m igloo.laptop` and all that it starts."""

    def __init__(self, project: Path, port: int, *, home: Path | None = None) -> None:
        self.port = port
        environment = os.environ | {
            "PORT": str(port),
            "HOST": "127.0.0.1",
            "IGLOO_HOME": str(home or project.parent / "data"),
            "DJANGO_SETTINGS_MODULE": "igloo.settings",
        }
        environment.pop("DATABASE_URL", None)  # that of the tests
        self.output = project.parent / f"output-{time.monotonic_ns()}"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "igloo.laptop"],
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        """What it has said so far."""
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, words: str) -> None:
        """Wait until it says this."""
        wait_until(lambda: words in self.text() or self.process.poll() is not None)
        assert words in self.text(), self.text()

    def family(self) -> list[psutil.Process]:
        """The launcher and every process below it."""
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def children(self, word: str) -> list[psutil.Process]:
        """The direct children with this word in their command line."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it ends this very moment
                if child.status() != psutil.STATUS_ZOMBIE and word in child.cmdline():
                    found.append(child)
        return found

    def child(self, word: str) -> psutil.Process:
        """The only one of them; a process that has just been forked may not have its words yet."""
        wait_until(lambda: len(self.children(word)) == 1)
        [child] = self.children(word)
        return child

    def ends(self) -> int:
        """Wait for the end, and return the exit status."""
        return self.process.wait(60)


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so, or fail."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def start(project: Path) -> Iterator[Callable[..., Run]]:
    """Starts the project; whatever still runs at the end of the test is killed."""
    runs: list[Run] = []

    def start(**options: object) -> Run:
        port = options.get("port") or (runs[0].port if runs else free_port())
        home = options.get("home")
        assert isinstance(port, int)
        assert home is None or isinstance(home, Path)
        run = Run(project, port, home=home)
        runs.append(run)
        return run

    yield start
    for run in runs:
        if run.process.poll() is None:
            family = run.family()
            run.process.send_signal(signal.SIGTERM)
            try:
                run.process.wait(20)
            except subprocess.TimeoutExpired:
                for process in family:
                    process.kill()
                run.process.wait()
