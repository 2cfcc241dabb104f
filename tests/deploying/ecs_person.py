"""Whoever deploys to ECS: a checkout of their own, a builder, and an AWS account to deploy to."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from igloo.packaging.image import FILES
from tests.aws_lambda.test_package import ROOT, checkout
from tests.contract.places import database_url, execute
from tests.deploying import deployer, stacks
from tests.deploying.ecs_containers import HOST
from tests.deploying.ecs_stand_in import EcsServer
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY

_ROLES = "arn:aws:iam::123456789012:role/igloo-production"


class EcsPerson:
    """Commits, and deploys."""

    def __init__(self, folder: Path, server: EcsServer) -> None:
        self.folder = folder
        self.server = server
        self.calls = folder.with_name("calls")
        session = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        self.certificate = ""
        self.client = lambda service: session.client(service, endpoint_url=server.url)

    @property
    def variables(self) -> dict[str, str]:
        """Of a shell that deploys."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.server.url,
            "IMAGES": str(self.server.shim.images),
            "PATH": f"{self.folder.with_name('bin')}:{os.environ['PATH']}",
            "PUBLIC_BASE_URL": f"https://{HOST}",
            "SSL_CERT_FILE": str(self.server.certificate),
            "GIT_AUTHOR_NAME": "Alice",
            "GIT_AUTHOR_EMAIL": "alice@example.com",
            "GIT_COMMITTER_NAME": "Alice",
            "GIT_COMMITTER_EMAIL": "alice@example.com",
        }

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout; what it printed is shown."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=os.environ | self.variables | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        print(f"$ {' '.join(words[-4:])}\n{done.stdout}")
        return done

    def commit(self) -> str:
        """All that was changed; which commit that is."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", "A change")
        return self.run("git", "rev-parse", "HEAD").stdout.strip()

    def deploy(self, *more: str, noting: bool = True) -> subprocess.CompletedProcess[str]:
        """Deploy what is committed; what it calls of AWS is noted."""
        noted = {"PYTHONPATH": str(deployer.NOTING), "AWS_CALLS": str(self.calls)} if noting else {}
        return self.run(sys.executable, "-m", "igloo.deploying.ecs", "production", *more, **noted)

    def tell(self, **changed: Any) -> None:
        """Write the stage's parameters."""
        path = self.folder / "deploy" / "parameters" / "production.json"
        path.parent.mkdir(exist_ok=True)
        place = stacks.network()
        known = stacks.NAMES | {
            "Certificate": self.certificate,
            "ExecutionRoleArn": f"{_ROLES}-execution",
            "PublicSubnets": place["subnets"].split(","),
            "TaskRoleArn": f"{_ROLES}-task",
            "TaskSubnets": place["subnets"].split(","),
            "Vpc": place["vpc"],
        }
        path.write_text(json.dumps(known | changed, indent=2), encoding="utf-8")

    def health(self) -> dict[str, Any]:
        """What answers behind the balancer."""
        assert self.server.shim.web is not None
        told: dict[str, Any] = json.loads(self.server.shim.web.get("/healthz")[1])
        return told

    def parameters(self) -> dict[str, str]:
        """The stack's."""
        [stack] = self.client("cloudformation").describe_stacks()["Stacks"]
        return {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}


def certificate(path: Path) -> Path:
    """Of HOST, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def ready(folder: Path) -> Iterator[EcsPerson]:
    """A checkout, an account with what data.yaml makes, and an empty database."""
    server = EcsServer(folder, certificate(folder / "certificate.pem"))
    server.start()
    database = f"ecs_{uuid4().hex[:12]}"
    execute(f"CREATE DATABASE {database}")
    try:
        server.shim.variables = {
            "ALLOWED_HOSTS": HOST,
            "DATABASE_URL": database_url(database),
            "LOCAL_STORAGE_DIR": str(folder / "storage"),
            "LOG_LEVEL": "WARNING",
            "WEB_CONCURRENCY": "1",
        }
        copy = checkout(folder / "checkout")
        (copy / "deploy").mkdir(exist_ok=True)
        for name in (".gitignore", "Makefile", *FILES, "deploy/ecs.yaml"):
            shutil.copyfile(ROOT / name, copy / name)
        program = folder / "bin" / "docker"
        program.parent.mkdir()
        builder = Path(__file__).with_name("builder.py").read_text(encoding="utf-8")
        program.write_text(f"#!{sys.executable}\n{builder}", encoding="utf-8")
        program.chmod(0o755)
        who = EcsPerson(copy, server)
        who.run("git", "init", "-q")
        where = {"LocationConstraint": REGION}
        for bucket in stacks.NAMES.values():
            server.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        who.client("logs").create_log_group(logGroupName="/igloo/production/one-off")
        who.client("ecr").create_repository(repositoryName="igloo")
        requested = who.client("acm").request_certificate(DomainName=HOST)
        who.certificate = requested["CertificateArn"]
        yield who
    finally:
        server.stop()
        execute(f"DROP DATABASE {database} WITH (FORCE)")
