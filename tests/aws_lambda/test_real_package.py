"""The package that is deployed runs in the local Lambda, in its own version of Python.

What it answers is in tests/contract. The zip is test_package.py's, built once for all workers.
"""

import datetime as dt
import json
import zipfile
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

# Its wheels are for Linux.
pytest.importorskip("awslambdaric")

from apps.ops.models import CostReport
from igloo.laptop.aws_lambda.local import running
from igloo.packaging import environment
from tests.aws_lambda.aws_events import scheduled
from tests.aws_lambda.test_package import package as production_zip
from tests.contract.places import database_url, why_no_lambda
from tests.laptop.conftest import wait_until
from tests.ops.cost.cloudwatch import API, FUNCTION, CloudWatch, dated

__all__ = ["production_zip"]  # a fixture


@pytest.fixture(scope="session")
def has_python() -> None:
    """Skips, before the zip is built, where the package can't run on this machine."""
    if why := why_no_lambda():
        pytest.skip(why)


def test_it_runs_in_its_own_python(has_python: None, production_zip: Path) -> None:
    with running(production_zip) as front:
        runtime = front.function.settings.runtime
        assert runtime.version == "3.12"
        assert environment.version_of(runtime.python).startswith("3.12.")


@pytest.mark.usefixtures("has_python", "committed")
def test_the_weekly_bill_is_computed_in_it(
    production_zip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """By EventBridge's event, with the prices that are in it."""
    with zipfile.ZipFile(production_zip) as file:
        file.extractall(tmp_path)
    now = timezone.now().astimezone(dt.UTC)
    for path in (tmp_path / "deploy" / "prices").iterdir():
        dated(path, f"{now:%Y-%m-%d}")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - dt.timedelta(days=today.weekday() + 7)
    aws = CloudWatch()
    aws.start()
    keys = {
        "AWS_ACCESS_KEY_ID": "igloo-tests",
        "AWS_SECRET_ACCESS_KEY": "igloo-tests-secret",
        "AWS_ENDPOINT_URL": aws.url,
    }
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    aws.reset()
    aws.had(480_000, monday=monday)
    variables = {
        "COST_FUNCTION": FUNCTION,
        "DATABASE_URL": database_url(connection.settings_dict["NAME"]),
        "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend",
        "OPERATORS": "minji@example.com",
        "TRAFFIC_API": f"http:{API}",
    }
    try:
        with running(tmp_path, environment=keys | variables, instances=2) as front:
            event = scheduled("igloo-report-cost-apps.tasks.events.fire", name="report-cost")
            front.function.invoke(json.dumps(event).encode(), 60)
            wait_until(lambda: CostReport.objects.exclude(told="").exists(), 30)
    finally:
        aws.stop()
    report = CostReport.objects.get()
    assert (report.week, report.outcome) == (monday.date(), "near")
    assert report.text.startswith("Fargate x86, ALB costs $")
    # Printed, and not sent: EMAIL_BACKEND above.
    log = capfd.readouterr().out
    assert "To: minji@example.com" in log
