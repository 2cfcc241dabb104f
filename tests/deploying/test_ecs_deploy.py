"""What a deploy to ECS meets when something is wrong, with small containers that really run.

Its whole way, with igloo's own, is in test_ecs_rehearsal.py.
"""

import subprocess

import boto3
import pytest

from igloo.deploying import DeployError
from igloo.deploying.ecs import one_off
from igloo.deploying.ecs.__main__ import main
from igloo.deploying.ecs.deploy import EcsDeploy
from tests.aws_lambda.test_package import ROOT
from tests.deploying.ecs_containers import HOST
from tests.deploying.ecs_place import REGISTRY, Place, empty, needed, place, plan
from tests.deploying.ecs_stand_in import STACK
from tests.media.s3 import REGION

__all__ = ["empty", "place"]  # fixtures
# What moto's CloudFormation does not make, it only tells of.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")

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


@pytest.mark.usefixtures("account")
def test_stopping_it_says_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    def run(self: EcsDeploy, *, dry_run: bool) -> None:
        self.steps.run("give the one-off task the image", lambda: None)
        self.steps.run("migrate", stop)

    monkeypatch.setattr(EcsDeploy, "run", run)
    assert main(["production"]) == 130
    said = capsys.readouterr().out
    assert "done: give the one-off task the image; stopped in: migrate" in said
    assert "it ends by itself" in said


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
