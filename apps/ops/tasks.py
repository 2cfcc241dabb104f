"""Background entry points of running igloo."""

from django.utils import timezone
from django_tasks import task

from apps.ops import services
from apps.tasks.periodic import periodic


@task()
def report_cost() -> str | None:
    """See services.report_cost; what came out, or None where there is nothing to measure."""
    report = services.report_cost(now=timezone.now())
    return report.outcome if report else None


# Monday morning in Korea, when CloudWatch has all of the week before.
periodic("report-cost", "27 1 * * 1", report_cost)
