"""What plain `zappa package` and `zappa update` put into the zip, and that it runs there.

The zip is built by real Zappa, once for all workers, in a copy of the checkout where secrets and
leftovers lie about. The libraries come from the package index, or from `.local/lambda/uv`, where an
earlier build kept them; CI keeps that folder between runs. A Python of RUNTIME must be there.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from django.conf import settings as django_settings
from django.db import connection

from apps.members.models import DeviceSession, ProviderNotice
from apps.members.services import exporting
from igloo.packaging import PackagingError, archive, elf, environment, hooks, rules, static_names
from igloo.packaging.project import project_files
from tests.aws_ses import SENDER, sent_mails
from tests.aws_ses import ses as ses  # a fixture
from tests.builders import jpeg, make_comment, make_post, processed_upload, sign_up
from tests.moto_server import MotoServer

ROOT = Path(django_settings.BASE_DIR)
RUNTIME = "python3.12"
# What zappa_settings.json says of the package; see test_every_stage_is_packaged_by_the_hooks.
KEYS: dict[str, Any] = {
    "runtime": RUNTIME,
    "lambda_handler": "igloo.lambda_handler.handler",
    "slim_handler": False,
    "callbacks": {
        "settings": "igloo.packaging.hooks.prepare",
        "zip": "igloo.packaging.hooks.write_package",
    },
}
PLANTED = "planted-" + "5" * 24
# Where people leave things, and what is there in every checkout.
LEFTOVERS = (
    ".env", ".secrets/production.json", ".git/config", ".venv/lib/python3.11/site-packages/own.py",
    "bench/data.py", "tests/conftest.py", "docs/pictures/room.jpg", "docs/adr/0001-a.md",
    "node_modules/left/pad.js", "dump.sql", "id_rsa", "scratch.py", "igloo-production-1.zip",
    ".local/lambda.pem", "apps/posts/__pycache__/old.cpython-311.pyc", "apps/.DS_Store",
)  # fmt: skip


def write(path: Path, text: str = PLANTED) -> None:
    """Write a file, and make its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def checkout(folder: Path, **changed: Any) -> Path:
    """A copy of what this checkout is packaged from; `changed` are keys of its only stage."""
    for name in rules.PROJECT_FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*rules.PROJECT_FILES, "requirements.txt", "requirements-dev.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    stages = json.loads((ROOT / "zappa_settings.json").read_text(encoding="utf-8"))
    stages["production"] |= KEYS | changed
    (folder / "zappa_settings.json").write_text(json.dumps(stages))
    return folder


