"""What members consented to."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel
from apps.members.models.member import Member


class Consent(UUIDModel):
    """A member said yes or no to a text. Rows are only ever added."""

    class Kind(models.TextChoices):
        """What is consented to; the first two are needed to be a member."""

        TERMS = "terms", _("terms of service")
        PRIVACY = "privacy", _("processing of personal data")
        MARKETING = "marketing", _("marketing messages")
        MARKETING_NIGHT = "marketing_night", _("marketing messages at night")

    REQUIRED = (Kind.TERMS, Kind.PRIVACY)

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="consents", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    version = models.CharField(max_length=20)
    granted = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["terms", "privacy", "marketing", "marketing_night"]),
                name="consent_kind_known",
            ),
        ]
        indexes = [
            # The newest row of each kind is what holds.
            models.Index(fields=["member", "kind", "-id"], name="consent_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}: {self.granted}"
