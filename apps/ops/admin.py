"""What igloo costs, week by week, for operators."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.common.admin import ReadOnly
from apps.ops.models import CostReport


@admin.register(CostReport)
class CostReportAdmin(ReadOnly):
    """The bills of Lambda and of containers, and where they cross."""

    list_display = [
        "week",
        "outcome",
        "requests_a_day",
        "on_lambda",
        "in_containers",
        "crossing",
        "told_at",
    ]
    list_filter = ["outcome", "week"]
    ordering = ["-week"]
    fields = ["week", "outcome", "said", "computed_at", "told", "told_at"]

    @admin.display(description="requests a day")
    def requests_a_day(self, report: CostReport) -> str:
        """Of the week, on average."""
        if not report.figures:
            return "-"
        return f"{Decimal(report.figures['profile']['requests_per_day']):,.0f}"

    @admin.display(description="on Lambda, USD a month")
    def on_lambda(self, report: CostReport) -> str:
        """With the API Gateway that is there."""
        return _usd(report.figures, 0)

    @admin.display(description="in containers, USD a month")
    def in_containers(self, report: CostReport) -> str:
        """On Fargate."""
        return _usd(report.figures, 1)

    @admin.display(description="containers cost less from")
    def crossing(self, report: CostReport) -> str:
        """Requests a day."""
        for each in report.figures.get("crossings", []):
            if [each["serverless"], each["container"]] == report.figures["shown"]:
                there = each["requests_per_day"]
                return "never" if there is None else f"{there:,}"
        return "-"

    @admin.display(description="text")
    def said(self, report: CostReport) -> SafeString:
        """As it is in the mail."""
        return format_html("<pre>{}</pre>", report.text)


def _usd(figures: dict[str, Any], place: int) -> str:
    """Of the pair that is compared."""
    if not figures:
        return "-"
    return f"{Decimal(figures['bills'][figures['shown'][place]]['usd']):,.2f}"
