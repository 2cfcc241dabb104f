"""The weekly bill: computed of what CloudWatch counted, kept, and mailed where it is news."""

import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTPException
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from apps.ops import services, tasks
from apps.ops.models import CostReport
from apps.tasks import periodic
from apps.tasks.models import BackgroundTask
from apps.tasks.runner import run_due_tasks
from tests.aws_lambda.test_role import OF_BILL
from tests.builders import make_member, operator
from tests.concurrency import at_once
from tests.ops.cost.cloudwatch import API, FUNCTION, NAME, CloudWatch, dated
from tests.ops.traffic.aws import REGION

pytestmark = pytest.mark.django_db

# A Wednesday; its week began on the 16th.
NOW = dt.datetime(2026, 11, 18, 9, 0, tzinfo=dt.UTC)
MONDAY = dt.datetime(2026, 11, 9, tzinfo=dt.UTC)
Outcome = CostReport.Outcome


@pytest.fixture
def aws(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, prices_folder: Path
) -> Iterator[CloudWatch]:
    """A stage on AWS whose operators are two, with nothing counted yet."""
    server = CloudWatch()
    server.start()
    server.reset()
    server.asked.clear()
    for name, value in (
        ("AWS_ENDPOINT_URL", server.url),
        ("AWS_ACCESS_KEY_ID", "igloo-tests"),
        ("AWS_SECRET_ACCESS_KEY", "igloo-tests-secret"),
        ("AWS_DEFAULT_REGION", REGION),
    ):
        monkeypatch.setenv(name, value)
    # As at the time of these tests.
    for path in prices_folder.iterdir():
        dated(path, "2026-11-01")
    measured = "[container]\nrps_per_vcpu = 465\ndate = 2026-11-27\nhow = 'made up'\n"
    (prices_folder / "measured.toml").write_text(measured, encoding="utf-8")
    settings.STAGE = "production"
    settings.COST_FUNCTION = FUNCTION
    settings.TRAFFIC_API = f"http:{API}"
    settings.MANAGERS = [("operator", "minji@example.com"), ("operator", "seojun@example.com")]
    settings.EMAIL_SUBJECT_PREFIX = "[igloo production] "
    yield server
    server.stop()


def report(*, weeks: int = 0) -> CostReport:
    """What the job makes, so many weeks after NOW."""
    made = services.report_cost(now=NOW + weeks * services.WEEK)
    assert made is not None
    return made


def told() -> list[str]:
    """The subjects of what was mailed."""
    return [message.subject for message in mail.outbox]


# The crossing is between them.
FEW, MANY = 1_000, 480_000


def test_near_the_crossing_operators_get_the_commands(aws: CloudWatch) -> None:
    aws.had(MANY, monday=MONDAY)

    made = report()

    assert (made.week, made.outcome, made.told) == (MONDAY.date(), Outcome.NEAR, Outcome.NEAR)
    [message] = mail.outbox
    assert message.subject == "[igloo production] Is it time to move to ECS?"
    assert message.to == ["minji@example.com", "seojun@example.com"]
    assert message.body == made.text
    assert re.match(
        r"Fargate x86, ALB costs \$[\d,.]+ a month less than Lambda, API Gateway v2\.\n",
        made.text,
    )
    for line in (
        "\n    make deploy-ecs STAGE=production\n",
        "\n    .venv/bin/python manage.py traffic --to ecs --step 10 --every 5m\n",
        "\nMeasured from 2026-11-09 to 2026-11-15.\n",
        "\n11,520,000 requests a day in ap-northeast-2: 133.33 a second, 1,600 in the peak, 60 ms",
    ):
        assert line in made.text
    assert made.figures["measured"] is True
    # What the roles grant, and what this test put there.
    assert aws.asked == {"cloudwatch:PutMetricData", *OF_BILL}


def test_the_command_that_moves_can_be_typed_as_it_is_told() -> None:
    from apps.ops.management.commands.traffic import Command

    line = re.search(r"manage\.py (traffic .*)", services._moving())
    assert line is not None
    name, *arguments = line[1].split()
    given = Command().create_parser("manage.py", name).parse_args(arguments)
    assert (given.to, given.step, given.every) == ("ecs", 10, 300)


def test_far_from_it_nobody_is_disturbed(aws: CloudWatch) -> None:
    aws.had(FEW, monday=MONDAY)

    made = report()

    assert made.outcome == Outcome.FINE
    assert made.text.startswith("Measured from 2026-11-09 to 2026-11-15.\n\n24,000 requests a day")
    assert "To move" not in made.text
    assert (made.told, told()) == ("", [])


