"""`python -m igloo.deploying.secrets STAGE [--yes | --dry-run]`: `make secrets`.

Publishes what `.secrets/` says of a stage to the place that its `remote_env` in zappa_settings.json
names, `s3://bucket/production.json`, in the two forms that are read without code of ours: JSON, by
Zappa and igloo/lambda_handler.py, and beside it `production.env`, as ECS takes `environmentFiles`.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from igloo.deploying import DeployError, stages
from igloo.deploying.steps import say

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACE = re.compile(r"s3://([a-z0-9.-]+)/(.+)\.json")
_BLOCKED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_NOT_THERE = {"404", "NoSuchKey", "NotFound"}


def values_of(stage: stages.Stage) -> dict[str, str]:
    """What is published: names and texts, a list as its words between commas.

    Raises:
        DeployError: there is nothing, or something that a line of an environment file can't say.
            ECS takes all after the first `=` as it is, so there is no way to write a line break.
    """
    found: Mapping[str, Any] = stage.secrets().values
    if not found:
        raise DeployError(f".secrets/ says nothing of {stage.name}: see .secrets/README.md.")
    values = {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in sorted(found.items())
    }
    if wrong := [name for name in values if not _NAME.fullmatch(name)]:
        raise DeployError(f"These are no names of variables: {', '.join(wrong)}.")
    if wrong := [name for name, value in values.items() if not value.strip()]:
        raise DeployError(f"These have no value: {', '.join(wrong)}.")
    if wrong := [name for name, value in values.items() if len(value.splitlines()) > 1]:
        raise DeployError(f"These hold a line break, which ECS can't read: {', '.join(wrong)}.")
    return values


def as_lines(values: Mapping[str, str]) -> str:
    """An environment file.

    Source: "Pass environment variables to an Amazon ECS container", Amazon ECS developer guide.
    """
    return "".join(f"{name}={value}\n" for name, value in values.items())


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """A line for each name that is added, changed or removed; no value."""
    changed = (name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name))
    return [f"{'+' if name not in old else '~' if name in new else '-'} {name}" for name in changed]


class Place:
    """The bucket, and the two objects in it.

    Raises:
        DeployError: the stage names no place.
    """

    def __init__(self, stage: stages.Stage) -> None:
        named = str(stage.settings.get("remote_env", ""))
        match = _PLACE.fullmatch(named)
        if match is None:
            raise DeployError(
                f'"remote_env" of {stage.name} in zappa_settings.json must name the place: '
                f"s3://my-secrets/{stage.name}.json."
            )
        self.bucket = match[1]
        self.keys = {"json": f"{match[2]}.json", "env": f"{match[2]}.env"}
        session = boto3.session.Session(region_name=stage.region)
        self.client = session.client("s3")
        # A bucket's name is the world's: S3 refuses where someone else has taken it.
        account = session.client("sts").get_caller_identity()["Account"]
        self.ours = {"Bucket": self.bucket, "ExpectedBucketOwner": account}

    def refuse_open(self) -> None:
        """Refuse a bucket that is not private, versioned and encrypted.

        Raises:
            DeployError: what is to be changed.
        """
        problems = []
        blocked = self._ask("get_public_access_block", "PublicAccessBlockConfiguration")
        if not blocked or not all(blocked.get(name) for name in _BLOCKED):
            problems.append("block all public access")
        if self._ask("get_bucket_versioning", "Status") != "Enabled":
            problems.append("switch versioning on")
        if not self._ask("get_bucket_encryption", "ServerSideEncryptionConfiguration"):
            problems.append("set a default encryption")
        if problems:
            raise DeployError(
                f"Nothing is published to {self.bucket}. First: {', '.join(problems)}."
            )

    def _ask(self, call: str, key: str) -> Any:
        try:
            return getattr(self.client, call)(**self.ours).get(key)
        except ClientError as error:
            # "NoSuchPublicAccessBlockConfiguration" and the like: it was never set.
            code = error.response["Error"]["Code"]
            if code.startswith("NoSuchPublic") or code.endswith("ConfigurationNotFoundError"):
                return None
            raise

    def read(self) -> dict[str, str]:
        """What is published; a name that the two objects do not say the same of has no value.

        So what an interruption between the two left behind is seen as a change, and mended.
        """
        texts = {form: self._read(key) for form, key in self.keys.items()}
        published: dict[str, str] = json.loads(texts["json"] or "{}")
        lines = set((texts["env"] or "").splitlines())
        differing = lines ^ set(as_lines(published).splitlines())
        return published | {line.partition("=")[0]: "" for line in differing}

    def _read(self, key: str) -> str | None:
        try:
            body = self.client.get_object(**self.ours, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_THERE:
                return None
            raise
        with body:
            text: str = body.read().decode()
        return text

    def write(self, values: Mapping[str, str]) -> None:
        """Both objects, encrypted."""
        texts = {"env": as_lines(values), "json": json.dumps(values, indent=2) + "\n"}
        for form, text in texts.items():
            self.client.put_object(
                **self.ours,
                Key=self.keys[form],
                Body=text.encode(),
                ServerSideEncryption="aws:kms",
            )


def publish(stage: stages.Stage, *, yes: bool, dry_run: bool) -> None:
    """Show what would change, ask, and publish it.

    Raises:
        DeployError: it can't be, or nobody said yes.
    """
    values = values_of(stage)
    place = Place(stage)
    place.refuse_open()
    changes = differences(place.read(), values)
    if not changes:
        say(f"{stage.name}: all {len(values)} are published already")
        return
    say(f"s3://{place.bucket}/, {' and '.join(place.keys.values())}:")
    print("\n".join(f"  {line}" for line in changes))
    if dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise DeployError("Nothing is published: there is nobody to ask. Say --yes (YES=1).")
        if input("Publish? [y/N] ").strip().lower() not in ("y", "yes"):
            raise DeployError("Nothing is published.")
    place.write(values)
    say(f"{stage.name}: {len(values)} are published; a deploy, or new instances, take them")


def main(arguments: list[str] | None = None) -> int:
    """Publish; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m igloo.deploying.secrets", description=__doc__)
    parser.add_argument("stage", help="of zappa_settings.json")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    options = parser.parse_args(arguments)
    try:
        publish(stages.read(options.stage), yes=options.yes, dry_run=options.dry_run)
    except (DeployError, BotoCoreError, ClientError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
