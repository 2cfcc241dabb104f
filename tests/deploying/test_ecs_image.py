"""The image of a deploy to ECS: built, pushed, and its registry's password told to nobody."""

import json
import shutil
import sys
from pathlib import Path

import boto3
import pytest

from igloo.deploying import DeployError
from igloo.deploying.ecs.image import Image
from tests.aws_lambda.test_package import ROOT
from tests.deploying.ecs_place import REGISTRY, Place, empty
from tests.media.s3 import REGION

__all__ = ["empty"]  # a fixture


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