def test_a_rest_api_is_compared_as_one(aws: CloudWatch, settings: Settings) -> None:
    settings.TRAFFIC_API = f"rest:{NAME}"
    aws.had(MANY, monday=MONDAY)

    made = report()

    assert made.text.startswith("Fargate x86, ALB costs $")
    assert "less than Lambda, API Gateway v1.\n" in made.text
    assert made.figures["shown"] == ["lambda-v1", "fargate-x86"]


def test_without_an_api_it_says_what_it_counted(aws: CloudWatch, settings: Settings) -> None:
    settings.TRAFFIC_API = ""
    aws.had(FEW, monday=MONDAY)
    assert "its background work too. With TRAFFIC_API" in report().text


def test_twice_in_a_week_is_one_row_and_one_mail(aws: CloudWatch) -> None:
    aws.had(MANY, monday=MONDAY)
    first = report()
    second = services.report_cost(now=NOW + dt.timedelta(days=4))
    assert second is not None
    assert (second.pk, second.text) == (first.pk, first.text)
    assert CostReport.objects.count() == len(told()) == 1


@pytest.mark.usefixtures("committed")
def test_two_at_once_make_one_row_and_one_mail(
    aws: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.had(MANY, monday=MONDAY)

    def slow(*args: str) -> None:
        time.sleep(1)
        mail.mail_managers(*args)

    monkeypatch.setattr(services, "mail_managers", slow)
    first, second = at_once(report, report)
    assert first.pk == second.pk == CostReport.objects.get().pk
    assert len(told()) == 1


def test_what_lasts_is_told_again_after_four_weeks(aws: CloudWatch) -> None:
    for week in range(6):
        aws.had(MANY, monday=MONDAY + week * services.WEEK)
        report(weeks=week)
    rows = CostReport.objects.order_by("week").values_list("told", flat=True)
    assert list(rows) == ["near", "", "", "", "near", ""]
    assert len(told()) == 2


def test_no_traffic_is_said_without_a_figure_and_once(aws: CloudWatch) -> None:
    made = [report(weeks=week) for week in range(6)]
    assert {row.outcome for row in made} == {Outcome.NO_TRAFFIC}
    assert made[0].text.startswith(
        "There was no traffic at API a1b2c3 in the 7 days before 2026-11"
    )
    assert not any("$" in row.text or row.figures for row in made)
    assert told() == ["[igloo production] No traffic last week"]


def test_prices_that_are_too_old_are_to_be_read_again(aws: CloudWatch, prices_folder: Path) -> None:
    dated(prices_folder / f"{REGION}.toml", "2026-05-21", count=1)
    aws.had(MANY, monday=MONDAY)

    made = report()

    assert made.outcome == Outcome.OLD_PRICES
    assert "was read 181 days ago (2026-05-21)" in made.text
    assert "\n    .venv/bin/python manage.py cost --refresh --region ap-northeast-2\n" in made.text
    assert (made.figures, "$" in made.text) == ({}, False)
    assert told() == ["[igloo production] AWS's prices are to be read again"]


def test_an_unknown_region_is_said_and_refreshing_is_not_proposed(
    aws: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by `settings`: each S3 storage that there is would hear of it and make its client anew.
    monkeypatch.setattr(real_settings, "AWS_REGION", "eu-north-1")
    made = report()
    assert made.outcome == Outcome.FAILED
    assert "There are no prices for the region 'eu-north-1'; there are for: ap-nor" in made.text
    assert "--refresh" not in made.text
    # AWS was not asked for what could not be used.
    assert aws.asked == set()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TRAFFIC_API", "a1b2c3", "TRAFFIC_API is 'a1b2c3': it is http:<id> of an HTTP API"),
        ("COST_FUNCTION", "iglo", "API a1b2c3 had requests, and iglo was not invoked once"),
    ],
)
def test_what_is_named_wrongly_is_said(
    aws: CloudWatch, settings: Settings, name: str, value: str, words: str
) -> None:
    aws.had(FEW, monday=MONDAY)
    setattr(settings, name, value)
    made = report()
    assert (made.outcome, made.figures) == (Outcome.FAILED, {})
    assert made.text.startswith(words)


def test_without_a_measured_container_there_is_no_figure(
    aws: CloudWatch, prices_folder: Path
) -> None:
    (prices_folder / "measured.toml").unlink()
    made = report()
    assert (made.outcome, made.figures) == (Outcome.FAILED, {})
    assert "`python -m bench web` measures it" in made.text


