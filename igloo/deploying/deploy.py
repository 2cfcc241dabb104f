"""A deploy: checks, package, Zappa, migrations, smoke test, and the way back if one fails."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from igloo.deploying import DeployError, checkout
from igloo.deploying.events import Events
from igloo.deploying.function import Before, Function
from igloo.deploying.stages import Stage
from igloo.deploying.steps import Steps, say

# What a deploy may meet from the update on; each sends it back.
_FAILURES = (DeployError, BotoCoreError, ClientError, OSError, LookupError, TypeError, ValueError)
# Values shorter than this are no secrets, and would mask half of what Zappa says.
_SECRET_LENGTH = 8


@dataclass
class Deploy:
    """One deploy of a stage.

    Args:
        contract: migrations that take something away may run.
    """

    stage: Stage
    contract: bool = False
    steps: Steps = field(default_factory=Steps)
    # Set by the checks and by the package.
    before: Before | None = None
    version: str = ""
    commit: str = ""

    def __post_init__(self) -> None:
        self.function = Function(self.stage.function_name, self.stage.region)
        self.zip = self.stage.root / ".local" / "lambda" / f"igloo-{self.stage.name}.zip"

    # --- The order ------------------------------------------------------------------------------
    def run(self, *, dry_run: bool) -> None:
        """Deploy, or with `dry_run` check and say what would follow.

        Raises:
            DeployError: a check failed, or the deploy did, and what was done about it.
        """
        run = self.steps.run
        run("check the checkout", self.check_tree)
        run("check the AWS account", self.check_account)
        found = run("look for the version before", self.function.description)
        host = self.host(found)
        static_bucket = run("check the bucket of static files", partial(self.static_bucket, found))
        version = run("ask it for its version", partial(self.ask_before, host)) if found else None
        if found and version:
            run("check the migrations", self.check_migrations)
        if dry_run:
            verb = "update" if found else "deploy"
            say(
                f"dry run: would build the package, send the static files to {static_bucket}, run "
                f"`zappa {verb} {self.stage.name}`, set MaximumRetryAttempts=0, migrate, test the "
                "new version, and go back if that fails"
            )
            return
        run("build the package", self.build)
        # First: pages of the version before go on without them, those of the new one do not.
        run(
            "send the static files",
            partial(checkout.collect_static, self.stage.root, static_bucket, self.stage.region),
        )
        if found:
            self.before = run("keep the version before", partial(self.keep, found, version))
        try:
            self.replace(host)
        except _FAILURES as error:
            say(f"the new version failed: {error}")
            raise DeployError(self.go_back(host)) from error
        say(f"{self.stage.name} runs version {self.version}")

    def replace(self, host: str) -> None:
        """From the update to the smoke test."""
        run = self.steps.run
        verb = "update" if self.before else "deploy"
        run(f"zappa {verb}", partial(self.zappa, verb, self.stage.name, "--zip", str(self.zip)))
        run("wait for Lambda", self.function.wait)
        run("set what Zappa can't", self.settle)
        # Once more, by the new code: it knows what a first deploy meets.
        run("check the migrations again", self.check_migrations)
        run("migrate", partial(self.function.manage, "migrate --no-input"))
        run("test the new version", partial(self.smoke, host))

    # --- Checks ---------------------------------------------------------------------------------
    def check_tree(self) -> None:
        """What is deployed can be found again: everything is committed."""
        self.commit = checkout.committed(self.stage.root)

    def check_account(self) -> None:
        """Whose account it is, and that the stage's bucket and role are there."""
        session = boto3.session.Session(region_name=self.stage.region)
        settings = self.stage.settings
        try:
            who = session.client("sts").get_caller_identity()
            say(f"  account {who['Account']}, as {who['Arn']}, in {self.stage.region}")
            session.client("s3").head_bucket(Bucket=settings["s3_bucket"])
            session.client("iam").get_role(RoleName=settings["role_name"])
        except (BotoCoreError, ClientError) as error:
            raise DeployError(
                f"AWS is not ready for {self.stage.name} (bucket {settings['s3_bucket']}, role "
                f"{settings['role_name']}): {error}"
            ) from error

    def host(self, found: dict[str, Any] | None) -> str:
        """A host name that the stage answers to: the public one, or the first allowed."""
        url = self.value(found, "PUBLIC_BASE_URL")
        allowed = self.value(found, "ALLOWED_HOSTS")
        return urlsplit(url).hostname or allowed.partition(",")[0] or "localhost"

    def value(self, found: dict[str, Any] | None, name: str) -> str:
        """A setting, of the deployed function's variables or as far as this machine knows it."""
        variables = (found or {}).get("Configuration", {}).get("Environment", {})
        return variables.get("Variables", {}).get(name) or self.stage.value(name)

    def static_bucket(self, found: dict[str, Any] | None) -> str:
        """Where the stage's static files are.

        Raises:
            DeployError: nobody says, or it can't be reached.
        """
        name = self.value(found, "STATIC_BUCKET")
        if not name:
            raise DeployError(
                f"Where to send the static files of {self.stage.name} is not known here: name "
                f"STATIC_BUCKET in its aws_environment_variables or in "
                f".secrets/{self.stage.name}.json."
            )
        checkout.refuse_missing_bucket(name, self.stage.region)
        return name

    def ask_before(self, host: str) -> str | None:
        """What runs now. Where it can't say that, the new version may be what mends it."""
        try:
            version = self.function.version(host)
        except (DeployError, LookupError, TypeError, ValueError) as error:
            say(f"  the deployed version does not answer: {error}")
            return None
        say(f"  {version or 'it answers, and tells no version'}")
        return version

    def check_migrations(self) -> None:
        """The deployed code survives what is not applied yet."""
        plan = self.function.manage("showmigrations --plan")
        checkout.refuse_contracting(plan, allowed=self.contract)

    # --- What writes ----------------------------------------------------------------------------
    def build(self) -> None:
        """The zip, by Zappa and its hooks."""
        self.zip.parent.mkdir(parents=True, exist_ok=True)
        self.zappa("package", self.stage.name, "--output", str(self.zip))
        with zipfile.ZipFile(self.zip) as package:
            self.version = json.loads(package.read("package_info.json"))["version"]
        say(f"  version {self.version}")

    def zappa(self, *arguments: str) -> None:
        """Run Zappa, and print what it prints, without the values of the stage's variables.

        Raises:
            DeployError: it ended with another status than 0.
        """
        # --json: it asks no index for a newer Zappa.
        command = [sys.executable, "-m", "zappa.cli", *arguments, "--json"]
        secrets = [value for value in self.secrets() if len(value) >= _SECRET_LENGTH]
        with subprocess.Popen(
            command,
            cwd=self.stage.root,
            env=os.environ | {"VIRTUAL_ENV": sys.prefix, "IGLOO_COMMIT": self.commit},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                for value in secrets:
                    line = line.replace(value, "***")
                print(f"  {line}", end="", flush=True)
        if process.returncode:
            raise DeployError(f"zappa {arguments[0]} ended with status {process.returncode}.")

    def secrets(self) -> list[str]:
        """What must not be printed, longest first."""
        values = [str(value) for value in self.stage.variables.values()]
        for path in (self.stage.root / ".secrets").glob("*.json"):
            if not path.name.endswith(".example.json"):
                values += map(str, json.loads(path.read_text(encoding="utf-8")).values())
        return sorted(values, key=len, reverse=True)

    def keep(self, found: dict[str, Any], version: str | None) -> Before:
        """The version before: here, and in a file for whoever has to go back by hand."""
        before = self.function.keep(found, version)
        self.kept.write_bytes(before.zip)
        return before

    @property
    def kept(self) -> Path:
        """The file of the version before."""
        return self.zip.with_name(f"before-{self.stage.name}.zip")

    def settle(self) -> None:
        """What becomes of events that fail, and S3's own events."""
        found = self.function.description() or {}
        events = Events(self.function, found["Configuration"]["FunctionArn"])
        say(f"  {events.keep_failed()}")
        say(f"  {events.name_failed_messages()}")
        if bucket := self.value(found, "ORIGINALS_BUCKET"):
            say(f"  {events.hear_of_photos(bucket)}")
        else:
            say("  ORIGINALS_BUCKET is not known here: only apps tell of photos that arrived")

    # --- The new version ------------------------------------------------------------------------
    def smoke(self, host: str) -> None:
        """It is the new version that answers, with its database.

        Raises:
            DeployError: something is not as it should be.
        """
        told = self.function.version(host)
        if told != self.version:
            raise DeployError(f"It says that it is version {told}, and not {self.version}.")
        for path in ("/readyz", "/api/v1/taxonomies"):
            if (status := self.function.get(path, host).status) != 200:
                raise DeployError(f"GET {path} was answered {status}.")
        url = self.stage.value("PUBLIC_BASE_URL")
        # The first time nobody may have led the name there yet.
        if url and self.before:
            self.ask_url(url.rstrip("/"))

    def ask_url(self, url: str) -> None:
        """The same over the address that apps call."""
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:  # noqa: S310
                told = json.loads(answer.read())["version"]
        except (urllib.error.URLError, LookupError, ValueError) as error:
            raise DeployError(f"GET {url}/healthz failed: {error}") from error
        if told != self.version:
            raise DeployError(f"{url} says that it is version {told}, and not {self.version}.")

    # --- Back -----------------------------------------------------------------------------------
    def go_back(self, host: str) -> str:
        """Put the version before back and ask it; a sentence on how that went."""
        before = self.before
        if before is None:
            return (
                f"The first deploy of {self.stage.name} failed and there is no version before: "
                "what runs there is broken. Deploy again, or take it away with "
                f"`zappa undeploy {self.stage.name}`."
            )
        try:
            self.steps.run("put the version before back", partial(self.function.put_back, before))
            self.steps.run("ask it for its version again", partial(self.check_back, before, host))
        except _FAILURES as error:
            return (
                f"GOING BACK FAILED TOO ({error}). {self.stage.name} MAY BE DOWN. By hand: `aws "
                f"lambda update-function-code --publish --function-name {self.function.name} "
                f"--zip-file fileb://{self.kept}`, then GET /healthz must say "
                f"{before.version or 'status ok'}."
            )
        stay = (
            "MIGRATIONS STAY, and with CONTRACT=1 they may have taken away what it needs."
            if self.contract
            else "Migrations stay: they only add."
        )
        return (
            f"The deploy failed and {self.stage.name} is back at version "
            f"{before.version or before.sha256}, which answers. {stay}"
        )

    def check_back(self, before: Before, host: str) -> None:
        """It is the version before that is there, and that answers.

        Raises:
            DeployError: it is not.
        """
        found = self.function.description()
        if not found or found["Configuration"]["CodeSha256"] != before.sha256:
            raise DeployError("Lambda has other code than the version before.")
        if before.version is None:
            say("  it told no version before: only its code was compared")
        elif (told := self.function.version(host)) != before.version:
            raise DeployError(f"It says that it is version {told}, and not {before.version}.")
