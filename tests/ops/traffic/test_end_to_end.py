"""Requests move from the Lambda package to gunicorn and back while members read and write.

Both run on one database. The command is the operator's own process, and moto's Route 53 says where
requests go; what CloudWatch is told is what the members saw.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.aws_lambda.test_package import package as production_zip
from tests.contract.conftest import places
from tests.contract.places import Place, Places, why_no_lambda
from tests.ops.traffic.aws import Aws
from tests.ops.traffic.load import Load
from tests.ops.traffic.side import Side

__all__ = ["places", "production_zip"]  # fixtures
# The places need one process.
pytestmark = pytest.mark.xdist_group("contract")


@pytest.fixture(scope="module")
def sides(request: pytest.FixtureRequest) -> dict[str, Place]:
    """Both, on one database."""
    if why := why_no_lambda():
        pytest.skip(why)
    found: Places = request.getfixturevalue("places")
    function, container = found.together("lambda-v2", "gunicorn", IGLOO_COMMIT="c0ffee")
    return {"lambda": function, "ecs": container}


class Operator:
    """Runs the command as its own process."""

    def __init__(self, aws: Aws, sides: dict[str, Place], folder: Path) -> None:
        urls = {f"TRAFFIC_{name.upper()}_URL": place.url for name, place in sides.items()}
        self.environment = os.environ | aws.environment | urls | {"LOG_LEVEL": "WARNING"}
        self.log = folder / "traffic.log"

    def start(self, to: str, *arguments: str) -> subprocess.Popen[str]:
        """Begin a move: limits of a busy test machine, and no time to lose."""
        command = [sys.executable, "manage.py", "traffic", f"--to={to}", "--max-p95=10000"]
        command += ["--step=25", "--every=2s", "--min-requests=3", *arguments]
        with self.log.open("a") as log:
            return subprocess.Popen(
                command,
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def move(self, to: str, *arguments: str) -> tuple[int, str]:
        """A whole move: its status and all that it said so far."""
        process = self.start(to, *arguments)
        try:
            status = process.wait(60)
        finally:
            process.kill()
        return status, self.log.read_text()


@pytest.fixture
def operator(aws: Aws, sides: dict[str, Place], tmp_path: Path) -> Operator:
    """Someone with a shell."""
    return Operator(aws, sides, tmp_path)


def posts(place: Place) -> list[tuple[str, str]]:
    """The posts in the database: id and title."""
    return place.query("SELECT id::text, title FROM posts_post")


def test_there_and_back_and_no_request_failed_and_no_write_is_lost_or_doubled(
    aws: Aws, sides: dict[str, Place], operator: Operator
) -> None:
    before = posts(sides["lambda"])
    with Load(aws, sides) as load:
        process = operator.start("ecs")
        deadline = time.monotonic() + 30
        while aws.weights()["ecs"] < 50:
            assert time.monotonic() < deadline, operator.log.read_text()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130, operator.log.read_text()
        stopped = aws.weights()
        assert stopped["ecs"] in (50, 75)
        assert f"It stays {stopped['lambda']} % to lambda" in operator.log.read_text()

        status, said = operator.move("ecs")
        assert status == 0, said
        assert aws.weights() == {"lambda": 0, "ecs": 100}
        # The members see it a moment later.
        time.sleep(0.5)
        there = len(load.sent)
        time.sleep(1)
        assert {r.side for r in load.sent[there:]} == {"ecs"}

        status, said = operator.move("lambda", "--step=50")
        assert status == 0, said
        assert aws.weights() == {"lambda": 100, "ecs": 0}

    statuses = load.statuses()
    assert set(statuses) == {("GET", 200), ("POST", 201)}, statuses
    wrote = {r.side for r in load.sent if r.method == "POST"}
    assert wrote == {"lambda", "ecs"}
    made = load.made()
    assert len(made) > 50
    assert len(made) == statuses["POST", 201]
    assert sorted(set(posts(sides["lambda"])) - set(before)) == sorted(made)


def test_a_side_that_answers_5xx_gives_the_requests_back(
    aws: Aws, sides: dict[str, Place], tmp_path: Path
) -> None:
    broken = Side()
    places = sides | {"ecs": Place("broken", broken.url)}
    with Load(aws, places) as load:
        status, said = Operator(aws, places, tmp_path).move("ecs")
        assert status == 1, said
        assert aws.weights() == {"lambda": 100, "ecs": 0}
        time.sleep(0.5)
        back = len(load.sent)
        time.sleep(1)
    broken.close()
    assert "ecs answers more than 1 % with 5xx" in said
    assert "All requests go to lambda again" in said
    assert {r.status for r in load.sent if r.side == "ecs"} == {500}
    assert {(r.side, r.status < 300) for r in load.sent[back:]} == {("lambda", True)}


def test_without_cloudwatch_nothing_is_moved(aws: Aws, operator: Operator) -> None:
    aws.denied.add("cloudwatch:GetMetricData")
    status, said = operator.move("ecs")
    assert status == 1
    assert "Grant cloudwatch:GetMetricData on *" in said
    assert aws.weights() == {"lambda": 100, "ecs": 0}
