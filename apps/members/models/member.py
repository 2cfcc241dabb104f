"""Members."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Collate, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel
from apps.members.models.relations import exists_for

# Characters.
DISPLAY_NAME_LENGTH, BIO_LENGTH = 30, 300
# Names of a kind that one search looks at.
SEARCHED = 500
USERNAME_PATTERN = r"^[a-z0-9_.]{3,30}$"


class MemberQuerySet(models.QuerySet["Member"]):
    """Reads of members."""

    def visible_to(self, viewer: Any) -> "MemberQuerySet":
        """Everyone whose account is open and who exists for the viewer."""
        return self.filter(exists_for(viewer, "pk"), is_active=True)

    def search(self, viewer: Any, text: str) -> "MemberQuerySet":
        """Visible ones whose username or display name starts so, whatever the case.

        Of very many the first SEARCHED by name are looked at, on either side, so that one letter
        costs no more than a name. With `rank`, which is higher for a better match: 2 for that
        very username, 1 for one that starts so, 0 for a display name.
        """
        folded = text.lower()
        by_username = _starting(Collate("username", "C"), Value(folded))
        by_display_name = _starting(Collate(Upper("display_name"), "C"), Upper(Value(text)))
        itself = Member.objects.filter(username=folded).values("pk")
        rank = Case(
            When(username=folded, then=2),
            When(username__startswith=folded, then=1),
            default=0,
            output_field=models.IntegerField(),
        )
        found = itself.union(by_username, by_display_name)
        return self.visible_to(viewer).filter(pk__in=found).annotate(rank=rank)


def _starting(name: Collate, text: Any) -> "MemberQuerySet":
    members = Member.objects.alias(searched=name).filter(searched__startswith=text)
    found: MemberQuerySet = members.order_by("searched").values("pk")[:SEARCHED]
    return found


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

    username = models.CharField(_("username"), max_length=30, unique=True)
    display_name = models.CharField(_("display name"), max_length=DISPLAY_NAME_LENGTH)
    email = models.EmailField(_("e-mail address"), blank=True, default="")
    email_verified = models.BooleanField(_("address verified"), default=False)
    bio = models.CharField(_("bio"), max_length=BIO_LENGTH, blank=True, default="")
    avatar = models.OneToOneField(
        "media.Upload",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("picture"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.COMMON)
    locale = models.CharField(
        _("language"), max_length=2, choices=Locale.choices, default=Locale.KO
    )
    posts_count = models.PositiveIntegerField(_("posts"), default=0)
    followers_count = models.PositiveIntegerField(_("followers"), default=0)
    following_count = models.PositiveIntegerField(_("following"), default=0)
    # The newest versions of the texts that were agreed to, so that who writes is known to have
    # agreed without a query more. The rows of `consents` are the record.
    terms_agreed = models.CharField(
        _("terms agreed to"), max_length=20, blank=True, default="", db_default="", editable=False
    )
    privacy_agreed = models.CharField(
        _("privacy text agreed to"),
        max_length=20,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    # Blocks that the member made, and that were made of the member. The second is for operators
    # and for hides_anyone() alone: no answer of the API tells it.
    blocks_count = models.PositiveIntegerField(_("blocks made"), default=0, db_default=0)
    blocked_count = models.PositiveIntegerField(_("blocked by"), default=0, db_default=0)
    suspended_until = models.DateTimeField(_("suspended until"), null=True, blank=True)
    is_active = models.BooleanField(_("account is open"), default=True)
    # When a closed account was opened again. What it likes and wrote may be missing from counters
    # until a task has counted: see posts.services.counters.uncount.
    reopened_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_staff = models.BooleanField(_("operator"), default=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    version = models.PositiveIntegerField(_("version"), default=1)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    objects = MemberManager()

    class Meta:
        verbose_name, verbose_name_plural = _("member"), _("members")
        constraints = [
            # Lower case alone, so that the unique index knows no two spellings.
            models.CheckConstraint(
                condition=Q(username__regex=USERNAME_PATTERN), name="member_username_form"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["common", "designer"]), name="member_kind_known"
            ),
        ]
        indexes = [
            # GET /members?q=. Byte order is what a LIKE with a known beginning needs, whatever the
            # database's own order.
            models.Index(Collate("username", "C"), name="member_by_username"),
            models.Index(Collate(Upper("display_name"), "C"), name="member_by_display_name"),
            # POST /auth/password/reset: whose address it is, whatever its case.
            models.Index(Upper("email"), name="member_by_email", condition=Q(email_verified=True)),
        ]

    def __str__(self) -> str:
        return self.username

    def missing_consents(self) -> list[dict[str, str]]:
        """`kind` and current `version` of each required text that is still to be agreed to.

        It costs a query only where something is missing. Versions are dates, whose order is that
        of their texts; a newer one than this code knows is of a deploy that is under way.
        """
        current = settings.CONSENT_VERSIONS
        agreed = {"terms": self.terms_agreed, "privacy": self.privacy_agreed}
        missing = [kind for kind, version in agreed.items() if version < current[kind]]
        if missing:
            # The version of igloo that knew no such columns wrote rows alone.
            newest = self.consents.filter(kind__in=missing).order_by("kind", "-id").distinct("kind")
            there = {row.kind for row in newest if row.granted and row.version == current[row.kind]}
            missing = [kind for kind in missing if kind not in there]
        return [{"kind": kind, "version": current[kind]} for kind in missing]
