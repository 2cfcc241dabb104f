"""The devices that members are logged in on."""

import datetime as dt
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel
from apps.members.models.member import Member

# Characters.
PLACE_LENGTH = 100
# How long log-in records have to be kept: three months (Enforcement Decree of the Protection of
# Communications Secrets Act, article 41). Of a member the session that is over is the record; of
# one who was erased, a RetainedRecord.
LOGINS_KEPT = dt.timedelta(days=92)

# What stands in the place of each value while the text of a query is made.
_SESSION, _MEMBER = UUID(int=1), UUID(int=2)
_NOW = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@cache
def _of_token() -> tuple[str, tuple[Any, ...]]:
    """The text of the query of `of_token`, and the order that it takes its values in."""
    rows = DeviceSession.objects.open(_NOW).filter(
        pk=_SESSION, member_id=_MEMBER, member__is_active=True
    )
    of_member = [f"member__{name}" for name in _columns(Member)]
    return rows.values_list(*_columns(DeviceSession), *of_member).query.sql_with_params()


@cache
def _columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


class DeviceSessionQuerySet(models.QuerySet["DeviceSession"]):
    """Reads of device sessions."""

    def open(self, at: dt.datetime | None = None) -> "DeviceSessionQuerySet":
        """Those that can still be used, now or at that time."""
        return self.filter(ended_at__isnull=True, expires_at__gt=at or timezone.now())

    def visible_to(self, viewer: Any) -> "DeviceSessionQuerySet":
        """The viewer's own that are open."""
        return self.open().filter(member_id=viewer.pk)

    def trusted(self) -> "DeviceSessionQuerySet":
        """Those that say where and on what a member is used to be, open or over."""
        reasons = DeviceSession.EndReason
        return self.exclude(end_reason__in=[reasons.REMOVED, reasons.REUSE])


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
        LEFT = "left", _("the member left")
        PROVIDER = "provider", _("the provider ended the only login")

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="sessions", db_index=False
    )
    name = models.CharField(max_length=100)
    platform = models.CharField(max_length=10, choices=Platform.choices)
    app_version = models.CharField(max_length=30)
    # Keyed hashes, the last one first; apps/members/services/places.py makes them.
    networks = ArrayField(
        models.CharField(max_length=32), default=list, db_default=[], blank=True, editable=False
    )
    place = models.CharField(max_length=PLACE_LENGTH, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="unless it is used before")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=10, choices=EndReason.choices, blank=True, default="")

    objects = DeviceSessionQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("device session"), _("device sessions")
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

    @classmethod
    def of_token(cls, *, session_id: UUID, member_id: UUID) -> "DeviceSession | None":
        """The open session of this member's with its member, whose account is open; or None.

        Every call with a token asks this. To build the same query each time took Django more CPU
        time than all else about a token, so its text is kept: see `python -m bench auth`.
        """
        statement, order = _of_token()
        given: dict[Any, Any] = {_SESSION: session_id, _MEMBER: member_id, _NOW: timezone.now()}
        with connection.cursor() as cursor:
            cursor.execute(statement, [given[name] for name in order])
            row = cursor.fetchone()
        if row is None:
            return None
        of_session, of_member = _columns(cls), _columns(Member)
        session = cls.from_db(connection.alias, of_session, row[: len(of_session)])
        session.member = Member.from_db(connection.alias, of_member, row[len(of_session) :])
        return session


class RefreshToken(UUIDModel):
    """One link in a session's chain of refresh tokens; the table holds SHA-256 hashes."""

    session = models.ForeignKey(DeviceSession, on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("refresh token"), _("refresh tokens")
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
