"""What operators look back at."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel


class CostReport(UUIDModel):
    """What the API costs by the traffic of a week, and what operators were told of it."""

    class Outcome(models.TextChoices):
        """What came out. All but the first are worth a mail."""

        FINE = "fine", "fine where it is"
        NEAR = "near", "moving to ECS is worth a thought"
        NO_TRAFFIC = "no_traffic", "no traffic"
        OLD_PRICES = "old_prices", "prices are too old"
        DENIED = "denied", "AWS denies the metrics"
        FAILED = "failed", "not computed"

    # Monday, in UTC.
    week = models.DateField(unique=True, help_text="its Monday, in UTC")
    outcome = models.CharField(max_length=10, choices=Outcome)
    text = models.TextField(help_text="as it is in the mail")
    # What `manage.py cost --json` prints; empty where nothing could be computed.
    figures = models.JSONField(default=dict, blank=True)
    computed_at = models.DateTimeField()
    # The outcome that was mailed; computed again, it may be another.
    told = models.CharField(max_length=10, choices=Outcome, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("cost report"), _("cost reports")

    def __str__(self) -> str:
        return f"{self.week}: {self.get_outcome_display()}"
