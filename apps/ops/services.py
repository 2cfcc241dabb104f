"""The weekly bill: is it time to move from Lambda to ECS, and what to type for it."""

import datetime as dt
import logging
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import mail_managers
from django.db import transaction

from apps.ops.models import CostReport

logger = logging.getLogger(__name__)

WEEK = dt.timedelta(days=7)
# What lasts is told again after so long.
AGAIN = dt.timedelta(days=28)
# Seconds. The question only reads, so boto3 may ask it again.
_CONNECT_SECONDS = 5
_READ_SECONDS = 20
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_GRANT = (
    "The role that background work runs with needs cloudwatch:GetMetricData on *: update its stack,"
    " which is deploy/lambda-role.json on Lambda and deploy/data.yaml on ECS."
)
_WAY_OUT = (
    "A function or a container in a VPC without a way out needs CloudWatch's endpoint there"
    " (com.amazonaws.<region>.monitoring)."
)
_Outcome = CostReport.Outcome
_SUBJECTS = {
    _Outcome.NEAR: "Is it time to move to ECS?",
    _Outcome.NO_TRAFFIC: "No traffic last week",
    _Outcome.OLD_PRICES: "AWS's prices are to be read again",
    _Outcome.DENIED: "AWS denies the traffic's metrics",
    _Outcome.FAILED: "What igloo costs was not computed",
}


def report_cost(*, now: dt.datetime) -> CostReport | None:
    """Compute what the API costs by last week's traffic, and mail operators what is news.

    The week ended with the last Sunday before `now`, in UTC. Done again, it computes the same row
    again, and mails only another outcome than was mailed.

    Returns:
        None where no function is named, as on a laptop: there is nothing to measure.

    Raises:
        OSError, SMTPException: the mail was not taken; the row is there, and not yet told.
    """
    if not settings.COST_FUNCTION:
        logger.info("no COST_FUNCTION is named, as on a laptop: no traffic to compute a bill of")
        return None
    today = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = today - dt.timedelta(days=today.weekday())
    outcome, text, figures = _computed(end, today.date())
    values = {"outcome": outcome, "text": text, "figures": figures, "computed_at": now}
    report, _ = CostReport.objects.update_or_create(week=(end - WEEK).date(), defaults=values)
    level = logging.INFO if outcome == _Outcome.FINE else logging.WARNING
    logger.log(level, "cost of the week of %s: %s\n%s", report.week, outcome, text)
    _tell(report, now)
    return report


def _tell(report: CostReport, now: dt.datetime) -> None:
    """Mail it, if it is news and there is somebody to tell."""
    if report.outcome == _Outcome.FINE or not settings.MANAGERS:
        return
    with transaction.atomic():
        # Whoever else computes this week waits here, and then finds that it was told.
        list(CostReport.objects.select_for_update().filter(pk=report.pk))
        last = CostReport.objects.exclude(told="").order_by("-week").first()
        if last is not None and last.told == report.outcome:
            # Who has moved away has no traffic for good.
            lasting = report.outcome != _Outcome.NO_TRAFFIC
            if not lasting or report.week - last.week < AGAIN:
                return
        mail_managers(_SUBJECTS[_Outcome(report.outcome)], report.text)
        report.told, report.told_at = report.outcome, now
        report.save(update_fields=["told", "told_at"])


def _computed(end: dt.datetime, today: dt.date) -> tuple[CostReport.Outcome, str, dict[str, Any]]:
    """(outcome, what to say, figures) of the 7 days before `end`."""
    # Here: nothing but this task needs them, and boto3 is large.
    from botocore.exceptions import BotoCoreError, ClientError

    from apps.ops.cost.prices import OldPrices, PricesError
    from apps.ops.cost.profile import NoTraffic, ProfileError
    from apps.ops.cost.report import as_data, finding

    try:
        result = _compared(end, today)
    except OldPrices as error:
        return _Outcome.OLD_PRICES, f"{error}\n\n{_refresh()}", {}
    except NoTraffic as error:
        return (
            _Outcome.NO_TRAFFIC,
            f"{error}\n\nIf ECS has all requests by now, this is as it should be: manage.py"
            " traffic shows who has them.",
            {},
        )
    except (PricesError, ProfileError) as error:
        return _Outcome.FAILED, str(error), {}
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            return _Outcome.DENIED, _not_asked(error, _GRANT), {}
        return _Outcome.FAILED, _not_asked(error, "Its answer says what to mend."), {}
    except BotoCoreError as error:
        return _Outcome.FAILED, _not_asked(error, _WAY_OUT), {}
    said = finding(result)
    return (
        _Outcome.NEAR if said else _Outcome.FINE,
        _text(said, result, end),
        as_data(result),
    )


