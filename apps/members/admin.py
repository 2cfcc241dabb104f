"""Members, devices and consents, for operators."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.common.addresses import source_of
from apps.common.admin import ReadOnly, SavesChangesOnly
from apps.common.errors import Throttled
from apps.common.throttles import address_of, count_call
from apps.media.thumbnail import thumbnail
from apps.members.models import (
    Block,
    Consent,
    ConsentNotice,
    DeviceSession,
    Export,
    Follow,
    Leaving,
    Member,
    Mute,
    PendingUnlink,
    ProviderNotice,
    RefreshToken,
    RetainedRecord,
    SocialIdentity,
)
from apps.members.services.account_state import set_open
from apps.members.services.passwords import reset_password
from apps.members.services.suspensions import follow_suspension


class LoginForm(AdminAuthenticationForm):
    """The admin's login, with a limit on guesses from one address."""

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError past the limit."""
        try:
            source = source_of(address_of(self.request)) if self.request else ""
            count_call("admin_login", source)
        except Throttled as error:
            raise ValidationError(str(error.text), code=error.code) from error
        return super().clean()


admin.site.login_form = LoginForm


class PasswordForm(AdminPasswordChangeForm):
    """Sets a member's password and ends their sessions, touching nothing else of the row."""

    def save(self, commit: bool = True) -> Member:
        """The member."""
        member: Member = self.user
        if self.cleaned_data["set_usable_password"]:
            reset_password(member=member, new_password=self.cleaned_data["password1"])
        else:
            reset_password(member=member, new_password=None)
        return member


class ConsentInline(admin.TabularInline):
    """What a member consented to: to read, never to change."""

    model = Consent
    extra = 0
    can_delete = False
    exclude = ["session_id"]
    readonly_fields = [
        "kind",
        "version",
        "granted",
        "device_name",
        "device_platform",
        "created_at",
    ]

    def has_add_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """A consent is the member's own act."""
        return False


_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