def zappa(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Zappa's own command there, as someone who has activated another virtual environment."""
    command = shutil.which("zappa", path=str(Path(sys.executable).parent)) or "zappa"
    # By this Python: the first line of the command is stale in a checkout that was moved.
    return subprocess.run(
        [sys.executable, command, *arguments, "--json"],  # which asks the index for no newer Zappa
        cwd=folder,
        env=os.environ
        | {
            "VIRTUAL_ENV": "/nowhere",
            "IGLOO_PACKAGE_CACHE": str(environment.cache()),
            "SECRET_KEY": PLANTED,
        }
        | variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The zip of `zappa package production`, made by the first worker that needs it."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared if worker_id == "master" else shared.parent
    path = shared / "package.zip"
    with (shared / "package.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            folder = checkout(shared / "checkout")
            for name in LEFTOVERS:
                write(folder / name)
            built = zappa(folder, "package", "production", "-o", "package.zip")
            assert built.returncode == 0, built.stdout + built.stderr
            shutil.move(folder / "package.zip", path)
    return path


@pytest.fixture(scope="session")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as Lambda unpacks it."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(package) as file:
        file.extractall(folder)
    return folder


def content(package: Path) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(package) as file:
        return {name: file.read(name) for name in file.namelist()}


# --- What is in it ------------------------------------------------------------------------------
def test_it_holds_igloo_and_its_libraries_and_nothing_else(package: Path) -> None:
    names = list(content(package))
    own = {
        name
        for name in names
        if name.split("/")[0] in ("apps", "deploy", "docs", "igloo", "locale")
    }
    sources = {name for name in own if "__pycache__" not in name}

    assert not rules.strangers(own, ())
    assert {"igloo/lambda_handler.py", "apps/posts/services/posts.py"} < sources
    assert {name for name in sources if name.startswith(("deploy", "docs", "locale"))} == {
        # Of the weekly bill.
        *(f"deploy/prices/{name}.toml" for name in ("ap-northeast-2", "measured", "us-east-1")),
        "docs/openapi.json",
        "locale/ko/LC_MESSAGES/django.mo",
    }
    # A new library shows here.
    others = {name.split("/")[0] for name in set(names) - own}
    libraries = {name for name in others if not re.search(r"\.(dist-info|libs|so)$", name)}
    libraries -= {
        "__pycache__",
        "manage.py",
        "package_info.json",
        "staticfiles.json",
        "zappa_settings.py",
    }
    assert libraries - {"apig_wsgi"} == {
        "PIL", "asgiref", "blurhash", "croniter", "cryptography", "dateutil", "dj_database_url",
        "django", "django_q", "django_s3_storage", "django_ses", "django_stubs_ext", "django_tasks",
        "django_tasks_db", "jwt", "orjson", "pi_heif", "picklefield", "psycopg2", "pyvips",
        "rest_framework", "six.pyc", "sqlparse", "typing_extensions.pyc", "uuid_utils",
    }  # fmt: skip


def test_no_secret_and_no_leftover_of_the_checkout_is_in_it(package: Path) -> None:
    for name, data in content(package).items():
        assert PLANTED.encode() not in data, name
        assert str(ROOT).encode() not in data, name
        assert not name.endswith((".po", ".pyi", ".h", ".pem")), name
    stage: dict[str, Any] = {}
    exec(content(package)["zappa_settings.py"], stage)  # noqa: S102
    assert stage["ENVIRONMENT_VARIABLES"] == {"AWS_REGION": "ap-northeast-2"}


def test_it_is_small_enough(package: Path) -> None:
    assert package.stat().st_size <= 24 * 1024 * 1024
    by_package = archive.sizes(package)
    assert list(by_package)[:3] == ["pyvips_binary", "cryptography", "psycopg2_binary"]
    # What is not content is the names and places of the files.
    assert 0 < package.stat().st_size - sum(by_package.values()) < 400 * 1024


def test_all_of_it_is_compiled_and_never_compared_with_a_source(package: Path) -> None:
    files = content(package)
    sources = [name for name in files if name.endswith(".py")]
    compiled = {name: data for name, data in files.items() if name.endswith(".pyc")}
    tag = RUNTIME.replace("python", "cpython-").replace(".", "")

    assert len(sources) > 100
    for name in sources:
        folder, _, file = name.rpartition("/")
        assert f"{folder}/__pycache__/{file[:-3]}.{tag}.pyc".lstrip("/") in compiled
    for name, data in compiled.items():
        # PEP 552: a hash, which is not checked.
        assert data[4:8] == b"\1\0\0\0", name
    assert b"/var/task/django/urls/base.py" in compiled["django/urls/base.pyc"]


def test_its_binaries_are_of_lambda_s_kind(package: Path) -> None:
    """No newer glibc than Amazon Linux 2023's 2.34 is asked for, and no library is missing."""
    binaries = {name: data for name, data in content(package).items() if elf.is_elf(data)}
    bundled = {name.rpartition("/")[2] for name in binaries if ".libs/" in name}

    assert len(binaries) > 20
    for name, data in binaries.items():
        assert max((int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", data)), default=0) <= 34
        assert re.fullmatch(
            r".*(\.abi3|\.cpython-312-x86_64-linux-gnu|-[0-9a-f]{8})\.so[.0-9]*", name
        )
        hashed = re.findall(rb"\0(lib[\w.+-]+-[0-9a-f]{8}\.so[.0-9]*)\0", data)
        assert {found.decode() for found in hashed} <= bundled, name


def test_the_same_checkout_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    """In another folder, at another time, with libraries that were installed anew."""
    folder = checkout(tmp_path / "another place")
    for path in folder.rglob("*"):
        os.utime(path, (1, 1_000_000_000))
    fresh = tmp_path / "cache"
    fresh.mkdir()
    (fresh / "uv").symlink_to(environment.cache() / "uv")

    built = zappa(
        folder, "package", "production", "-o", "again.zip",
        IGLOO_PACKAGE_CACHE=str(fresh), TZ="Asia/Seoul", PYTHONHASHSEED="7",
    )  # fmt: skip

    assert built.returncode == 0, built.stdout + built.stderr
    assert archive.checksum(folder / "again.zip") == archive.checksum(package)
    # In no order that a file system has.
    assert list(content(package)) == sorted(content(package))


# --- That it runs -------------------------------------------------------------------------------
def run(program: str, unpacked: Path, **variables: str) -> str:
    """Run a program in the runtime's Python, with the package and nothing else to import from."""
    process = subprocess.run(
        [environment.python_for(RUNTIME), "-I", "-S", "-B", "-c", program],
        cwd="/",
        env={"TASK": str(unpacked), "PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


START = """
import io, json, os, re, sys
from pathlib import Path
TASK = os.environ["TASK"]
sys.path.insert(0, TASK)
os.environ["DJANGO_SETTINGS_MODULE"] = "igloo.settings"
from igloo.wsgi import application

def get(path, **headers):
    from wsgiref.util import setup_testing_defaults
    environ = {"HTTP_HOST": "api.example.com", "wsgi.url_scheme": "https"}
    environ["PATH_INFO"], _, environ["QUERY_STRING"] = path.partition("?")
    environ |= {"HTTP_" + name.upper(): value for name, value in headers.items()}
    setup_testing_defaults(environ)
    status = []
    body = b"".join(application(environ, lambda line, headers: status.append(line)))
    return status[0], body.decode()
"""


@pytest.fixture
def stage(db: None, tmp_path: Path) -> Mapping[str, str]:
    """The environment of a deployed stage, on this test's database."""
    server = connection.settings_dict
    host = server["OPTIONS"].get("host") or server["HOST"]
    if host.startswith("/"):
        # A deployed stage refuses an embedded server, which it knows by the folder's name.
        (tmp_path / "socket").symlink_to(host)
        host = str(tmp_path / "socket")
    login = f"{server['USER']}:{server['PASSWORD']}@:{server['PORT'] or 5432}"
    return {
        "STAGE": "production",
        "ALLOWED_HOSTS": "api.example.com",
        "DATABASE_URL": f"postgresql://{login}/{server['NAME']}?host={host}",
        "MEDIA_BUCKET": "igloo-media",
        "ORIGINALS_BUCKET": "igloo-originals",
        "PUBLIC_BASE_URL": "https://api.example.com",
        "SECRET_KEY": "a1b2" * 15,
        "STATIC_BUCKET": "igloo-static",
    }


READS = """
from django.urls import URLPattern, get_resolver

def routes(patterns, before=""):
    for found in patterns:
        route = before + str(found.pattern)
        yield from [route] if isinstance(found, URLPattern) else routes(found.url_patterns, route)

def fill(route):
    ids = json.loads(os.environ["IDS"])
    return "/" + re.sub(r"<\\w+:(\\w+)>", lambda name: ids[name[1]], route)

own = [fill(route) for route in routes(get_resolver().url_patterns)
       if not route.startswith(("admin/", "^api"))]
clusters = "django_q.models" in sys.modules  # /readyz loads them with their migrations
read = [(path, *get(path, authorization=os.environ["TOKEN"])) for path in own]
read.append(("/admin/login/", *get("/admin/login/")))
found = "/api/v1/members?q=minji"  # without a word it is 400
read = [(found, *get(found)) if path == found.partition("?")[0] else (path, *rest)
        for path, *rest in read]
"""


@pytest.mark.usefixtures("committed")
def test_it_reads_everything_without_boto3(
    unpacked: Path, stage: Mapping[str, str], settings: Any
) -> None:
    """On a machine where there is none, each GET and both pages with static files answer."""
    settings.SECRET_KEY = stage["SECRET_KEY"]  # which signs the token
    pair = sign_up("minji")
    post = make_post(pair.member)
    ids = {
        "post_id": str(post.pk),
        "member_id": str(pair.member.pk),
        "upload_id": str(processed_upload(pair.member).pk),
        "comment_id": str(make_comment(pair.member, post).pk),
        "session_id": str(DeviceSession.objects.get().pk),
        "kind": "marketing",
        "provider": "kakao",
        "notice_id": str(ProviderNotice.objects.create(provider="facebook").pk),
        "export_id": str(exporting.request_export(member=pair.member).pk),
        "token": "of-nobody",
    }
    program = """
print(json.dumps([read, sorted({name.partition(".")[0] for name in sys.modules}
    & {"boto3", "botocore", "PIL", "pyvips", "zappa"}),
    clusters,
    [file for module in sys.modules.values() if (file := getattr(module, "__file__", None))
     and not file.startswith((TASK, sys.base_prefix))],
]))
"""
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": "igloo-production",
        "IDS": json.dumps(ids),
        "TOKEN": f"Bearer {pair.access_token}",
    }
    output = run(START + READS + program, unpacked, **stage, **variables)
    read, loaded, clusters, foreign = json.loads(output)

    answers = {path: (status[:3], body) for path, status, body in read}
    for page in ("/account/password", "/account/verify"):
        status, body = answers.pop(page)
        assert (status, "이 링크는 더 이상 쓸 수 없어요." in body) == ("400", True)
    statuses = {path: status for path, (status, _) in answers.items()}
    # Pages that a link of a mail leads to, without one.
    assert statuses.pop("/account/restore") == "400"
    assert statuses.pop("/account/export/of-nobody") == "404"
    # A provider's answer, and the provider is not set up.
    assert statuses.pop("/account/delete/kakao") == "404"
    # A login that the member has not.
    assert statuses.pop("/api/v1/me/identities/kakao") == "404"
    # What only writes says so.
    assert set(statuses.values()) <= {"200", "302", "405"}
    reads = {path for path, status in statuses.items() if status == "200"}
    assert len(reads) > 15
    assert f"/api/v1/posts/{post.pk}" in reads
    assert "scandinavian" in answers["/api/v1/taxonomies"][1]
    assert (
        "https://igloo-media.s3.ap-northeast-2.amazonaws.com/photos/"
        in (answers["/api/v1/posts"][1])
    )
    for page in ("/api/docs", "/admin/login/"):
        links = re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', answers[page][1])
        assert links, page
        bucket = "https://igloo-static.s3.ap-northeast-2.amazonaws.com/"
        assert all(re.fullmatch(rf"{bucket}.+\.[0-9a-f]{{12}}\.\w+", link) for link in links), links
    assert (loaded, clusters, foreign) == ([], False, [])


def test_it_processes_jpeg_and_heic(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpeg())
    samples = ROOT / "tests" / "media" / "samples"
    photos = [
        (str(tmp_path / "photo.jpg"), "image/jpeg"),
        *((str(samples / name), "image/heic") for name in ("phone.heic", "10bit.heic")),
    ]
    program = """
from apps.media.imaging import process_photo
for path, kind in json.loads(os.environ["PHOTOS"]):
    done = process_photo(Path(path), declared_type=kind)
    print(json.dumps([done.width, done.height, len(done.palette), len(done.renditions)]))
"""
    output = run(START + program, unpacked, STAGE="local", PHOTOS=json.dumps(photos))

    sizes = [json.loads(line) for line in output.splitlines()]
    assert len(sizes) == 3
    assert all(width > 0 and palette and renditions for width, _, palette, renditions in sizes)


def test_operators_log_in_in_korean_and_english(unpacked: Path, stage: Mapping[str, str]) -> None:
    program = """
for language in ("ko", "en"):
    print(json.dumps(get("/admin/login/", accept_language=language)))
"""
    output = run(START + program, unpacked, **stage)

    (korean, page), (english, other) = map(json.loads, output.splitlines())
    assert korean == english == "200 OK"
    assert "비밀번호:" in page
    assert "Password:" in other


def link_runtime(folder: Path) -> None:
    """What Lambda's runtime has, beside the package and after it."""
    for name in ("boto3", "botocore", "jmespath", "s3transfer", "urllib3"):
        (folder / name).symlink_to(Path(str(import_module(name).__file__)).parent)


def test_a_mail_goes_out_through_ses(
    unpacked: Path, stage: Mapping[str, str], tmp_path: Path, ses: MotoServer
) -> None:
    link_runtime(tmp_path)
    program = """
sys.path.append(os.environ["RUNTIME"])
from apps.common.mail import Mail, send_mail
mail = Mail("이메일 주소 확인", ["안녕하세요"], "https://x.kr/a", "열기")
assert "boto3" not in sys.modules
send_mail(lambda: mail, to="minji@example.com", language="ko")
"""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    place = {"AWS_ENDPOINT_URL": ses.url, "MAIL_FROM": SENDER, "RUNTIME": str(tmp_path)}
    run(START + program, unpacked, **stage, **keys, **place)

    [message] = sent_mails()
    assert message["To"] == "minji@example.com"
    parts = [part.get_content() for part in message.iter_parts()]
    assert all("안녕하세요" in part and "https://x.kr/a" in part for part in parts)


def test_storage_works_with_the_boto3_of_lambda_s_runtime(
    unpacked: Path, stage: Mapping[str, str], tmp_path: Path
) -> None:
    link_runtime(tmp_path)
    program = """
sys.path.append(os.environ["RUNTIME"])
from django.core.files.storage import storages
from apps.media.drivers import s3
print(storages["default"].url("a.webp"), storages["originals"].url("a.jpg"))
"""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    said = run(START + program, unpacked, RUNTIME=str(tmp_path), **stage, **keys)

    public, signed = said.split()
    assert public == "https://igloo-media.s3.ap-northeast-2.amazonaws.com/a.webp"
    assert "Signature=" in signed


@pytest.mark.parametrize(
    "line", ["check --deploy --fail-level ERROR", "migrate --check", "showmigrations tasks"]
)
def test_management_commands_run(unpacked: Path, stage: Mapping[str, str], line: str) -> None:
    """With exit status 0: nothing is wrong, and no migration is missing."""
    program = """
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *os.environ["LINE"].split()])
"""
    run(START + program, unpacked, LINE=line, **stage)


def test_what_the_rules_leave_out_is_imported_by_nothing(
    unpacked: Path, stage: Mapping[str, str]
) -> None:
    program = """
import contextlib, importlib, warnings
warnings.simplefilter("ignore")
here = {path.name.partition(".")[0] for path in Path(TASK).iterdir()}
for path in sorted({*Path(TASK).rglob("*.py"), *Path(TASK).rglob("*.pyc")}):
    name = ".".join(path.relative_to(TASK).with_suffix("").parts).removesuffix(".__init__")
    if "__pycache__" in path.parts or name.endswith("__main__") or name == "manage":
        continue
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A library may be able to use another that igloo lacks. None may lack a part.
        own = name.partition(".")[0] in ("apps", "igloo")
        if own or error.name.partition(".")[0] in here:
            print(f"{name} lacks {error.name}")
    except Exception:
        if name.partition(".")[0] in ("apps", "igloo"):
            raise
"""
    lacking = set(run(START + program, unpacked, **stage).splitlines())
    assert lacking == {
        # Lambda's runtime has it.
        "apps.common.ses lacks boto3",
        "apps.media.drivers.s3 lacks boto3",
        "apps.media.s3_storage lacks boto3",
    }


# --- What stops a build -------------------------------------------------------------------------
@pytest.fixture
def small(tmp_path: Path) -> Path:
    """As little of a checkout as there can be."""
    for name in ("apps/__init__.py", "igloo/wsgi.py", "docs/openapi.json", "manage.py"):
        write(tmp_path / name, "")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "apps/.env", "apps/posts/.env.production", "apps/media/secrets.json", "apps/id_rsa",
        "apps/posts/models/id_ed25519.pub", "igloo/server.pem", "apps/tls.key", "apps/notes.txt",
        "apps/ops/demo/.env", "apps/ops/static/ops/credentials.json", "apps/dump.sql.gz",
        "igloo/production.json", "locale/ko/LC_MESSAGES/django.mo.bak", "apps/.git/config",
        "igloo/laptop/PROD.ENV", "apps/members/native.so", "igloo/README",
    ],
)  # fmt: skip
def test_a_file_that_should_not_be_there_stops_the_build_by_name(small: Path, name: str) -> None:
    write(small / name)

    with pytest.raises(PackagingError, match=re.escape(name)):
        project_files(small)


@pytest.mark.parametrize("name", ["apps/link.py", "apps/linked"])
def test_a_link_stops_the_build_by_name(small: Path, name: str) -> None:
    write(small / "elsewhere" / "text.py")
    target = small / "elsewhere"
    (small / name).symlink_to(target / "text.py" if name.endswith(".py") else target)

    with pytest.raises(PackagingError, match=re.escape(name)):
        project_files(small)


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".secrets/production.json", "id_rsa", "tests/test_x.py", "bench/x.py", "dump.sql",
        "docs/adr/0001.md", "apps/ops/demo/seed.py", "apps/common/__pycache__/x.cpython-312.pyc",
        "apps/posts/.DS_Store", "apps/ops/static/ops/docs.js", "locale/ko/LC_MESSAGES/django.po",
        "igloo/packaging/rules.py", "igloo/laptop/launcher.py", "apps/ops/cost/refresh.py",
        "igloo/laptop/providers/world.py", "igloo/laptop/providers/login.html",
        "apps/ops/management/commands/cost.py",
    ],
)  # fmt: skip
def test_what_is_known_to_stay_behind_does_not_stop_it(small: Path, name: str) -> None:
    write(small / name)

    assert name not in project_files(small)


def test_zappa_ends_with_the_name_and_leaves_no_zip(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    write(folder / "apps" / "posts" / ".env")
    write(folder / "package.zip", "of an earlier build")

    built = zappa(folder, "package", "production", "-o", "package.zip")

    assert built.returncode == 1
    assert "apps/posts/.env" in built.stderr
    assert "Traceback" not in built.stderr
    # Before anything was zipped, or AWS was asked.
    assert "Packaging" not in built.stderr
    assert not list(folder.rglob("*.zip"))


def test_a_finished_zip_is_checked_by_itself(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = environment.libraries(RUNTIME)
    archive.verify(package, libraries)

    copy = shutil.copyfile(package, tmp_path / "copy.zip")
    with zipfile.ZipFile(copy, "a") as file:
        file.writestr("boto3/__init__.py", "")
        file.writestr("apps/posts/tls.pem", "")
    with pytest.raises(PackagingError, match=r"apps/posts/tls\.pem, boto3/__init__\.py"):
        archive.verify(copy, libraries)

    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as file:
        file.writestr("manage.py", "")
    with pytest.raises(PackagingError, match=r"lacks: .*igloo/lambda_handler\.py"):
        archive.verify(tmp_path / "empty.zip", libraries)

    monkeypatch.setattr(rules, "MAX_ZIP", 1024 * 1024)
    with pytest.raises(
        PackagingError, match=r"1 are allowed. The largest: pyvips_binary 7\.\d MiB"
    ):
        archive.verify(package, libraries)


class Cli(SimpleNamespace):
    """As much of Zappa's command as the hooks use."""

    def override_stage_config_setting(self, name: str, value: Any) -> None:
        """As Zappa's."""
        self.overridden[name] = value


def command(name: str, **changed: Any) -> Cli:
    """`zappa NAME production`, of a sound stage."""
    values: dict[str, Any] = {
        "command": name, "api_stage": "production", "vargs": {}, "stage_config": {},
        "overridden": {}, "runtime": RUNTIME, "architecture": "x86_64", "environment_variables": {},
        "lambda_handler": "igloo.lambda_handler.handler", "zip_path": None,
    }  # fmt: skip
    return Cli(**values | changed)


@pytest.fixture
def _no_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/mine")
    monkeypatch.setenv("IGLOO_PACKAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environment, "libraries", lambda runtime: tmp_path)


@pytest.mark.usefixtures("_no_build")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"runtime": "python3.11"}, r"'python3\.11'.* glibc .*python3\.12"),
        ({"architecture": "arm64"}, "x86_64"),
        ({"stage_config": {"slim_handler": True}}, "slim_handler"),
        ({"lambda_handler": "handler.lambda_handler"}, r"igloo\.lambda_handler\.handler"),
        ({"environment_variables": {"SECRET_KEY": PLANTED}}, r"\(SECRET_KEY\).*aws_environment"),
    ],
)
def test_a_stage_whose_package_could_not_run_is_refused(changed: Any, said: str) -> None:
    with pytest.raises(click.ClickException, match=said) as refused:
        hooks.prepare(command("update", **changed))
    assert PLANTED not in str(refused.value)


@pytest.mark.usefixtures("_no_build")
def test_zappa_gets_nothing_to_take_by_itself() -> None:
    cli = command("update")

    hooks.prepare(cli)

    assert cli.overridden == {
        "exclude": ["*"],
        "exclude_glob": [],
        "use_precompiled_packages": False,
    }
    venv = Path(os.environ["VIRTUAL_ENV"])
    assert [path.name for path in venv.rglob("*")][-1] == "site-packages"


@pytest.mark.usefixtures("_no_build")
def test_other_commands_are_left_alone() -> None:
    cli = command("status", runtime="python2.7")
    hooks.prepare(cli)
    assert (os.environ["VIRTUAL_ENV"], cli.overridden) == ("/mine", {})
    # What was built before may be deployed, or nothing at all.
    for option in ("zip", "no_upload", "docker_image_uri"):
        hooks.prepare(command("update", runtime="python2.7", vargs={option: "given"}))


@pytest.mark.usefixtures("_no_build")
def test_a_zip_that_could_not_be_finished_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, libraries: Path) -> None:
        raise PackagingError("It is half a package.")

    monkeypatch.setattr(archive, "verify", refuse)
    path = tmp_path / "igloo-production.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("zappa_settings.py", "")

    with pytest.raises(click.ClickException, match="half"):
        hooks.write_package(command("update", zip_path=str(path)))
    assert not path.exists()