def _compared(end: dt.datetime, today: dt.date) -> Any:
    """The Comparison. Raises PricesError, ProfileError, and botocore's errors."""
    import boto3
    from botocore.config import Config

    from apps.ops.cost.container import read_container
    from apps.ops.cost.prices import read_prices
    from apps.ops.cost.profile import Profile, ProfileError
    from apps.ops.cost.report import SHOWN, compare
    from apps.ops.cost.traffic import Watched, from_cloudwatch

    folder = Path(settings.BASE_DIR) / "deploy" / "prices"
    # Before AWS is asked: without them there is no figure.
    prices = read_prices(folder, settings.AWS_REGION, today=today)
    container = read_container(folder, today=today)
    kind, _, name = settings.TRAFFIC_API.partition(":")
    if settings.TRAFFIC_API and (kind not in ("http", "rest") or not name):
        raise ProfileError(
            f"TRAFFIC_API is {settings.TRAFFIC_API!r}: it is http:<id> of an HTTP API, or"
            " rest:<name> of a REST API."
        )
    watched = Watched(
        settings.COST_FUNCTION,
        api_id=name if kind == "http" else None,
        api_name=name if kind == "rest" else None,
    )
    client = boto3.session.Session().client(
        "cloudwatch",
        region_name=settings.AWS_REGION,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 4},
        ),
    )
    try:
        seen = from_cloudwatch(client, watched, end=end, days=WEEK.days)
    finally:
        client.close()
    if seen.duration_ms is None:
        raise ProfileError(
            f"API {name} had requests, and {watched.function} was not invoked once: look at"
            " COST_FUNCTION."
        )
    measured = {
        field: value
        for field in ("requests_per_day", "duration_ms", "peak_ratio", "log_kb")
        if (value := getattr(seen, field)) is not None
    }
    profile = Profile(**measured, rps_per_vcpu=container.rps_per_vcpu)
    pair = ("lambda-v1", SHOWN[1]) if kind == "rest" else SHOWN
    return compare(prices, profile, measured=True, pair=pair)


def _text(said: str | None, result: Any, end: dt.datetime) -> str:
    from apps.ops.cost.report import in_short

    begin, last = (end - WEEK).date(), (end - dt.timedelta(days=1)).date()
    parts = [said, _moving()] if said else []
    parts.append(f"Measured from {begin} to {last}.")
    parts += in_short(result)
    if not settings.TRAFFIC_API:
        parts.append(
            "What invoked the function was counted, its background work too. With TRAFFIC_API it"
            " is what API Gateway counted."
        )
    return "\n\n".join(parts)


def _moving() -> str:
    """The commands."""
    return (
        "To move, in a checkout of the commit that is deployed:\n\n"
        f"    make deploy-ecs STAGE={settings.STAGE}\n"
        "    .venv/bin/python manage.py traffic --to ecs --step 10 --every 5m\n\n"
        "To come back: manage.py traffic --to lambda. docs/moving.md tells what has to be there"
        " before, and what changes."
    )


def _refresh() -> str:
    return (
        "No figure is made of old prices. In a checkout:\n\n"
        f"    .venv/bin/python manage.py cost --refresh --region {settings.AWS_REGION}\n\n"
        "Look at the diff and at what it could not find, commit it, and deploy."
    )


def _not_asked(error: Exception, advice: str) -> str:
    return (
        f"CloudWatch was not asked: {error}\n\n{advice}\n\nThen run the task ops.report_cost again"
        " in the admin, or wait for the next week."
    )
