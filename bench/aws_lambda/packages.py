"""What is measured, each unpacked as Lambda finds it: igloo, and hello worlds to compare with.

All run in the same Python with the same modules of Lambda's runtime, and of what igloo shares with
them they have the versions that requirements.txt pins.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.aws_lambda.function import Function
from bench.data import CHECKOUT
from igloo.laptop import postgres
from igloo.laptop.aws_lambda import package, runtime
from igloo.laptop.aws_lambda.runtime import Runtime
from igloo.laptop.places import LaptopError
from igloo.packaging import PackagingError, environment, programs

# What is added to a project of `django-admin startproject`, and nothing else.
_HELLO = """
from django.http import JsonResponse
from django.urls import path


def hello(request):
    return JsonResponse({"hello": "world"})


urlpatterns += [path("healthz", hello)]
"""
_HELLO_DRF = """
from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view()
def hello_drf(request):
    return Response({"hello": "world"})


urlpatterns += [path("api/v1/taxonomies", hello_drf)]
"""
# What `zappa init` asks for; all else is Zappa's default.
_ZAPPA_SETTINGS = """{
    "dev": {
        "aws_region": "ap-northeast-2",
        "django_settings": "hello.settings",
        "profile_name": null,
        "project_name": "hello",
        "runtime": "python3.12",
        "s3_bucket": "zappa-hello-bench"
    }
}
"""


@dataclass(frozen=True)
class Packages:
    """The functions that are measured, and igloo's zip."""

    zip: Path
    igloo: Function
    zappa: Function
    django: Function


@contextmanager
def built() -> Iterator[Packages]:
    """All of them, with a database for igloo, until the end of the block.

    Raises:
        LaptopError: one can't be built.
    """
    folder = CHECKOUT / ".local" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as temporary:
        place = Path(temporary)
        try:
            print("Building igloo's package, and the hello worlds.")
            zip_path = igloo_zip(place)
            tasks = {name: place / "tasks" / name for name in ("igloo", "zappa", "django")}
            (place / "tasks").mkdir()
            package.unpack(zip_path, tasks["igloo"])
            lambda_runtime = runtime.of_package(tasks["igloo"], place / "runtime")
            package.unpack(_zappa_zip(place / "zappa", lambda_runtime), tasks["zappa"])
            _django_folder(tasks["django"], lambda_runtime)
        except PackagingError as error:
            raise LaptopError(str(error)) from error
        try:
            with _database() as url:
                # Photos are on S3 as in a deployed stage; nothing here asks for one.
                variables = {"STAGE": "local", "DATABASE_URL": url, "DB_CONN_MAX_AGE": "600"}
                variables |= {"MEDIA_BUCKET": "igloo-media", "STATIC_BUCKET": "igloo-static"}
                yield Packages(
                    zip_path,
                    Function("igloo", tasks["igloo"], lambda_runtime, variables),
                    Function("Zappa's hello world", tasks["zappa"], lambda_runtime),
                    Function(
                        "Django's hello world",
                        tasks["django"],
                        lambda_runtime,
                        {"DJANGO_SETTINGS_MODULE": "hello.settings"},
                    ),
                )
        finally:
            for task in tasks.values():
                package.remove(task)


def igloo_zip(folder: Path) -> Path:
    """This checkout's package, as `make package` builds it."""
    path = folder / "igloo.zip"
    _run([sys.executable, "-m", "zappa.cli", "package", "dev", "--json", "--output", str(path)])
    return path


def _zappa_zip(folder: Path, lambda_runtime: Runtime) -> Path:
    """What `zappa package` makes of a new Django project with REST framework, as it comes."""
    folder.mkdir()
    venv = folder.with_name("venv")
    python = str(venv / "bin" / "python")
    _run([lambda_runtime.python, "-m", "venv", str(venv)])
    _install(["zappa", "django", "djangorestframework"], "--python", python)
    _start_project(folder, [python], with_drf=True)
    (folder / "zappa_settings.json").write_text(_ZAPPA_SETTINGS, encoding="utf-8")
    active = {"VIRTUAL_ENV": str(venv), "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    _run([python, "-m", "zappa.cli", "package", "dev", "-o", "hello.zip"], folder, active)
    return folder / "hello.zip"


def _django_folder(folder: Path, lambda_runtime: Runtime) -> None:
    """A new Django project beside Django, compiled as igloo's package is."""
    folder.mkdir()
    _install(
        ["django"], "--target", str(folder), "--python", lambda_runtime.python,
        "--python-version", lambda_runtime.version,
    )  # fmt: skip
    _start_project(folder, [lambda_runtime.python, "-S"], with_drf=False)
    environment.compile_folder(folder, python=lambda_runtime.python)


def _start_project(folder: Path, python: Sequence[str], *, with_drf: bool) -> None:
    _run([*python, "-m", "django", "startproject", "hello", "."], folder)
    with (folder / "hello" / "urls.py").open("a", encoding="utf-8") as file:
        file.write(_HELLO + (_HELLO_DRF if with_drf else ""))
    with (folder / "hello" / "settings.py").open("a", encoding="utf-8") as file:
        file.write('\nDEBUG = False\nALLOWED_HOSTS = ["*"]\n')
        if with_drf:
            file.write('INSTALLED_APPS += ["rest_framework"]\n')


@contextmanager
def _database() -> Iterator[str]:
    """A new PostgreSQL with igloo's tables, which hold the words that migrations bring."""
    with postgres.temporary() as url:
        _run([sys.executable, "manage.py", "migrate", "-v", "0"], CHECKOUT, {"DATABASE_URL": url})
        yield url


def _install(names: Sequence[str], *options: str) -> None:
    command = [*programs.uv(), "pip", "install", "--quiet", *names, *options]
    command += ["--constraint", str(CHECKOUT / "requirements.txt")]
    _run(command, variables={"UV_CACHE_DIR": str(environment.cache() / "uv")})


def _run(
    command: Sequence[str], folder: Path = CHECKOUT, variables: Mapping[str, str] | None = None
) -> None:
    foreign = ("DJANGO_", "PYTHON", "STAGE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        command, cwd=folder, env=own | dict(variables or {}), capture_output=True, text=True
    )
    if done.returncode:
        said = f"{done.stdout[-1000:]}{done.stderr[-1000:]}".strip()
        raise LaptopError(f"{' '.join(command[:4])} … failed:\n{said}")