def test_denied_metrics_are_told_once_with_what_to_grant(aws: CloudWatch) -> None:
    aws.had(MANY, monday=MONDAY)
    aws.denied.add("cloudwatch:GetMetricData")

    tasks.report_cost.enqueue()
    # The runner takes it again and again, if it is to be tried again.
    assert run_due_tasks() == 1
    assert run_due_tasks() == 0

    task = BackgroundTask.objects.get()
    assert (task.state, task.return_value) == ("successful", "denied")
    made = CostReport.objects.get()
    assert "not authorized: cloudwatch:GetMetricData" in made.text
    assert "needs cloudwatch:GetMetricData on *: update its stack" in made.text
    assert told() == ["[igloo production] AWS denies the traffic's metrics"]

    report(weeks=2)
    assert len(told()) == 1


def test_after_the_grant_the_same_week_is_computed_and_told(aws: CloudWatch) -> None:
    aws.had(MANY, monday=MONDAY)
    aws.denied.add("cloudwatch:GetMetricData")
    denied = report()
    aws.denied.clear()
    assert report().pk == denied.pk
    assert told() == [
        "[igloo production] AWS denies the traffic's metrics",
        "[igloo production] Is it time to move to ECS?",
    ]


def test_a_cloudwatch_that_does_not_answer_is_told(
    aws: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    made = report()
    assert made.outcome == Outcome.FAILED
    assert made.text.startswith("CloudWatch was not asked: Could not connect")
    assert "com.amazonaws.<region>.monitoring" in made.text


def test_mail_that_was_not_taken_is_sent_by_the_next_attempt(
    aws: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.had(MANY, monday=MONDAY)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise SMTPException("full")

    with monkeypatch.context() as patch:
        patch.setattr(services, "mail_managers", refuse)
        with pytest.raises(SMTPException):
            report()
    kept = CostReport.objects.get()
    assert (kept.outcome, kept.told, told()) == (Outcome.NEAR, "", [])
    report()
    assert len(told()) == 1
    assert CostReport.objects.get().told_at == NOW


def test_without_addresses_the_row_waits_to_be_told(aws: CloudWatch, settings: Settings) -> None:
    known, settings.MANAGERS = settings.MANAGERS, []
    aws.had(MANY, monday=MONDAY)
    assert (report().told, told()) == ("", [])
    settings.MANAGERS = known
    assert (report().told, len(told())) == (Outcome.NEAR, 1)


def test_a_laptop_has_nothing_to_measure(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A test may run on a machine whose environment names an account.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert real_settings.COST_FUNCTION == ""
    tasks.report_cost.enqueue()
    assert run_due_tasks() == 1
    task = BackgroundTask.objects.get()
    assert (task.state, task.return_value) == ("successful", None)
    assert "no COST_FUNCTION is named, as on a laptop" in caplog.text
    assert not CostReport.objects.exists()


def test_it_is_due_on_mondays_in_both_worlds(aws: CloudWatch) -> None:
    """Fired by a rule and by a schedule: one task, one row, one mail."""
    aws.had(MANY, monday=MONDAY)
    work = periodic.declared()["report-cost"]
    slot = work.cron.latest(NOW)
    assert (slot.weekday(), work.cron.eventbridge) == (0, "cron(27 1 ? * 2 *)")
    for _ in range(2):
        periodic.fire("report-cost", slot)
    monday = timezone.now() - dt.timedelta(days=timezone.now().weekday())
    aws.had(MANY, monday=monday.replace(hour=0, minute=0, second=0, microsecond=0) - services.WEEK)
    assert run_due_tasks() == 1
    assert CostReport.objects.get().outcome == Outcome.NEAR
    assert len(told()) == 1


def test_operators_look_back_in_the_admin(aws: CloudWatch) -> None:
    report()
    aws.had(MANY, monday=MONDAY + services.WEEK)
    made = report(weeks=1)
    desk = Client()
    desk.force_login(operator(make_member("anoperator")))

    rows = desk.get(reverse("admin:ops_costreport_changelist")).content.decode()
    page = desk.get(reverse("admin:ops_costreport_change", args=[made.pk])).content.decode()

    for name, text in (
        ("requests_a_day", "11,520,000"),
        ("on_lambda", f"{float(made.figures['bills']['lambda-v2']['usd']):,.2f}"),
        ("in_containers", f"{float(made.figures['bills']['fargate-x86']['usd']):,.2f}"),
    ):
        # The week without traffic has no figures.
        found = re.findall(rf'<td class="field-{name}">([^<]*)</td>', rows)
        assert found == [text, "-"]
    assert re.search(r'<td class="field-crossing">[\d,]+</td>', rows)
    assert "make deploy-ecs STAGE=production" in page
