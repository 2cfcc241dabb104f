"""A deploy to ECS: checks, image, migrations, the stack, whether it is well, and the way back."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from igloo.deploying import DeployError, checkout
from igloo.deploying.ecs import parameters
from igloo.deploying.ecs.aws import explained
from igloo.deploying.ecs.image import Image
from igloo.deploying.ecs.one_off import OneOff
from igloo.deploying.ecs.serving import Serving
from igloo.deploying.ecs.stack import Stack, State
from igloo.deploying.stages import Stage
from igloo.deploying.steps import Steps, say

# What a deploy may meet from the first change of the stack on; each sends it back.
_FAILURES = (DeployError, BotoCoreError, ClientError, OSError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Before:
    """What ran before: all that is needed to have it again.

    `commit` is empty where what ran could not tell it.
    """

    template: str
    parameters: dict[str, str]
    commit: str


@dataclass
class EcsDeploy:
    """One deploy of a stage.

    Args:
        contract: migrations that take something away may run.
        builder: docker, podman or buildah.
    """

    stage: Stage
    contract: bool = False
    builder: str = "docker"
    steps: Steps = field(default_factory=Steps)
    # Seconds; see Serving.
    healthy_within: float = 300
    # Set by the checks.
    before: Before | None = None
    commit: str = ""

    def __post_init__(self) -> None:
        self.region = self.stage.region
        self.stack = Stack(f"igloo-ecs-{self.stage.name}", self.region)
        path = self.stage.root / "deploy" / "ecs.yaml"
        self.template = path.read_text(encoding="utf-8")

    # --- The order ------------------------------------------------------------------------------
    def run(self, *, dry_run: bool) -> None:
        """Deploy, or with `dry_run` check and show what would change.

        Raises:
            DeployError: a check failed, or the deploy did, and what was done about it.
        """
        run = self.steps.run
        self.commit = run("check the checkout", partial(checkout.committed, self.stage.root))
        run("check the AWS account", self.check_account)
        found = run("look for the stack", self.stack.settled)
        given = run("check its parameters", partial(self.gather, found))
        image = self.image(given)
        repository = run("check the repository of images", image.repository)
        host = self.host()
        bucket = given["StaticBucket"]
        run(
            "check the bucket of static files",
            partial(checkout.refuse_missing_bucket, bucket, self.region),
        )
        if found and found.serves:
            self.before = run("ask what runs now", partial(self.ask_before, found, host))
        if dry_run:
            name = f"{repository}:{image.tag}"
            run("look at what would change", partial(self.look, found, given, name, image))
            return
        if image.digest() is None:
            image.refuse_missing_builder()
        address = run("build the image, and push it", partial(image.get, repository))
        # First: pages of the version before go on without them, those of the new one do not.
        run(
            "send the static files",
            partial(checkout.collect_static, self.stage.root, bucket, self.region),
        )
        try:
            self.replace(found, given, address, host)
        except _FAILURES as error:
            say(f"the deploy failed: {explained(error)}")
            raise DeployError(self.go_back(host)) from error
        say(f"{self.stage.name} runs commit {self.commit} on ECS")

    def replace(self, found: State | None, given: dict[str, str], image: str, host: str) -> None:
        """From the first change of the stack to the new version being well."""
        run = self.steps.run
        if self.before:
            # Nothing of what serves changes: the stack as it is, but for this.
            template, first = self.before.template, self.before.parameters | {"OneOffImage": image}
        else:
            template, first = self.template, given | self.images(image, services="false")
        run(
            "give the one-off task the image",
            partial(self.stack.change, template, first, create=found is None),
        )
        one_off = OneOff(self.stage.name, self.region, self.stack.state())
        run("check the migrations", partial(self.check_migrations, one_off))
        run("migrate", partial(self.migrate, one_off))
        run(
            "update the stack",
            partial(self.stack.change, self.template, given | self.images(image)),
        )
        serving = self.serving(host)
        run("wait until the new version is well", partial(serving.wait, image, self.commit))

    # --- Checks ---------------------------------------------------------------------------------
    def check_account(self) -> None:
        """Whose account it is."""
        who = boto3.client("sts", region_name=self.region).get_caller_identity()
        say(f"  account {who['Account']}, as {who['Arn']}, in {self.region}")

    def gather(self, found: State | None) -> dict[str, str]:
        """The stack's parameters, but for the images."""
        return parameters.gather(self.stage.root, self.stage.name, self.template, found)

    @staticmethod
    def images(image: str, *, services: str = "true") -> dict[str, str]:
        """Those parameters that are a deploy's."""
        return {"Image": image, "OneOffImage": "", "Services": services}

    def image(self, given: dict[str, str]) -> Image:
        """The image of this commit."""
        return Image(
            self.stage.root,
            self.region,
            commit=self.commit,
            architecture=given.get("Architecture", "X86_64"),
            builder=self.builder,
        )

    def host(self) -> str:
        """The host name that the stage answers to.

        Raises:
            DeployError: nobody says which.
        """
        url, allowed = self.stage.value("PUBLIC_BASE_URL"), self.stage.value("ALLOWED_HOSTS")
        if host := urlsplit(url).hostname or allowed.partition(",")[0]:
            return host
        raise DeployError(
            f"Which name {self.stage.name} answers to is not known here: say PUBLIC_BASE_URL in "
            f"the environment or in .secrets/{self.stage.name}.json."
        )

    def serving(self, host: str) -> Serving:
        """What serves the stack as it is now."""
        return Serving(self.region, self.stack.state(), host, limit=self.healthy_within)

    def ask_before(self, found: State, host: str) -> Before:
        """What runs now. Where it can't tell, the new version may be what mends it."""
        say(f"  image {found.parameters['Image']}")
        commit = ""
        try:
            commit = self.serving(host).commit()
            say(f"  commit {commit or 'unknown: it does not tell'}")
        except DeployError as error:
            say(f"  it does not answer: {error}")
        return Before(self.stack.template(), found.parameters, commit)

    def look(self, found: State | None, given: dict[str, str], name: str, image: Image) -> None:
        """What a deploy would change, of the stack and besides."""
        if found is None:
            decoded = Counter(parameters.resource_types(self.template))
            say(f"  there is no stack {self.stack.name} yet: it would make")
            lines = [f"{count} {kind}" for kind, count in sorted(decoded.items())]
        else:
            lines = self.stack.preview(self.template, given | self.images(name))
        for line in lines or ["nothing of the stack"]:
            say(f"  {line}")
        there = "take the image that ECR has" if image.digest() else f"build and push {name}"
        say(
            f"dry run: would {there}, send the static files to {given['StaticBucket']}, migrate "
            "by a one-off task, change the stack as above, and go back if that fails"
        )

    # --- Migrations -----------------------------------------------------------------------------
    def check_migrations(self, one_off: OneOff) -> None:
        """The code that serves survives what is not applied yet."""
        complete = checkout.expand_only().shows_all
        plan = one_off.manage("showmigrations --plan", complete)
        checkout.refuse_contracting(plan, allowed=self.contract)

    @staticmethod
    def migrate(one_off: OneOff) -> None:
        """By the new version, and what it printed."""
        for line in one_off.manage("migrate --no-input").splitlines():
            say(f"  | {line}")

    # --- Back -----------------------------------------------------------------------------------
    def go_back(self, host: str) -> str:
        """Put the stack back and ask it for the commit before; a sentence on how that went."""
        before = self.before
        if before is None:
            return (
                f"The first deploy of {self.stage.name} to ECS failed and there is no version "
                f"before. The stack {self.stack.name} stays as it is: mend it and deploy again, "
                "which goes on from there or says what to do first."
            )
        try:
            self.steps.run(
                "put the stack back",
                partial(self.stack.change, before.template, before.parameters),
            )
            self.steps.run("ask for the commit again", partial(self.check_back, before, host))
        except _FAILURES as error:
            return (
                f"GOING BACK FAILED TOO ({explained(error)}). {self.stage.name} MAY BE DOWN ON "
                f"ECS. By hand: bring the stack {self.stack.name} to Image="
                f"{before.parameters['Image']} and OneOffImage="
                f"{before.parameters.get('OneOffImage', '')}; then GET /healthz must say "
                f"{before.commit or 'status ok'}."
            )
        stay = ""
        if "migrate" in self.steps.done:
            stay = (
                " MIGRATIONS STAY, and with CONTRACT=1 they may have taken away what it needs."
                if self.contract
                else " Migrations stay: they only add."
            )
        what = f"commit {before.commit}, which answers" if before.commit else "the stack before"
        return f"The deploy failed and {self.stage.name} is back at {what}.{stay}"

    def check_back(self, before: Before, host: str) -> None:
        """It is the commit before that answers.

        Raises:
            DeployError: it is not.
        """
        if before.commit:
            self.serving(host).wait_for_commit(before.commit)
        else:
            say("  it told no commit before: only the stack was put back")
