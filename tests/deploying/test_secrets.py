"""`make secrets`: what is published, to what kind of bucket, and that no value is ever shown."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from igloo.deploying import DeployError, secrets, stages
from igloo.lambda_handler import _read_remote
from tests.media.s3 import REGION, S3Server

BUCKET = "igloo-secrets"
PLANTED = "planted=5%a b#"
VALUES = {"SECRET_KEY": PLANTED, "ALLOWED_HOSTS": ["api.example.com", "b.example.com"]}


@pytest.fixture
def server(account: S3Server) -> S3Server:
    """S3 with a bucket that is private, versioned and encrypted."""
    server = account
    server.client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    server.client.put_public_access_block(
        Bucket=BUCKET, PublicAccessBlockConfiguration=dict.fromkeys(names, True)
    )
    server.client.put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    server.client.put_bucket_encryption(
        Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    return server


@pytest.fixture
def stage(tmp_path: Path) -> stages.Stage:
    """A stage of a checkout whose `.secrets` hold VALUES."""
    (tmp_path / ".secrets").mkdir()
    keep(tmp_path, VALUES)
    named = stages.read("production")
    place = {"remote_env": f"s3://{BUCKET}/igloo/production.json"}
    return replace(named, settings=named.settings | place, root=tmp_path)


def keep(folder: Path, values: object) -> None:
    """What `.secrets/production.json` says."""
    (folder / ".secrets" / "production.json").write_text(json.dumps(values))


def read(server: S3Server, form: str) -> str:
    """One of the two objects."""
    with server.client.get_object(Bucket=BUCKET, Key=f"igloo/production.{form}")["Body"] as body:
        return str(body.read().decode())


def test_both_forms_say_the_same_and_no_value_is_shown(
    server: S3Server, stage: stages.Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.publish(stage, yes=True, dry_run=False)
    wanted = {"SECRET_KEY": PLANTED, "ALLOWED_HOSTS": "api.example.com,b.example.com"}
    assert _read_remote(f"s3://{BUCKET}/igloo/production.json") == wanted
    # As ECS reads it: all after the first `=` is the value, as it is.
    lines = read(server, "env").splitlines()
    assert dict(line.split("=", 1) for line in lines) == wanted
    for form in ("json", "env"):
        head = server.client.head_object(Bucket=BUCKET, Key=f"igloo/production.{form}")
        assert head["ServerSideEncryption"] == "aws:kms"
    shown = capsys.readouterr().out
    assert "+ SECRET_KEY" in shown
    assert PLANTED not in shown


def test_only_what_differs_is_told_and_nothing_is_published_twice(
    server: S3Server, stage: stages.Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.publish(stage, yes=True, dry_run=False)
    keep(stage.root, {"SECRET_KEY": "other", "NEW": "1"})
    capsys.readouterr()
    secrets.publish(stage, yes=False, dry_run=True)
    changes = ["- ALLOWED_HOSTS", "+ NEW", "~ SECRET_KEY"]
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[1:]] == changes
    assert json.loads(read(server, "json"))["SECRET_KEY"] == PLANTED
    secrets.publish(stage, yes=True, dry_run=False)
    secrets.publish(stage, yes=True, dry_run=False)
    versions = server.client.list_object_versions(Bucket=BUCKET)["Versions"]
    assert len(versions) == 4


def test_what_an_interruption_left_is_seen_and_mended(
    server: S3Server, stage: stages.Stage
) -> None:
    secrets.publish(stage, yes=True, dry_run=False)
    server.client.put_object(Bucket=BUCKET, Key="igloo/production.env", Body=b"SECRET_KEY=newer\n")
    secrets.publish(stage, yes=True, dry_run=False)
    assert f"SECRET_KEY={PLANTED}" in read(server, "env").splitlines()


def test_a_line_that_no_longer_belongs_there_goes(server: S3Server, stage: stages.Stage) -> None:
    secrets.publish(stage, yes=True, dry_run=False)
    lines = read(server, "env")
    server.client.put_object(
        Bucket=BUCKET, Key="igloo/production.env", Body=f"{lines}OLD=1\n".encode()
    )
    secrets.publish(stage, yes=True, dry_run=False)
    assert read(server, "env") == lines


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("delete_public_access_block", "block all public access"),
        ("delete_bucket_encryption", "set a default encryption"),
        ("suspend", "switch versioning on"),
    ],
)
def test_an_open_bucket_is_refused(
    server: S3Server, stage: stages.Stage, change: str, said: str
) -> None:
    if change == "suspend":
        server.client.put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
        )
    else:
        getattr(server.client, change)(Bucket=BUCKET)
    with pytest.raises(DeployError, match=said):
        secrets.publish(stage, yes=True, dry_run=False)
    assert server.keys(BUCKET) == set()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "says nothing of production"),
        ({"A-B": "1"}, "no names of variables: A-B"),
        ({"A": " "}, "no value: A"),
        ({"A": "-----\n1"}, "line break, which ECS can't read: A"),
    ],
)
def test_what_a_runtime_could_not_read_is_refused(
    server: S3Server, stage: stages.Stage, values: object, said: str
) -> None:
    keep(stage.root, values)
    with pytest.raises(DeployError, match=said):
        secrets.publish(stage, yes=True, dry_run=False)
    assert server.keys(BUCKET) == set()


def test_without_a_place_or_somebody_to_ask_nothing_is_published(
    server: S3Server, stage: stages.Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeployError, match="nobody to ask"):
        secrets.publish(stage, yes=False, dry_run=False)
    nowhere = replace(stage, settings={"aws_region": REGION})
    with pytest.raises(DeployError, match='"remote_env" of production'):
        secrets.publish(nowhere, yes=True, dry_run=False)
    assert server.keys(BUCKET) == set()
    assert secrets.main(["nowhere"]) == 1
    assert "no stage 'nowhere'" in capsys.readouterr().out


def test_every_call_names_the_account_that_the_bucket_has_to_be_of(
    server: S3Server, stage: stages.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 refuses then; moto looks at no owner."""
    calls: list[tuple[str, Any]] = []
    plain = BaseClient._make_api_call

    def noted(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if self.meta.service_model.service_name == "s3":
            calls.append((operation, parameters.get("ExpectedBucketOwner")))
        return plain(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    secrets.publish(stage, yes=True, dry_run=False)
    assert {operation for operation, _ in calls} == {
        "GetPublicAccessBlock", "GetBucketVersioning", "GetBucketEncryption", "GetObject",
        "PutObject",
    }  # fmt: skip
    assert {owner for _, owner in calls} == {"123456789012"}


def test_each_stage_names_a_place() -> None:
    for name in ("dev", "staging", "production"):
        assert secrets._PLACE.fullmatch(stages.read(name).settings["remote_env"])
