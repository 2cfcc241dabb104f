"""Members who are leaving, and what the law keeps of those who left."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.common.models import JSONField, UUIDModel
from apps.members.models.member import Member


class LeavingQuerySet(models.QuerySet["Leaving"]):
    """Reads of members who are leaving."""

    def due(self) -> "LeavingQuerySet":
        """Those whose time to come back is over."""
        return self.filter(erase_at__lte=timezone.now())

    def can_be_taken_back(self) -> "LeavingQuerySet":
        """Those who may still come back."""
        return self.filter(
            erase_at__gt=timezone.now(), erasing_since__isnull=True, closed_at__isnull=True
        )

    def led_back_by(self, provider: str, subject: str) -> "LeavingQuerySet":
        """Whose last way in this login was, until its provider ended it: those who are leaving."""
        return self.filter(identity_hash=hash_identity(provider, subject), member__is_active=False)


class Leaving(UUIDModel):
    """A member left and is hidden (`is_active` is off); the row goes when they come back, and with
    them when they are erased. Tasks name this row: its id is nobody's once it is gone."""

    member = models.OneToOneField(
        Member, on_delete=models.CASCADE, related_name="leaving", verbose_name=_("member")
    )
    left_at = models.DateTimeField(_("left at"))
    erase_at = models.DateTimeField(_("erase at"))
    # From then on there is no way back, whatever the clock of another host says.
    erasing_since = models.DateTimeField(_("erasing since"), null=True, blank=True)
    # An operator closed the account while they were leaving: from then on there is no way back.
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    # All that was theirs is gone but their own row, and what names them elsewhere.
    emptied_at = models.DateTimeField(_("emptied at"), null=True, blank=True)
    # Where the provider ended the last login: a keyed hash of it, which is the way back.
    identity_hash = models.BinaryField(max_length=32, null=True, blank=True)

    objects = LeavingQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("leaving"), _("leaving")
        constraints = [
            models.CheckConstraint(
                condition=Q(erase_at__gt=F("left_at")), name="leaving_before_erasing"
            ),
        ]
        indexes = [
            # erase_due_members.
            models.Index(fields=["erase_at"], name="leaving_due"),
            # Each login at a provider that is nobody's.
            models.Index(
                fields=["identity_hash"],
                name="leaving_by_identity",
                condition=Q(identity_hash__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"left at {self.left_at:%Y-%m-%d %H:%M}"


def hash_username(username: str) -> bytes:
    """What stands for a username where the name itself must not be kept."""
    return salted_hmac("apps.members.retained.username", username, algorithm="sha256").digest()


def hash_identity(provider: str, subject: str) -> bytes:
    """What stands for a login at a provider where what it is called there must not be kept."""
    text = f"{provider}\n{subject}"
    return salted_hmac("apps.members.retained.identity", text, algorithm="sha256").digest()


class RetainedRecordQuerySet(models.QuerySet["RetainedRecord"]):
    """Reads of what is kept."""

    def keeping_name(self, username: str) -> "RetainedRecordQuerySet":
        """What keeps a username from being taken."""
        return self.filter(
            kind=RetainedRecord.Kind.USERNAME,
            username_hash=hash_username(username),
            delete_at__gt=timezone.now(),
        )

    def suspending(self, provider: str, subject: str) -> "RetainedRecordQuerySet":
        """What suspends whoever joins with this login."""
        return self.filter(
            kind=RetainedRecord.Kind.SUSPENSION,
            identity_hash=hash_identity(provider, subject),
            delete_at__gt=timezone.now(),
        )


class RetainedRecord(UUIDModel):
    """What is kept of a member who was erased, for as long as a law or a rule says.

    Nothing of the service reads it but the check of free usernames, and joining with a login that
    lost a suspended account. docs/leaving.md says what each kind holds and why.
    """

    class Kind(models.TextChoices):
        """What it is."""

        LOGIN = "login", _("log-in record")
        OPERATOR = "operator", _("what an operator did in the admin")
        USERNAME = "username", _("a username that can't be taken yet")
        SUSPENSION = "suspension", _("a suspension that is not over")

    class Basis(models.TextChoices):
        """By which law or rule it is kept."""

        COMMUNICATIONS = "communications", _("Protection of Communications Secrets Act, 15-2")
        SAFEGUARDS = "safeguards", _("PIPA's standard of safeguards, article 8")
        IMPERSONATION = "impersonation", _("terms of service: against impersonation")
        SUSPENSION = "suspension", _("terms of service: leaving ends no suspension")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    basis = models.CharField(max_length=20, choices=Basis.choices)
    # Of the row that it was made of, so that an erasing that goes on makes nothing twice.
    source_id = models.CharField(max_length=64)
    # A keyed hash of the username: who knows the name and the SECRET_KEY finds the rows.
    username_hash = models.BinaryField(max_length=32)
    # Of a suspension: a keyed hash of the provider and of its id of the member.
    identity_hash = models.BinaryField(max_length=32, null=True, blank=True)
    data = JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delete_at = models.DateTimeField()

    objects = RetainedRecordQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("retained record"), _("retained records")
        constraints = [
            models.UniqueConstraint(fields=["kind", "source_id"], name="retained_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["login", "operator", "username", "suspension"]),
                name="retained_kind_known",
            ),
        ]
        indexes = [
            # Deleting what has had its time.
            models.Index(fields=["delete_at"], name="retained_until"),
            # Whether a username is free; what is kept of a member whose name is known.
            models.Index(fields=["username_hash"], name="retained_by_username"),
            # Whether who joins is suspended.
            models.Index(
                fields=["identity_hash"],
                name="retained_by_identity",
                condition=Q(identity_hash__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} until {self.delete_at:%Y-%m-%d}"
