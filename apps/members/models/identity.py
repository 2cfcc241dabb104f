"""Logins at other providers, and what keeps each of them from being used twice."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel
from apps.members.models.member import Member

# Characters.
SUBJECT_LENGTH, SHA256_HEX = 255, 64


class Provider(models.TextChoices):
    """Whom members can log in with."""

    KAKAO = "kakao", _("Kakao")
    APPLE = "apple", "Apple"
    GOOGLE = "google", "Google"
    FACEBOOK = "facebook", "Facebook"
    NAVER = "naver", _("Naver")


class SocialIdentityQuerySet(models.QuerySet["SocialIdentity"]):
    """Reads of identities."""

    def visible_to(self, viewer: Any) -> "SocialIdentityQuerySet":
        """The viewer's own."""
        return self.filter(member_id=viewer.pk)


class SocialIdentity(UUIDModel):
    """Who a member is at a provider: the one thing that a social login is looked up by.

    Never by e-mail: an address can be given up and taken by another, and providers differ in
    whether they checked it.
    """

    member = models.ForeignKey(
        Member,
        on_delete=models.CASCADE,
        related_name="identities",
        db_index=False,
        verbose_name=_("member"),
    )
    provider = models.CharField(_("provider"), max_length=10, choices=Provider.choices)
    subject = models.CharField(
        _("id at the provider"), max_length=SUBJECT_LENGTH, help_text="the provider's id of them"
    )
    # Apple's alone, encrypted: to revoke it. It is of this client.
    refresh_token = models.TextField(blank=True, default="")
    client_id = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(_("linked at"), auto_now_add=True)

    objects = SocialIdentityQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("social identity"), _("social identities")
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="social_identity_once"),
            # Also finds a member's identities.
            models.UniqueConstraint(fields=["member", "provider"], name="social_identity_each"),
            models.CheckConstraint(
                condition=Q(provider__in=["kakao", "apple", "google", "facebook", "naver"]),
                name="social_identity_provider_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.subject}"


class SocialNonce(models.Model):
    """A nonce that was given out and not used yet; the table holds its SHA-256."""

    digest = models.CharField(max_length=SHA256_HEX, primary_key=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("social nonce"), _("social nonces")
        # Pruning.
        indexes = [models.Index(fields=["expires_at"], name="social_nonce_expires")]


class SpentCredential(models.Model):
    """A token or code of a provider that logged somebody in, until it works nowhere any more."""

    digest = models.CharField(max_length=SHA256_HEX, primary_key=True)
    # Whoever it was: linking again with the same one is a retry.
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("spent credential"), _("spent credentials")
        # Pruning.
        indexes = [models.Index(fields=["expires_at"], name="spent_credential_expires")]


class PendingUnlink(UUIDModel):
    """A provider that has yet to be told that somebody is gone. Deleted when it knows."""

    provider = models.CharField(max_length=10, choices=Provider.choices)
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    # As in SocialIdentity: encrypted.
    refresh_token = models.TextField(blank=True, default="")
    client_id = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("pending unlink"), _("pending unlinks")


class ProviderNotice(UUIDModel):
    """A provider told us that somebody wants to have nothing to do with igloo any more."""

    provider = models.CharField(max_length=10, choices=Provider.choices)
    event = models.CharField(max_length=40)
    # Of what was sent, so that the same notice again is known. Null where nothing tells two apart.
    digest = models.CharField(max_length=SHA256_HEX, null=True, blank=True, unique=True)
    # Null: nobody here, or somebody who has been erased since.
    member = models.ForeignKey(
        Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Their last way in is gone: the account was left with it.
    leaves = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("provider notice"), _("provider notices")

    def __str__(self) -> str:
        return f"{self.provider} {self.event}"
