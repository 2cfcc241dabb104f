"""What every deploy asks of the checkout, wherever it goes: git, static files, migrations."""

import os
import subprocess
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from igloo.deploying import DeployError
from igloo.deploying.steps import say
from igloo.packaging import PackagingError
from igloo.packaging.static_names import python_of


def committed(root: Path) -> str:
    """The commit of a checkout. What is deployed can be found again: everything is committed.

    Raises:
        DeployError: something is not.
    """
    if changed := [line[3:] for line in _git(root, "status", "--porcelain").splitlines()]:
        raise DeployError(f"Commit first; these are not: {', '.join(changed[:10])}.")
    return _git(root, "rev-parse", "HEAD").strip()


def _git(root: Path, *arguments: str) -> str:
    seen = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=60
    )
    if seen.returncode:
        raise DeployError(f"git can't tell whether all is committed: {seen.stderr.strip()}")
    return seen.stdout


def refuse_missing_bucket(name: str, region: str) -> None:
    """Refuse a bucket of static files that is not there.

    Raises:
        DeployError: it can't be reached.
    """
    try:
        boto3.client("s3", region_name=region).head_bucket(Bucket=name)
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"The bucket {name} of STATIC_BUCKET: {error}") from error


def collect_static(root: Path, bucket: str, region: str) -> None:
    """Django's `collectstatic`; files of older versions stay there.

    Raises:
        DeployError: it ended with another status than 0.
    """
    try:
        # The one that made the names in the package or the image.
        python = python_of(root)
    except PackagingError as error:
        raise DeployError(str(error)) from error
    done = subprocess.run(
        [str(python), "manage.py", "collectstatic", "--no-input"],
        cwd=root,
        # A laptop's settings but for the bucket: a deployed stage's are not all known here.
        env=os.environ | {"STAGE": "local", "STATIC_BUCKET": bucket, "AWS_REGION": region},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeployError(f"collectstatic failed: {done.stderr[-2000:]}")
    say(f"  {done.stdout.strip()}")


def refuse_contracting(plan: str, *, allowed: bool) -> None:
    """The code that is running survives the migrations that are not applied yet.

    Args:
        plan: what `showmigrations --plan` printed.
        allowed: CONTRACT=1.

    Raises:
        DeployError: it would not.
    """
    applied, _ = expand_only().read_plan(plan)
    if not applied:
        say("  the database is empty")
        return
    found = expand_only().contracting(applied)
    if found and not allowed:
        raise DeployError(
            "The version that is running would not survive this: "
            f"{'; '.join(found)}. Deploy it later, on its own, with CONTRACT=1, when no code "
            "that needs what it takes away is running."
        )


def expand_only() -> Any:
    """The module, which needs Django; with the settings of a laptop, whatever the stage."""
    os.environ["STAGE"] = "local"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
    import django

    django.setup()
    from igloo.deploying import expand_only

    return expand_only
