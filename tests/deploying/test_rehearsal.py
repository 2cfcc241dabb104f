"""`make rehearse`: a stage's whole life, with real Zappa and the real zip, against a stand-in.

deploy → request → S3 event → async task → update → changed answer → bad update → back by itself →
first answer → undeploy. It ends by saying what it does not prove.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.aws_lambda.test_package import ROOT, checkout
from tests.aws_lambda.test_real_package import has_python
from tests.builders import CONSENTS_JSON, DEVICE_JSON, PASSWORD, jpeg
from tests.deploying import deployer
from tests.deploying.aws import AwsServer
from tests.media.s3 import ACCESS_KEY, MEDIA_BUCKET, ORIGINALS_BUCKET, REGION, SECRET_KEY

__all__ = ["has_python"]  # a fixture
pytestmark = pytest.mark.usefixtures("has_python", "committed")

NAME = "igloo-production"
STATIC_BUCKET = "igloo-static"
PLANTED = "planted-" + "7" * 32
NOT_PROVED = """
This does not prove: IAM (moto refuses nothing; the calls were compared with the deployer's role by
this project's reading of AWS's rules), API Gateway's routing and time-outs (the stack is a REST
API's, and requests go past it), retries of asynchronous events, SnapStart and aliases, Lambda
sending a failed event to its queue, and the checks of a deployed stage's settings (the function
runs as STAGE=local on the tests' database)."""

DROP = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("posts", "LAST")]
    operations = [OPERATION]
"""


class Person:
    """Whoever deploys, with a checkout of their own and AWS's keys."""

    def __init__(self, folder: Path, server: AwsServer) -> None:
        self.folder = folder
        self.server = server

    @property
    def calls(self) -> Path:
        """The file where each deploy notes what it called of AWS."""
        return self.folder.with_name("calls")

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, with `more` variables; what it printed is shown."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=os.environ
            | {
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": self.server.url,
                "IGLOO_PACKAGE_CACHE": str(ROOT / ".local" / "lambda"),
                "VIRTUAL_ENV": sys.prefix,
                "GIT_AUTHOR_NAME": "Alice",
                "GIT_AUTHOR_EMAIL": "alice@example.com",
                "GIT_COMMITTER_NAME": "Alice",
                "GIT_COMMITTER_EMAIL": "alice@example.com",
            }
            | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
            check=False,
        )
        print(f"$ {' '.join(words[-4:])}\n{done.stdout}")
        return done

    def deploy(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Commit what was changed, and deploy it."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", "A change")
        noting = {"PYTHONPATH": str(deployer.NOTING), "AWS_CALLS": str(self.calls)}
        words = (sys.executable, "-m", "igloo.deploying", "production", *more)
        done = self.run(*words, **noting)
        assert PLANTED not in done.stdout
        return done

    def change(self, name: str, old: str, new: str) -> None:
        """Change a text of the checkout."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask the stage, as an app would."""
        return requests.get(f"{self.url}{path}", headers=headers, timeout=60)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Tell the stage something, as an app would."""
        return requests.post(f"{self.url}{path}", json=body, headers=headers, timeout=60)

    @property
    def url(self) -> str:
        return f"{self.server.url}/_stage/{NAME}"

    def client(self, service: str) -> Any:
        """AWS's own API."""
        return boto3.session.Session(ACCESS_KEY, SECRET_KEY).client(
            service, region_name=REGION, endpoint_url=self.server.url
        )