@pytest.mark.parametrize("name", ["dev", "staging", "production"])
def test_every_stage_is_packaged_by_the_hooks(name: str) -> None:
    stages = json.loads((ROOT / "zappa_settings.json").read_text(encoding="utf-8"))
    stage = stages["base"] | stages[name]
    assert {key: stage.get(key) for key in KEYS} == KEYS
    assert "environment_variables" not in stage


# --- The parts ----------------------------------------------------------------------------------
REQUIREMENTS = """\
boto3==1.44.5 \\
    --hash=sha256:aa
    # via -r requirements.in
botocore==1.44.5 \\
    --hash=sha256:ab
    # via
    #   boto3
    #   s3transfer
django==5.2.19 \\
    --hash=sha256:ba
    # via -r requirements.in
gunicorn==27.0.1 \\
    --hash=sha256:bd
    # via -r requirements.in
pycparser==3.12 \\
    --hash=sha256:bb
    # via cffi
python-dateutil==2.9.0.post0 \\
    --hash=sha256:bc
    # via
    #   botocore
    #   croniter
redis==6.4.0 ; python_version > '3' \\
    --hash=sha256:ca
    # via -r requirements.in
s3transfer==0.19.3 \\
    --hash=sha256:cb
    # via boto3
"""


def test_what_only_those_require_that_stay_behind_stays_behind_too() -> None:
    kept = environment.shipped(REQUIREMENTS)

    assert re.findall(r"^[\w-]+(?===)", kept, re.M) == ["django", "python-dateutil"]
    assert "django==5.2.19 \\\n    --hash=sha256:ba\n" in kept
    with pytest.raises(PackagingError, match="has no redis"):
        environment.shipped(REQUIREMENTS.replace("redis", "valkey"))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("django/conf/locale/ko/LC_MESSAGES/django.mo", True),
        ("django/conf/locale/__init__.py", True),
        ("django/conf/locale/de/formats.py", False),
        ("django_q/locale/fr/LC_MESSAGES/django.mo", False),
        ("django/contrib/admin/static/admin/css/base.css", False),
        ("django/contrib/admin/templates/admin/login.html", True),
        ("django/contrib/gis/db/models/fields.py", False),
        ("PIL/Image.py", True),
        ("PIL/PngImagePlugin.py", False),
        ("PIL/_imaging.cpython-312-x86_64-linux-gnu.so", True),
        ("PIL/_avif.cpython-312-x86_64-linux-gnu.so", False),
        ("_cffi_backend.cpython-312-x86_64-linux-gnu.so", True),
        ("cffi/api.py", False),
        ("django_tasks-0.12.0.dist-info/METADATA", True),
        ("django_tasks-0.12.0.dist-info/RECORD", False),
        ("bin/django-admin", False),
        ("typing_extensions.py", True),
    ],
)
def test_which_files_of_libraries_are_kept(name: str, kept: bool) -> None:
    assert rules.is_library_file(name) is kept