@admin.register(Member)
class MemberAdmin(SavesChangesOnly, UserAdmin):
    """Members and operators."""

    add_form = AdminUserCreationForm
    change_password_form = PasswordForm
    inlines = [ConsentInline]
    list_display = [
        "picture",
        "username",
        "display_name",
        "kind",
        "posts_count",
        "followers_count",
        "blocked_count",
        "suspended_until",
        "is_staff",
        "created_at",
    ]
    list_display_links = ["picture", "username"]
    list_filter = ["kind", "is_active", "is_staff", ("suspended_until", admin.EmptyFieldListFilter)]
    search_fields = ["username", "display_name", "=email"]
    list_select_related = ["avatar"]
    ordering = ["-created_at"]
    readonly_fields = [
        "avatar",
        "posts_count",
        "followers_count",
        "following_count",
        "blocks_count",
        "blocked_count",
        "created_at",
        "last_login",
        "version",
        "terms_agreed",
        "privacy_agreed",
    ]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["username", "password", "display_name", "bio", "kind"]}),
        (_("Contact"), {"fields": ["email", "email_verified", "locale"]}),
        (_("State"), {"fields": ["is_active", "suspended_until", *readonly_fields]}),
        (
            _("Operator"),
            {"fields": _RIGHTS},
        ),
    ]
    add_fieldsets = [
        (
            None,
            {"fields": ["username", "display_name", "usable_password", "password1", "password2"]},
        )
    ]

    @admin.display(description="")
    def picture(self, member: Member) -> SafeString | str:
        """The avatar, small."""
        return thumbnail(member.avatar, height=32)

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """An operator's account is for superusers: a new password or address of it is a way in."""
        is_allowed = super().has_change_permission(request, obj)
        return is_allowed and (obj is None or not obj.is_staff or _is_superuser(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        """Rights are given by superusers: who may change members could give themselves all."""
        rights = () if _is_superuser(request) else _RIGHTS
        return [*super().get_readonly_fields(request, obj), *rights]

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Members leave by themselves."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """Opening and closing an account is more than a column."""
        is_changed = change and "is_active" in form.changed_data
        if is_changed and not set_open(member=obj, is_open=obj.is_active):
            obj.is_active = False
            self.message_user(request, _("The account is being erased."), messages.ERROR)
        super().save_model(request, obj, form, change)
        if change and "suspended_until" in form.changed_data:
            follow_suspension(member=obj)


@admin.register(DeviceSession)
class DeviceSessionAdmin(ReadOnly):
    """Logins on devices. Changing the member's password ends them all."""

    list_display = ["id", "member", "name", "platform", "app_version", "last_used_at", "end_reason"]
    list_filter = ["platform", "end_reason"]
    search_fields = ["=id", "=member__username"]
    list_select_related = ["member"]


@admin.register(RefreshToken)
class RefreshTokenAdmin(ReadOnly):
    """The chains of refresh tokens; of the tokens themselves the table knows hashes alone."""

    list_display = ["id", "session", "created_at", "spent_at"]
    search_fields = ["=id", "=session__id", "=session__member__username"]
    list_select_related = ["session"]


@admin.register(SocialIdentity)
class SocialIdentityAdmin(ReadOnly):
    """Members' logins at providers. They are linked and unlinked by members alone."""

    list_display = ["member", "provider", "subject", "created_at"]
    list_filter = ["provider"]
    search_fields = ["=member__username", "=subject"]
    list_select_related = ["member"]
    # Encrypted, and nobody's business.
    exclude = ["refresh_token"]


@admin.register(ProviderNotice)
class ProviderNoticeAdmin(ReadOnly):
    """What providers told: who is waiting to be erased."""

    list_display = ["provider", "event", "member", "leaves", "created_at"]
    list_filter = ["provider", "leaves"]
    search_fields = ["=id", "=member__username"]
    list_select_related = ["member"]


@admin.register(PendingUnlink)
class PendingUnlinkAdmin(ReadOnly):
    """Providers that have yet to be told that somebody is gone."""

    list_display = ["provider", "subject", "created_at"]
    list_filter = ["provider"]
    exclude = ["refresh_token"]


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """The record of consents; rows are only ever added, by members."""

    list_display = ["member", "kind", "version", "granted", "device_platform", "created_at"]
    list_filter = ["kind", "granted", "created_at"]
    search_fields = ["=member__username"]
    list_select_related = ["member"]


@admin.register(ConsentNotice)
class ConsentNoticeAdmin(ReadOnly):
    """What members were told of their consents. Without a `told_at` the mail did not go out."""

    list_display = ["consent", "reason", "channel", "queued_at", "told_at"]
    list_filter = ["reason", "channel", ("told_at", admin.EmptyFieldListFilter), "created_at"]
    search_fields = ["=consent__member__username"]
    list_select_related = ["consent"]


@admin.register(Leaving)
class LeavingAdmin(ReadOnly):
    """Who has left and can still come back. To keep one, make the member active."""

    list_display = ["member", "left_at", "erase_at", "closed_at", "erasing_since", "emptied_at"]
    list_filter = ["erase_at"]
    search_fields = ["=member__username"]
    list_select_related = ["member"]
    actions = ["close"]

    @admin.action(description=_("Close: they can't come back"), permissions=["close"])
    def close(self, request: HttpRequest, queryset: QuerySet[Leaving]) -> None:
        """Members who are leaving are closed already, so the form of a member can't do it."""
        chosen = [row.member for row in queryset.select_related("member")]
        closed = [member for member in chosen if set_open(member=member, is_open=False)]
        for member in closed:
            self.log_change(request, member, gettext("Closed while leaving: no way back."))
        if closed:
            self.message_user(request, _("They can't come back any more."), messages.SUCCESS)
        if len(closed) < len(chosen):
            self.message_user(request, _("The account is being erased."), messages.ERROR)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """For the action: who may close any account."""
        return request.user.has_perm("members.change_member")


@admin.register(RetainedRecord)
class RetainedRecordAdmin(ReadOnly):
    """What is kept of members who were erased; docs/leaving.md says why."""

    list_display = ["id", "kind", "basis", "created_at", "delete_at"]
    list_filter = ["kind", "delete_at"]
    search_fields = ["=source_id"]


@admin.register(Export)
class ExportAdmin(ReadOnly):
    """Members' exports. The files are theirs alone: no link is given here."""

    list_display = ["id", "member", "status", "size", "created_at", "expires_at"]
    list_filter = ["status"]
    search_fields = ["=id", "=member__username"]
    list_select_related = ["member"]


@admin.register(Follow)
class FollowAdmin(ReadOnly):
    """Who follows whom: members' own acts, and counted."""

    list_display = ["follower", "followed", "created_at"]
    search_fields = ["=follower__username", "=followed__username"]
    list_select_related = ["follower", "followed"]
    ordering = ["-id"]


@admin.register(Block)
class BlockAdmin(ReadOnly):
    """Who blocks whom: for moderators, who tell nobody."""

    list_display = ["blocker", "blocked", "created_at"]
    search_fields = ["=blocker__username", "=blocked__username"]
    list_select_related = ["blocker", "blocked"]
    ordering = ["-id"]


@admin.register(Mute)
class MuteAdmin(ReadOnly):
    """Who mutes whom."""

    list_display = ["muter", "muted", "created_at"]
    search_fields = ["=muter__username", "=muted__username"]
    list_select_related = ["muter", "muted"]
    ordering = ["-id"]
