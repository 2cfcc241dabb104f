"""A small checkout, and an account on loopback that it is deployed to: fixtures."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from igloo.deploying import DeployError
from igloo.deploying.ecs.deploy import EcsDeploy
from igloo.deploying.stages import read
from tests.aws_lambda.test_package import ROOT
from tests.deploying import stacks
from tests.deploying.ecs_containers import HOST
from tests.deploying.ecs_person import certificate
from tests.deploying.ecs_stand_in import EcsServer
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY

REGISTRY = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
WSGI = """
import json, os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"commit": os.environ["IGLOO_COMMIT"]}).encode()]
"""
MANAGE = """
import pathlib, sys
if sys.argv[1] == "showmigrations":
    print(pathlib.Path("plan").read_text())
else:
    print(sys.argv[1], "done")
"""


def plan() -> str:
    """What `showmigrations --plan` prints where all is applied."""
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    keys = sorted(key for key in MigrationLoader(None).graph.nodes if key[0] in ours)
    return "\n".join(f"[X]  {app}.{name}" for app, name in keys)


class Place:
    """A checkout, and an account where its first commit runs."""

    def __init__(self, folder: Path, server: EcsServer) -> None:
        self.folder = folder / "checkout"
        self.server = server
        (self.folder / "deploy").mkdir(parents=True)
        for name in ("deploy/ecs.yaml", "deploy/gunicorn.conf.py", "requirements-dev.txt"):
            shutil.copyfile(ROOT / name, self.folder / name)
        for name, text in {"igloo/wsgi.py": WSGI, "manage.py": MANAGE, "plan": plan()}.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8")
        self.git("init", "-q")
        self.deploy = self.new()

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
        done = subprocess.run(
            ["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, **parameters: Any) -> str:
        """With these parameters; its image is in ECR."""
        path = self.folder / "deploy" / "parameters" / "production.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(parameters), encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "A change")
        commit = self.git("rev-parse", "HEAD")
        image = self.server.shim.images / commit
        shutil.copytree(self.folder, image, ignore=shutil.ignore_patterns(".git"))
        (image / "commit").write_text(commit, encoding="utf-8")
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "layers": [{"digest": f"sha256:{commit}"}],
        }
        boto3.client("ecr").put_image(
            repositoryName="igloo", imageManifest=json.dumps(manifest), imageTag=commit
        )
        return commit

    def new(self) -> EcsDeploy:
        """A deploy of what is committed, with little patience."""
        stage = replace(read("production"), root=self.folder)
        self.deploy = EcsDeploy(stage, healthy_within=1)
        return self.deploy

    def parameters(self) -> dict[str, str]:
        found = self.deploy.stack.find()
        assert found is not None
        return found.parameters

    def fails(self) -> str:
        """Deploy another commit, which fails; what is said of it. All is as it was."""
        first, before = self.deploy.commit, self.parameters()
        self.commit()
        with pytest.raises(DeployError) as said:
            self.new().run(dry_run=False)
        assert self.parameters() == before
        assert self.server.shim.web is not None
        assert json.loads(self.server.shim.web.get("/healthz")[1]) == {"commit": first}
        assert f"is back at commit {first}, which answers" in str(said.value)
        return str(said.value)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An account with nothing but what data.yaml makes."""
    server = EcsServer(tmp_path, certificate(tmp_path / "certificate.pem"))
    server.start()
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        "PUBLIC_BASE_URL": f"https://{HOST}",
        "SSL_CERT_FILE": str(server.certificate),
        "STAGE": "local",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        for bucket in stacks.NAMES.values():
            where = {"LocationConstraint": REGION}
            server.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        boto3.client("logs").create_log_group(logGroupName="/igloo/production/one-off")
        boto3.client("ecr").create_repository(repositoryName="igloo")
        yield Place(tmp_path, server)
    finally:
        server.stop()


def needed() -> dict[str, str]:
    """What the template asks for."""
    network = stacks.network()
    made = boto3.client("acm").request_certificate(DomainName=HOST)
    return stacks.NAMES | {
        "Certificate": made["CertificateArn"],
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/igloo-production-execution",
        "PublicSubnets": network["subnets"],
        "TaskRoleArn": "arn:aws:iam::123456789012:role/igloo-production-task",
        "TaskSubnets": network["subnets"],
        "Vpc": network["vpc"],
    }


@pytest.fixture
def place(empty: Place) -> Place:
    """The first commit runs."""
    empty.commit(**needed())
    empty.deploy.run(dry_run=False)
    return empty