def test_a_bundled_library_is_kept_where_a_kept_one_names_it() -> None:
    files = {
        "PIL/_imaging.so": b"\0libtiff-1.so.6\0",
        "PIL/Image.py": b"libavif-4.so",
        "pillow.libs/libtiff-1.so.6": b"\0liblzma-2.so.5\0",
        "pillow.libs/liblzma-2.so.5": b"",
        "pillow.libs/libwebp-3.so.7": b"\0libtiff-1.so.6\0",
        "pillow.libs/libavif-4.so": b"",
    }
    assert rules.named_libraries(files) == {
        "pillow.libs/libtiff-1.so.6",
        "pillow.libs/liblzma-2.so.5",
    }


def test_a_binary_keeps_what_is_loaded_alone() -> None:
    """Of a library of two segments, with a symbol table between them and one at the end."""
    header = elf._HEADER.pack(
        b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 3, 62, 1, 0, 64, 300, 0, 64, 56, 2, 64, 5, 4
    )
    segments = elf._SEGMENT.pack(1, 5, 0, 0, 0, 200).ljust(56, b"\0")
    segments += elf._SEGMENT.pack(1, 6, 240, 0, 0, 40).ljust(56, b"\0")
    data = (header + segments).ljust(200, b"c") + b"s" * 40 + b"d" * 40 + b"n" * 60

    kept = elf.loaded_part(data)

    assert kept[64:240] == data[64:200] + bytes(40)
    assert kept[240:] == b"d" * 40
    fields = elf._HEADER.unpack_from(kept)
    assert [fields[at] for at in (6, 11, 12, 13)] == [0, 0, 0, 0]
    assert elf.loaded_part(kept) == kept


def test_a_missing_python_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def output(command: list[str], **variables: str) -> str:
        asked.append(command)
        return "3.9.1 (main)" if "-c" in command else ""

    monkeypatch.setattr(environment, "output", output)

    with pytest.raises(PackagingError, match=r"Python 3\.12.* python install 3\.12"):
        environment.python_for(RUNTIME)
    assert any("install" in command for command in asked)


def test_without_the_checkouts_environment_a_build_says_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(static_names, "output", lambda command: "")
    with pytest.raises(PackagingError, match=r"Make \.venv with: make install"):
        static_names.make_static_names(tmp_path)
