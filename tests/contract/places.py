"""The places igloo runs at, each started whole on loopback, with a database of its own or not."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from platform import machine
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection

from igloo.laptop import launcher, programs
from igloo.laptop.aws_lambda.local import running
from igloo.packaging import PackagingError, environment
from tests.aws_lambda.test_package import RUNTIME
from tests.media.s3 import ACCESS_KEY, MEDIA_BUCKET, ORIGINALS_BUCKET, SECRET_KEY, S3Server
from tests.processes import free_port, wait_for_answer

LOCAL = ("laptop", "gunicorn", "lambda-v1", "lambda-v2")
_STOP_SECONDS = 30


@dataclass(frozen=True)
class Place:
    """An address where igloo answers."""

    name: str
    url: str
    # Its name on the tests' server; empty where nothing is known but the address.
    database: str = ""

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Look into its database, or change it."""
        with closing(_connect(self.database)) as own, own, own.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


class Places:
    """Starts places when they are asked for; `close` stops them all.

    Args:
        folder: where the laptop keeps its photos, and all of them what they say.
        package: gives the zip, which takes a while to build; only Lambda needs it.
    """

    def __init__(self, folder: Path, package: Callable[[], Path]) -> None:
        self.folder = folder
        self.package = package
        self._stack = ExitStack()
        self._known: dict[str, Place] = {}
        self._s3: S3Server | None = None
        self._template = ""
        self._run = uuid.uuid4().hex[:8]

    def __getitem__(self, name: str) -> Place:
        """The place of this name, up and ready."""
        if name not in self._known:
            self._known[name] = self._start(name, self._database(name.replace("-", "_")), {})
        if self._s3 is not None:
            # moto's servers of one process share what they hold, and other tests empty it.
            self._s3.make_buckets()
        return self._known[name]

    def together(self, *names: str, **variables: str) -> list[Place]:
        """Places on one database of their own, with these variables besides."""
        database = self._database("together")
        return [self._start(name, database, variables) for name in names]

    def close(self) -> None:
        """Stop them."""
        self._stack.close()

    def _start(self, name: str, database: str, more: Mapping[str, str]) -> Place:
        variables = {
            "DATABASE_URL": database_url(database),
            "LOG_LEVEL": "WARNING",
            "PUBLIC_BASE_URL": "https://igloo.example",
            **more,
        }
        starts = {"laptop": self._laptop, "gunicorn": self._gunicorn, "image": self._image}
        start = starts.get(name)
        url = start(variables) if start else self._lambda(variables, name.partition("-")[2])
        wait_for_answer(f"{url}/readyz")
        return Place(name, url, database)

    # --- Each place -----------------------------------------------------------------------------
    def _laptop(self, variables: dict[str, str]) -> str:
        """What `make run` starts; its photos are files."""
        port = free_port()
        variables |= {"LOCAL_STORAGE_DIR": str(self.folder / "storage"), "PORT": str(port)}
        web = launcher.manage(*launcher.WEB, f"127.0.0.1:{port}")
        self._process("laptop-web", web, variables)
        self._process("laptop-worker", launcher.manage(*launcher.WORKER), variables)
        return f"http://127.0.0.1:{port}"

    def _gunicorn(self, variables: dict[str, str]) -> str:
        """What a container runs; its photos are on S3."""
        port = free_port()
        variables |= self._s3_variables() | {"HOST": "127.0.0.1", "PORT": str(port)}
        web = [
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            "deploy/gunicorn.conf.py",
            "igloo.wsgi",
        ]
        self._process("gunicorn-web", web, variables | {"WEB_CONCURRENCY": "2"})
        self._process("gunicorn-worker", launcher.manage(*launcher.WORKER), variables)
        return f"http://127.0.0.1:{port}"

    def _image(self, variables: dict[str, str]) -> str:
        """What is in the image of IGLOO_IMAGE, by buildah, on this machine's network."""
        port = free_port()
        variables |= self._s3_variables() | {"HOST": "127.0.0.1", "PORT": str(port)}
        socket = connection.settings_dict["OPTIONS"].get("host", "")
        made = subprocess.run(
            ["buildah", "from", "--pull-never", os.environ["IGLOO_IMAGE"]],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        container = made.stdout.strip()
        self._stack.callback(subprocess.run, ["buildah", "rm", container], check=True)
        options = [word for pair in variables.items() for word in ("--env", "=".join(pair))]
        if socket:
            # Whoever may use the tests' server; the image has to bear any account but root.
            owner = Path(socket).stat().st_uid
            options += ["--volume", f"{socket}:{socket}", "--user", f"{owner}:{owner}"]
        run = ["buildah", "run", "--isolation", "chroot", *options, container, "--"]
        gunicorn = ["gunicorn", "--config", "deploy/gunicorn.conf.py", "igloo.wsgi"]
        for name, command in (
            ("web", gunicorn),
            ("worker", ["python", "manage.py", *launcher.WORKER]),
        ):
            # A group of its own: buildah passes no signal on.
            self._process(f"image-{name}", [*run, *command], {}, group=True)
        return f"http://127.0.0.1:{port}"

    def _lambda(self, variables: dict[str, str], api: str) -> str:
        """The package behind an API Gateway, whose address it counts callers by."""
        variables |= self._s3_variables() | {"TRUSTED_PROXIES": "1"}
        front = running(self.package(), environment=variables, api=api, instances=2)
        return self._stack.enter_context(front).url

    # --- What they need -------------------------------------------------------------------------
    def _s3_variables(self) -> dict[str, str]:
        if self._s3 is None:
            self._s3 = S3Server()
            self._s3.start()
            self._stack.callback(self._s3.stop)
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": self._s3.url,
            "MEDIA_BUCKET": MEDIA_BUCKET,
            "MEDIA_URL": f"{self._s3.url}/{MEDIA_BUCKET}/",
            "ORIGINALS_BUCKET": ORIGINALS_BUCKET,
        }

    def _process(
        self, name: str, command: list[str], variables: Mapping[str, str], *, group: bool = False
    ) -> None:
        log = self._stack.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            command if group else programs.leashed(command, signal.SIGKILL),
            process_group=0 if group else None,
            cwd=settings.BASE_DIR,
            env=os.environ | dict(variables) | {"TASK_WORKER_NAME": name},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self._stack.callback(_stop, process, group=group)

    def _database(self, name: str) -> str:
        """A database of its own, with the tables."""
        if not self._template:
            self._template = self._create("template", "")
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"],
                cwd=settings.BASE_DIR,
                env=os.environ | {"DATABASE_URL": database_url(self._template)},
                check=True,
            )
        return self._create(name, f" TEMPLATE {self._template}")

    def _create(self, name: str, options: str) -> str:
        database = f"contract_{name}_{self._run}"
        execute(f"CREATE DATABASE {database}{options}")
        self._stack.callback(execute, f"DROP DATABASE {database} WITH (FORCE)")
        return database


def why_no_lambda() -> str:
    """Why the package can't run on this machine; empty where it can."""
    if (sys.platform, machine()) != ("linux", "x86_64"):
        return "the package is for Linux on x86-64"
    try:
        environment.python_for(RUNTIME)
    except PackagingError as error:
        return str(error)
    return ""


def database_url(database: str) -> str:
    """The URL of a database on the tests' server, as a process of another Python reads it."""
    known = connection.settings_dict
    host = known["OPTIONS"].get("host") or known["HOST"]
    login = f"{known['USER']}:{known['PASSWORD']}@:{known['PORT'] or 5432}"
    return f"postgresql://{login}/{database}?host={host}"


def _connect(database: str) -> Any:
    parameters = connection.get_connection_params() | {"dbname": database}
    parameters.pop("cursor_factory", None)
    return psycopg2.connect(**parameters)


def execute(sql: str) -> None:
    """Run a statement that is no part of a transaction: of databases themselves."""
    with closing(_connect("postgres")) as own:
        own.autocommit = True
        with own.cursor() as cursor:
            cursor.execute(sql)


def _stop(process: subprocess.Popen[bytes], *, group: bool) -> None:
    if group:
        os.killpg(process.pid, signal.SIGTERM)
    else:
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
