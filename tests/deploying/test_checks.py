"""What a deploy checks before it touches anything; the rest is in test_rehearsal.py."""

from dataclasses import replace
from pathlib import Path

import pytest

from igloo.deploying import DeployError
from igloo.deploying.__main__ import main
from igloo.deploying.deploy import Deploy
from igloo.deploying.stages import read
from tests.media.s3 import REGION, S3Server


@pytest.fixture
def deploy(account: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deploy:
    """Of a stage that says nothing of its static files, in an account with some buckets."""
    where = {"LocationConstraint": REGION}
    account.client.create_bucket(Bucket="igloo-static", CreateBucketConfiguration=where)
    monkeypatch.delenv("STATIC_BUCKET", raising=False)
    return Deploy(replace(read("production"), root=tmp_path))


def test_the_bucket_of_static_files_has_to_be_named(deploy: Deploy) -> None:
    with pytest.raises(DeployError, match="STATIC_BUCKET in its aws_environment_variables"):
        deploy.static_bucket(None)


def test_the_bucket_of_static_files_has_to_be_there(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATIC_BUCKET", "nobodys")
    with pytest.raises(DeployError, match=r"nobodys of STATIC_BUCKET: .*404"):
        deploy.static_bucket(None)


def test_the_deployed_function_says_it_first(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATIC_BUCKET", "nobodys")
    variables = {"STATIC_BUCKET": "igloo-static"}
    found = {"Configuration": {"Environment": {"Variables": variables}}}
    assert deploy.static_bucket(found) == "igloo-static"


@pytest.mark.usefixtures("account")
def test_stopping_it_takes_nothing_back_and_says_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    def run(self: Deploy, *, dry_run: bool) -> None:
        self.steps.run("build the package", lambda: None)
        self.steps.run("zappa update", stop)

    monkeypatch.setattr(Deploy, "run", run)
    assert main(["production"]) == 130
    said = capsys.readouterr().out
    assert "nothing was taken back. done: build the package; stopped in: zappa update" in said
    assert "the new version may be live" in said


def test_an_unknown_stage_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prod"]) == 1
    assert "it has dev, production, staging" in capsys.readouterr().out
