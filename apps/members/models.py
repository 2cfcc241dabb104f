"""Members, the devices they are logged in on, and what they consented to."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel

# Characters.
DISPLAY_NAME_LENGTH, BIO_LENGTH = 30, 300
USERNAME_PATTERN = r"^[a-z0-9_.]{3,30}$"


class MemberQuerySet(models.QuerySet["Member"]):
    """Reads of members."""

    def visible_to(self, viewer: Any) -> "MemberQuerySet":
        """Everyone whose account is open."""
        return self.filter(is_active=True)


class MemberManager(BaseUserManager["Member"].from_queryset(MemberQuerySet)):  # type: ignore[misc]
    """Django's hooks for its own commands and login."""

    def get_by_natural_key(self, username: str | None) -> "Member":
        """The member with this name, whatever the case it was typed in."""
        found: Member = self.get(username=(username or "").lower())
        return found

    def create_superuser(self, username: str, password: str, **fields: Any) -> "Member":
        """An operator who may do everything; for `manage.py createsuperuser`."""
        member: Member = self.model(
            username=username.lower(), is_staff=True, is_superuser=True, **fields
        )
        member.set_password(password)
        member.save()
        return member


class Member(UUIDModel, AbstractBaseUser, PermissionsMixin):
    """A person who uses the app, or an operator (`is_staff`)."""

    class Kind(models.TextChoices):
        """Who someone is on igloo."""

        COMMON = "common", _("common")
        DESIGNER = "designer", _("designer")

    class Locale(models.TextChoices):
        """The language of mails and pushes."""

        KO = "ko", "한국어"
        EN = "en", "English"

    username = models.CharField(max_length=30, unique=True)
    display_name = models.CharField(max_length=DISPLAY_NAME_LENGTH)
    email = models.EmailField(blank=True, default="")
    email_verified = models.BooleanField(default=False)
    bio = models.CharField(max_length=BIO_LENGTH, blank=True, default="")
    avatar = models.OneToOneField(
        "media.Upload", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.COMMON)
    locale = models.CharField(max_length=2, choices=Locale.choices, default=Locale.KO)
    posts_count = models.PositiveIntegerField(default=0)
    followers_count = models.PositiveIntegerField(default=0)
    following_count = models.PositiveIntegerField(default=0)
    suspended_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField(default=1)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    objects = MemberManager()

    class Meta:
        constraints = [
            # Lower case alone, so that the unique index knows no two spellings.
            models.CheckConstraint(
                condition=Q(username__regex=USERNAME_PATTERN), name="member_username_form"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["common", "designer"]), name="member_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.username


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


class DeviceSessionQuerySet(models.QuerySet["DeviceSession"]):
    """Reads of device sessions."""

    def open(self) -> "DeviceSessionQuerySet":
        """Those that can still be used."""
        return self.filter(ended_at__isnull=True, expires_at__gt=timezone.now())

    def visible_to(self, viewer: Any) -> "DeviceSessionQuerySet":
        """The viewer's own that are open."""
        return self.open().filter(member_id=viewer.pk)


class DeviceSession(UUIDModel):
    """A login on one device. Access tokens name it, so that ending it ends them."""

    class Platform(models.TextChoices):
        """What the app runs on."""

        IOS = "ios", "iOS"
        ANDROID = "android", "Android"
        WEB = "web", "Web"

    class EndReason(models.TextChoices):
        """Why it ended."""

        LOGOUT = "logout", _("logged out")
        REMOVED = "removed", _("ended from another device")
        PASSWORD = "password", _("password changed")
        REUSE = "reuse", _("a spent refresh token was used")

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="sessions", db_index=False
    )
    name = models.CharField(max_length=100)
    platform = models.CharField(max_length=10, choices=Platform.choices)
    app_version = models.CharField(max_length=30)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="unless it is used before")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=10, choices=EndReason.choices, blank=True, default="")

    objects = DeviceSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason="")
                | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="session_ended_says_why",
            ),
            models.CheckConstraint(
                condition=Q(platform__in=["ios", "android", "web"]), name="session_platform_known"
            ),
        ]
        indexes = [
            # GET /auth/sessions, newest first; ending all of a member's sessions.
            models.Index(fields=["member", "-id"], name="session_by_member"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.platform})"


class RefreshToken(UUIDModel):
    """One link in a session's chain of refresh tokens; the table holds SHA-256 hashes."""

    session = models.ForeignKey(DeviceSession, on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="refresh_token_once"),
            # Two at once would be two devices.
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(spent_at__isnull=True),
                name="refresh_token_one_unspent",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