@pytest.fixture
def person(tmp_path: Path, django_db_setup: None) -> Iterator[Person]:
    """With a checkout of this code, and an AWS that has the bucket, the role and the database."""
    server = AwsServer(tmp_path)
    server.start()
    server.make_buckets()
    database = connection.settings_dict
    host = database["OPTIONS"].get("host") or database["HOST"]
    login = f"{database['USER']}:{database['PASSWORD']}@:{database['PORT'] or 5432}"
    variables = {
        "DATABASE_URL": f"postgresql://{login}/{database['NAME']}?host={host}",
        "PUBLIC_BASE_URL": f"{server.url}/_stage/{NAME}",
        "SECRET_KEY": PLANTED,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "MEDIA_BUCKET": MEDIA_BUCKET,
        "MEDIA_URL": f"{server.url}/{MEDIA_BUCKET}/",
        "ORIGINALS_BUCKET": ORIGINALS_BUCKET,
        "STATIC_BUCKET": STATIC_BUCKET,
        "STATIC_URL": f"{server.url}/{STATIC_BUCKET}/",
    }
    # A REST API: moto's CloudFormation knows no HTTP API.
    folder = checkout(
        tmp_path / "checkout", aws_environment_variables=variables, apigateway_version="v1"
    )
    shutil.copyfile(ROOT / ".gitignore", folder / ".gitignore")
    who = Person(folder, server)
    who.run("git", "init", "-q")
    bucket = json.loads((ROOT / "zappa_settings.json").read_text())["production"]["s3_bucket"]
    where = {"LocationConstraint": REGION}
    for name in (bucket, STATIC_BUCKET):
        server.client.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    buckets = {"MediaBucket": MEDIA_BUCKET, "OriginalsBucket": ORIGINALS_BUCKET}
    who.client("cloudformation").create_stack(
        StackName="igloo-role-production",
        TemplateBody=(ROOT / "deploy" / "lambda-role.json").read_text(encoding="utf-8"),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in ({"FunctionName": NAME} | buckets).items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    try:
        yield who
    finally:
        server.stop()


def wait_for(ask: Any, seconds: float = 40) -> Any:
    """Ask until something true comes back."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.3)
    return found


def upload_a_photo(person: Person) -> None:
    """A ticket, the file to S3, S3's event, the task that it starts, the photo."""
    login = {"username": "minji.home", "password": PASSWORD, "device": DEVICE_JSON}
    more = {"birth_date": "1996-05-04", "consents": CONSENTS_JSON, "display_name": "민지"}
    assert person.post("/api/v1/auth/signup", login | more).status_code == 201
    token = person.post("/api/v1/auth/login", login).json()["access_token"]
    member = {"Authorization": f"Bearer {token}"}
    photo = jpeg()
    announced = {"content_type": "image/jpeg", "size": len(photo)}
    ticket = person.post("/api/v1/uploads", announced, **member).json()
    sent = requests.post(ticket["url"], ticket["fields"], files={"file": photo}, timeout=20)
    assert sent.status_code == 204, sent.text

    # Nobody calls `complete`: S3 tells the function.
    def ready() -> bool:
        found = person.get(f"/api/v1/uploads/{ticket['id']}", **member).json()
        assert found["status"] != "failed", found
        return found["status"] == "ready"

    wait_for(ready)
    assert person.server.keys(MEDIA_BUCKET)


def see_a_page(person: Person) -> None:
    """What a page loads is where it says, all of it."""
    page = person.get("/api/docs").text
    links = re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', page)
    assert links
    for link in links:
        key = link.removeprefix(f"{person.server.url}/{STATIC_BUCKET}/")
        assert person.server.client.head_object(Bucket=STATIC_BUCKET, Key=key)


# What the deployer may do and a deploy here does not: with a reason for each.
NOT_CALLED = {
    # Asked while a stack is made; here it is at once.
    "Stack cloudformation:ListStackResources",
    # No queue is before the function.
    "QueuesBeforeIt lambda:UpdateEventSourceMapping",
}


def assert_the_deployers_role_is_enough(person: Person) -> None:
    """All that the deploys called is granted to GitHub's deployer, and nothing else is."""
    found = deployer.policies(person.server, ApiGateway="v1")
    statements = found["deploy"] + found["rest-api"] + found["static"]
    rest_api = [kind for kind in deployer.OF_CLOUDFORMATION if "::ApiGateway::" in kind]
    role = "arn:aws:iam::123456789012:role/igloo-lambda"
    needs = {*deployer.noted(person.calls), *deployer.of_resources(rest_api, NAME, role)}
    assert deployer.refused(statements, needs) == set()
    assert deployer.unused(statements, needs) == NOT_CALLED


def test_the_life_of_a_stage(person: Person) -> None:
    # Only a look: nothing is there afterwards.
    looked = person.deploy("--dry-run")
    assert looked.returncode == 0, looked.stdout
    assert (
        "would build the package, send the static files to igloo-static, run `zappa deploy"
        in looked.stdout
    )
    assert person.client("lambda").list_functions()["Functions"] == []

    first = person.deploy()
    assert first.returncode == 0, first.stdout
    health = person.get("/healthz").json()
    version = health["version"]
    assert health["commit"] == person.run("git", "rev-parse", "HEAD").stdout.strip()
    assert f"production runs version {version}" in first.stdout
    client = person.client("lambda")
    failing = client.get_function_event_invoke_config(FunctionName=NAME)
    assert failing["MaximumRetryAttempts"] == 0
    queue = f"arn:aws:sqs:{REGION}:123456789012:{NAME}-failed"
    assert failing["DestinationConfig"]["OnFailure"] == {"Destination": queue}
    assert person.get("/api/v1/app-config").json()["contact"]["email"] == "help@example.com"
    upload_a_photo(person)
    see_a_page(person)

    person.change("igloo/settings.py", "help@example.com", "hello@example.com")
    second = person.deploy()
    assert second.returncode == 0, second.stdout
    updated = person.get("/healthz").json()["version"]
    assert updated != version
    assert person.get("/api/v1/app-config").json()["contact"]["email"] == "hello@example.com"
    code = client.get_function(FunctionName=NAME)["Configuration"]["CodeSha256"]

    # A migration that the running version would not survive: nothing is touched.
    drop = person.folder / "apps/posts/migrations/9999_drop.py"
    last = max(drop.parent.glob("[0-9]*.py")).stem
    text = DROP.replace("LAST", last)
    remove = 'migrations.RemoveField("post", "title")'
    drop.write_text(text.replace("OPERATION", remove), encoding="utf-8")
    refused = person.deploy()
    assert refused.returncode == 1
    assert "would not survive this: posts.9999_drop.RemoveField" in refused.stdout
    assert "zappa" not in refused.stdout
    # Nobody can tell what SQL does, but who wrote it: CONTRACT=1 says that it may.
    sql = 'migrations.RunSQL("SELECT 1", "SELECT 1")'
    drop.write_text(text.replace("OPERATION", sql), encoding="utf-8")
    allowed = person.deploy("--contract")
    assert allowed.returncode == 0, allowed.stdout
    assert MigrationRecorder.Migration.objects.filter(name="9999_drop").delete()[0] == 1
    updated = person.get("/healthz").json()["version"]
    code = client.get_function(FunctionName=NAME)["Configuration"]["CodeSha256"]
    drop.unlink()

    # It can't start.
    text = (person.folder / "igloo/settings.py").read_text(encoding="utf-8")
    (person.folder / "igloo/settings.py").write_text(f'{text}\nraise RuntimeError("bad day")\n')
    # The migrations are looked at with the settings of the checkout: only the function fails.
    person.change("igloo/settings.py", "\nraise R", "\nif STAGE_IS_DEPLOYED:\n    raise R")
    person.change(
        "igloo/settings.py",
        "\nif STAGE_IS",
        '\nSTAGE_IS_DEPLOYED = "AWS_LAMBDA_FUNCTION_NAME" in os.environ\nif STAGE_IS',
    )
    third = person.deploy()
    assert third.returncode == 1
    assert "the new version failed" in third.stdout
    assert f"production is back at version {updated}, which answers" in third.stdout
    assert client.get_function(FunctionName=NAME)["Configuration"]["CodeSha256"] == code
    assert person.get("/healthz").json()["version"] == updated
    assert person.get("/api/v1/app-config").json()["contact"]["email"] == "hello@example.com"

    assert_the_deployers_role_is_enough(person)

    gone = person.run(sys.executable, "-m", "zappa.cli", "undeploy", "production", "-y")
    assert gone.returncode == 0
    assert client.list_functions()["Functions"] == []
    print(NOT_PROVED)
