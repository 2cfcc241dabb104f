"""The image of a commit: taken from ECR, or built and pushed there."""

import base64
import shutil
import subprocess
from pathlib import Path

import boto3

from igloo.deploying import DeployError
from igloo.deploying.steps import say

REPOSITORY = "igloo"
_PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


class Image:
    """One commit's, for one processor.

    Args:
        architecture: X86_64 or ARM64.
        builder: docker, podman or buildah.
    """

    def __init__(
        self, root: Path, region: str, *, commit: str, architecture: str, builder: str
    ) -> None:
        self.root = root
        self.client = boto3.client("ecr", region_name=region)
        self.platform = _PLATFORMS[architecture]
        self.builder = builder
        # Another processor's image of a commit is another image.
        self.tag = commit if architecture == "X86_64" else f"{commit}-arm64"

    def repository(self) -> str:
        """Its address, `<account>.dkr.ecr.<region>.amazonaws.com/igloo`.

        Raises:
            DeployError: there is none.
        """
        try:
            [found] = self.client.describe_repositories(repositoryNames=[REPOSITORY])[
                "repositories"
            ]
        except self.client.exceptions.RepositoryNotFoundException as error:
            raise DeployError(
                f"ECR has no repository {REPOSITORY} in this account and region. Once: "
                f"`aws ecr create-repository --repository-name {REPOSITORY}`."
            ) from error
        return str(found["repositoryUri"])

    def digest(self) -> str | None:
        """Of the image in ECR; None where it is not there."""
        try:
            [found] = self.client.describe_images(
                repositoryName=REPOSITORY, imageIds=[{"imageTag": self.tag}]
            )["imageDetails"]
        except self.client.exceptions.ImageNotFoundException:
            return None
        return str(found["imageDigest"])

    def refuse_missing_builder(self) -> None:
        """Refuse to go on where it has to be built, and can't be.

        Raises:
            DeployError: the builder is not on this machine.
        """
        if shutil.which(self.builder) is None:
            raise DeployError(
                f"There is no {self.builder} on this machine to build the image with: name another "
                "with BUILDER=docker, podman or buildah."
            )

    def get(self, repository: str) -> str:
        """Build and push it, where ECR has it not yet; its address, by digest.

        Raises:
            DeployError: it can't be built, or pushed.
        """
        if digest := self.digest():
            say(f"  ECR has {self.tag} already")
            return f"{repository}@{digest}"
        name = f"{repository}:{self.tag}"
        self._build(name)
        self._push(name, repository.partition("/")[0])
        if (digest := self.digest()) is None:
            raise DeployError(f"{name} was pushed, and ECR does not know it.")
        return f"{repository}@{digest}"

    def _build(self, name: str) -> None:
        """As `make image` does."""
        self._show(
            "make", "--no-print-directory", "image",
            f"BUILDER={self.builder}", f"TAG={name}", f"PLATFORM={self.platform}",
        )  # fmt: skip

    def _push(self, name: str, registry: str) -> None:
        [given] = self.client.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        # By stdin: arguments and variables can be read by others on this machine.
        entered = subprocess.run(
            [self.builder, "login", "--username", user, "--password-stdin", registry],
            input=password,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if entered.returncode:
            said = entered.stderr.strip()[-500:].replace(password, "***")
            raise DeployError(f"{self.builder} login to {registry} failed: {said}")
        try:
            self._show(self.builder, "push", name)
        finally:
            # It would stay on the disk, and be good for 12 hours.
            subprocess.run(
                [self.builder, "logout", registry], capture_output=True, check=False, timeout=60
            )

    def _show(self, *command: str) -> None:
        """Run a command, and print what it prints."""
        with subprocess.Popen(
            command,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                print(f"  {line}", end="", flush=True)
        if process.returncode:
            what = " ".join(command[:3])
            raise DeployError(f"`{what}` ended with status {process.returncode}.")
