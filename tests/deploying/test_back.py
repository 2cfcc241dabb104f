"""Going back, with small functions that really run in the stand-in for AWS."""

import io
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

pytest.importorskip("awslambdaric")

from igloo.deploying import DeployError
from igloo.deploying.deploy import Deploy
from igloo.deploying.stages import Stage, read
from tests.deploying.aws import AwsServer
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY

HANDLER = """
import json
def handler(event, context):
    {first}
    return {{"statusCode": 200, "body": json.dumps({{"version": {version!r}}})}}
"""


def package(version: str, first: str = "pass") -> bytes:
    """A zip whose function tells this version, whatever it is asked."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        entry = zipfile.ZipInfo("entry.py")
        entry.external_attr = 0o100644 << 16
        file.writestr(entry, HANDLER.format(version=version, first=first))
    return data.getvalue()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    server = AwsServer(tmp_path)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    yield server
    server.stop()


@pytest.fixture
def deploy(server: AwsServer, tmp_path: Path) -> Deploy:
    """Version one runs, was kept, and version two, which raises, has taken its place."""
    settings = {"project_name": "igloo", "aws_region": REGION}
    deploy = Deploy(Stage("dev", settings, tmp_path))
    client = deploy.function.client
    role = f"arn:aws:iam::123456789012:role/{ACCESS_KEY}"
    boto3.client("iam", region_name=REGION).create_role(
        RoleName=ACCESS_KEY, AssumeRolePolicyDocument="{}"
    )
    made = client.create_function(
        FunctionName="igloo-dev",
        Role=role,
        Runtime="python3.12",
        Handler="entry.handler",
        Timeout=30,
        MemorySize=512,
        Environment={"Variables": {"COLOUR": "green"}},
        Code={"ZipFile": package("one")},
        Publish=True,
    )
    client.create_alias(FunctionName="igloo-dev", Name="snapstart", FunctionVersion=made["Version"])
    deploy.zip.parent.mkdir(parents=True)
    found = deploy.function.description()
    assert found is not None
    deploy.before = deploy.keep(found, deploy.ask_before("localhost"))
    client.update_function_configuration(
        FunctionName="igloo-dev", MemorySize=128, Environment={"Variables": {"COLOUR": "red"}}
    )
    bad = package("two", "raise RuntimeError('two')")
    client.update_function_code(FunctionName="igloo-dev", ZipFile=bad)
    return deploy


def test_what_was_there_is_there_again(deploy: Deploy) -> None:
    with pytest.raises(DeployError, match="raised RuntimeError: two"):
        deploy.function.version("localhost")

    assert "is back at version one, which answers" in deploy.go_back("localhost")

    found = deploy.function.description()
    assert found is not None
    assert found["Configuration"]["MemorySize"] == 512
    assert found["Configuration"]["Environment"]["Variables"] == {"COLOUR": "green"}
    client = deploy.function.client
    alias = client.get_alias(FunctionName="igloo-dev", Name="snapstart")
    assert alias["FunctionVersion"] != "1"
    assert deploy.kept.read_bytes() == package("one")


def test_going_back_that_fails_is_said_loudly(deploy: Deploy) -> None:
    assert deploy.before is not None
    # What is put back tells another version than the one before did.
    object.__setattr__(deploy.before, "version", "nought")
    said = deploy.go_back("localhost")
    assert "GOING BACK FAILED TOO (It says that it is version one, and not nought.)" in said
    assert "aws lambda update-function-code --publish --function-name igloo-dev" in said


def test_the_first_deploy_has_no_way_back(deploy: Deploy) -> None:
    deploy.before = None
    assert "there is no version before" in deploy.go_back("localhost")


def test_smoke_wants_the_version_that_was_built(deploy: Deploy) -> None:
    deploy.go_back("localhost")
    deploy.version = "one"
    deploy.smoke("localhost")
    deploy.version = "two"
    with pytest.raises(DeployError, match="version one, and not two"):
        deploy.smoke("localhost")


def test_the_public_address_has_to_tell_the_version_too(deploy: Deploy, server: AwsServer) -> None:
    deploy.go_back("localhost")
    deploy.version = "one"
    address = f"{server.url}/_stage/igloo-dev"
    deploy.ask_url(address)
    with pytest.raises(DeployError, match=r"GET http://127\.0\.0\.1:1/healthz failed: .*refused"):
        deploy.ask_url("http://127.0.0.1:1")
    deploy.version = "two"
    with pytest.raises(DeployError, match=f"{address} says that it is version one, and not two"):
        deploy.ask_url(address)


def test_what_is_not_committed_is_not_deployed(deploy: Deploy, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="git can't tell"):
        deploy.check_tree()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "new.py").write_text("")
    with pytest.raises(DeployError, match="Commit first"):
        deploy.check_tree()


def test_an_account_without_the_bucket_is_named(deploy: Deploy) -> None:
    settings: dict[str, Any] = deploy.stage.settings
    settings |= {"s3_bucket": "nobodys", "role_name": ACCESS_KEY}
    with pytest.raises(DeployError, match="bucket nobodys"):
        deploy.check_account()


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(DeployError, match="it has dev, production, staging"):
        read("prod")
