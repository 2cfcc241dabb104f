"""What a deploy to ECS meets when something is wrong, with small containers that really run.

Its whole way, with igloo's own, is in test_ecs_rehearsal.py.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from igloo.deploying import DeployError
from igloo.deploying.ecs import one_off
from igloo.deploying.ecs.__main__ import main
from igloo.deploying.ecs.deploy import EcsDeploy
from igloo.deploying.ecs.image import Image
from igloo.deploying.stages import read
from tests.aws_lambda.test_package import ROOT
from tests.deploying import stacks
from tests.deploying.ecs_person import certificate
from tests.deploying.ecs_stand_in import HOST, STACK, EcsServer
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY

# What moto's CloudFormation does not make, it only tells of.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")

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


# --- The way back --------------------------------------------------------------------------------


def test_a_version_that_nobody_sees_goes_back(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudFormation is content, and the balancer still has the version before."""
    first = place.deploy.commit
    place.server.shim.in_vain = True
    said = place.fails()
    assert "Migrations stay: they only add." in said
    assert f"After 1 s: It is commit {first} that answers, and not" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("no_room", "ECS did not start `python manage.py showmigrations --plan`: RESOURCE:CPU."),
        ("no_start", "ECS could not run `showmigrations --plan`: CannotPullContainerError."),
    ],
)
def test_a_one_off_task_that_does_not_start_says_why(
    what: str, reason: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    setattr(place.server.shim, what, reason.rpartition(": ")[2].rstrip("."))
    assert "Migrations stay" not in place.fails()
    assert reason in capsys.readouterr().out


def test_a_plan_of_which_the_end_is_missing_is_not_believed(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an empty one it would be said that the database is empty, and anything goes."""
    monkeypatch.setattr(one_off, "_LOGS_LATE", 1)
    (place.folder / "plan").write_text(plan().partition("\n")[0], encoding="utf-8")
    place.fails()
    assert "CloudWatch does not show all that it printed" in capsys.readouterr().out


def test_an_update_without_end_is_cancelled(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = place.deploy.commit
    before = place.parameters()
    place.commit()
    deploy = place.new()
    deploy.stack.limit = 2
    place.server.shim.stuck = True
    # Nobody cancels what goes back.
    real = deploy.go_back

    def go_back(host: str) -> str:
        place.server.shim.stuck = False
        return real(host)

    monkeypatch.setattr(deploy, "go_back", go_back)
    with pytest.raises(DeployError, match=f"is back at commit {first}, which answers"):
        deploy.run(dry_run=False)
    assert place.parameters() == before
    out = capsys.readouterr().out
    assert "UPDATE_ROLLBACK_COMPLETE: Web: User Initiated. It took longer than" in out


def test_going_back_that_fails_is_said_loudly(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = place.parameters()["Image"]
    place.commit()
    shim = place.server.shim
    real = place.new().go_back

    def go_back(host: str) -> str:
        shim.denied["UpdateStack"] = "cloudformation:UpdateStack"
        return real(host)

    monkeypatch.setattr(place.deploy, "go_back", go_back)
    shim.in_vain = True
    with pytest.raises(DeployError, match="GOING BACK FAILED TOO") as said:
        place.deploy.run(dry_run=False)
    assert f"Image={image} and OneOffImage=; then GET /healthz" in str(said.value)


def test_a_first_deploy_that_fails_goes_on_later(empty: Place) -> None:
    empty.commit(**needed())
    empty.server.shim.no_start = "CannotPullContainerError"
    with pytest.raises(DeployError, match="there is no version before"):
        empty.deploy.run(dry_run=False)
    assert empty.parameters()["Services"] == "false"
    empty.server.shim.no_start = ""
    empty.new().run(dry_run=False)
    assert empty.parameters()["Services"] == "true"


# --- What AWS refuses ----------------------------------------------------------------------------


def test_a_denied_call_says_what_to_grant(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    resource = f"arn:aws:ecs:{REGION}:123456789012:task-definition/igloo-production-one-off:2"
    place.server.shim.denied["RunTask"] = f"ecs:RunTask on resource: {resource} because no policy"
    place.fails()
    told = f"AWS denies RunTask: grant ecs:RunTask on {resource} to arn:aws:sts::123456789012:"
    assert told in capsys.readouterr().out


def test_a_denied_look_changes_nothing(
    empty: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.commit(**needed())
    monkeypatch.setattr("igloo.deploying.ecs.__main__.stages.read", lambda name: empty.deploy.stage)
    empty.server.shim.denied["DescribeStacks"] = "cloudformation:DescribeStacks"
    assert main(["production"]) == 1
    told = capsys.readouterr().out
    assert "AWS denies DescribeStacks: grant cloudformation:DescribeStacks" in told
    assert "stopped in: look for the stack" in told
    assert boto3.client("cloudformation").list_stacks()["StackSummaries"] == []


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("UPDATE_IN_PROGRESS", "someone is changing it. Deploy again when that is done"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "someone is changing it"),
        ("UPDATE_ROLLBACK_FAILED", f"continue-update-rollback --stack-name {STACK}"),
        ("ROLLBACK_COMPLETE", f"it was never made, .*delete-stack --stack-name {STACK}"),
        ("REVIEW_IN_PROGRESS", f"it was never made, .*delete-stack --stack-name {STACK}"),
    ],
)
def test_a_stack_that_cannot_be_changed_is_told(status: str, advice: str, empty: Place) -> None:
    stack = empty.deploy.stack
    given = needed() | {"Image": f"{REGISTRY}/igloo:x", "Services": "false"}
    stack.change(empty.deploy.template, given, create=True)
    assert stack.settled() is not None
    empty.server.shim.status = status
    with pytest.raises(DeployError, match=f"in the state {status}: .*{advice}"):
        stack.settled()


def test_the_balancer_has_to_have_the_hosts_certificate(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DeployError, match=r"by the balancer: .*CERTIFICATE_VERIFY_FAILED"):
        place.deploy.serving(HOST).commit()


# --- What a person has to say --------------------------------------------------------------------


def test_parameters_that_are_missing_are_named(empty: Place) -> None:
    known = needed()
    vpc = known.pop("Vpc")
    empty.commit(**known)
    with pytest.raises(DeployError, match="told Vpc: write the values into deploy/parameters/"):
        empty.deploy.run(dry_run=True)
    empty.commit(**known, Vpc=vpc, Vcp=vpc)
    with pytest.raises(DeployError, match=r"deploy/ecs\.yaml has no Vcp"):
        empty.new().run(dry_run=True)
    empty.commit(**known, Vpc=vpc, Image="x:y")
    with pytest.raises(DeployError, match="says Image, which a deploy sets itself"):
        empty.new().run(dry_run=True)


def test_the_file_wins_over_the_stack_which_keeps_the_rest(empty: Place) -> None:
    known = needed()
    empty.commit(**known, WebMax=4, Spot=True)
    empty.deploy.run(dry_run=False)
    assert (empty.parameters()["WebMax"], empty.parameters()["Spot"]) == ("4", "true")
    empty.commit(WebMax=5, TaskSubnets=known["TaskSubnets"].split(","))
    empty.new().run(dry_run=False)
    after = empty.parameters()
    assert (after["WebMax"], after["Spot"]) == ("5", "true")
    assert after["TaskSubnets"] == known["TaskSubnets"]


def test_a_host_that_nobody_names_is_asked_for(
    empty: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PUBLIC_BASE_URL")
    monkeypatch.delenv("ALLOWED_HOSTS", raising=False)
    with pytest.raises(DeployError, match="say PUBLIC_BASE_URL in the environment"):
        empty.deploy.host()


def test_stopping_it_says_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    def run(self: EcsDeploy, *, dry_run: bool) -> None:
        self.steps.run("give the one-off task the image", lambda: None)
        self.steps.run("migrate", stop)

    monkeypatch.setattr(EcsDeploy, "run", run)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert main(["production"]) == 130
    said = capsys.readouterr().out
    assert "done: give the one-off task the image; stopped in: migrate" in said
    assert "it ends by itself" in said


# --- The image -----------------------------------------------------------------------------------


@pytest.fixture
def builder(empty: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of docker; where it notes what it is called with."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    text = Path(__file__).with_name("builder.py").read_text(encoding="utf-8")
    # Of this checkout there is nothing to build.
    text = text.replace("subprocess.run(words, check=True)", "folder.mkdir()")
    program.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    program.chmod(0o755)
    shutil.copyfile(ROOT / "Makefile", empty.folder / "Makefile")
    empty.git("add", "-A")
    empty.git("commit", "-q", "-m", "The first")
    monkeypatch.setenv("PATH", f"{program.parent}:{sys.exec_prefix}/bin:/usr/bin:/bin")
    monkeypatch.setenv("IMAGES", str(empty.server.shim.images))
    return empty.server.shim.images / "calls"


def image(place: Place, architecture: str = "X86_64", builder: str = "docker") -> Image:
    return Image(place.folder, REGION, commit="c0ffee", architecture=architecture, builder=builder)


def test_the_registrys_password_goes_by_stdin_alone(
    empty: Place, builder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = image(empty).get(f"{REGISTRY}/igloo")
    calls = [json.loads(line) for line in builder.read_text(encoding="utf-8").splitlines()]
    assert [call["words"][0] for call in calls] == ["build", "login", "push", "logout"]
    build, login, push, logout = (call["words"] for call in calls)
    assert build[build.index("--platform") + 1] == "linux/amd64"
    assert build[build.index("--tag") + 1] == push[1] == f"{REGISTRY}/igloo:c0ffee"
    assert login == ["login", "--username", "AWS", "--password-stdin", REGISTRY]
    assert logout == ["logout", REGISTRY]
    password = calls[1]["stdin"]
    assert password
    told = capfd.readouterr()
    assert password not in json.dumps([(call["words"], call["variables"]) for call in calls])
    assert password not in told.out + told.err
    digest = image(empty).digest()
    assert given == f"{REGISTRY}/igloo@{digest}"

    # What is there is not built again; for another processor it is another.
    assert image(empty).get(f"{REGISTRY}/igloo") == given
    assert len(builder.read_text(encoding="utf-8").splitlines()) == 4
    assert image(empty, "ARM64").get(f"{REGISTRY}/igloo") != given
    lines = builder.read_text(encoding="utf-8").splitlines()
    assert "linux/arm64" in json.loads(lines[4])["words"]


def test_what_cannot_be_pushed_is_told_and_leaves_no_password(
    empty: Place, builder: Path, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "docker"
    text = program.read_text(encoding="utf-8")
    program.write_text(
        text.replace('    if word == "push":\n', '    if word == "push":\n        sys.exit(3)\n')
    )
    with pytest.raises(DeployError, match=r"`docker push .* ended with status 3"):
        image(empty).get(f"{REGISTRY}/igloo")
    assert '"words": ["logout"' in builder.read_text(encoding="utf-8").splitlines()[-1]


def test_a_machine_or_an_account_without_what_it_takes_is_told(empty: Place) -> None:
    with pytest.raises(DeployError, match=r"no no-builder on this machine.*BUILDER=docker, podman"):
        image(empty, builder="no-builder").refuse_missing_builder()
    boto3.client("ecr").delete_repository(repositoryName="igloo", force=True)
    with pytest.raises(DeployError, match="aws ecr create-repository --repository-name igloo"):
        image(empty).repository()


# --- make ----------------------------------------------------------------------------------------


def test_make_hands_on_what_it_is_told() -> None:
    def said(*words: str) -> str:
        done = subprocess.run(
            ["make", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    told = said("-n", "deploy-ecs", "STAGE=dev", "DRY_RUN=1", "CONTRACT=1", "BUILDER=podman")
    assert '-m igloo.deploying.ecs dev --builder "podman" --dry-run --contract' in told
    assert "make deploy-ecs" in said("help")
