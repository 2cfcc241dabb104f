"""Members, devices and consents, for operators."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.http import HttpRequest
from django.utils.safestring import SafeString

from apps.media.thumbnail import thumbnail
from apps.members.models import Consent, DeviceSession, Member


class ConsentInline(admin.TabularInline):
    """What a member consented to: to read, never to change."""

    model = Consent
    extra = 0
    can_delete = False
    readonly_fields = ["kind", "version", "granted", "created_at"]

    def has_add_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """A consent is the member's own act."""
        return False


@admin.register(Member)
class MemberAdmin(UserAdmin):
    """Members and operators."""

    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [ConsentInline]
    list_display = [
        "picture",
        "username",
        "display_name",
        "kind",
        "posts_count",
        "followers_count",
        "suspended_until",
        "is_staff",
        "created_at",
    ]
    list_display_links = ["picture", "username"]
    list_filter = ["kind", "is_active", "is_staff", ("suspended_until", admin.EmptyFieldListFilter)]
    search_fields = ["username", "display_name", "=email"]
    list_select_related = ["avatar"]
    ordering = ["-created_at"]
    raw_id_fields = ["avatar"]
    readonly_fields = [
        "posts_count",
        "followers_count",
        "following_count",
        "created_at",
        "last_login",
        "version",
    ]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["username", "password", "display_name", "bio", "avatar", "kind"]}),
        ("Contact", {"fields": ["email", "email_verified", "locale"]}),
        ("State", {"fields": ["is_active", "suspended_until", *readonly_fields]}),
        (
            "Operator",
            {"fields": ["is_staff", "is_superuser", "groups", "user_permissions"]},
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

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Members leave by themselves; until they can, make the account inactive."""
        return False


@admin.register(DeviceSession)
class DeviceSessionAdmin(admin.ModelAdmin):
    """Logins on devices."""

    list_display = ["id", "member", "name", "platform", "app_version", "last_used_at", "end_reason"]
    list_filter = ["platform", "end_reason"]
    search_fields = ["=id", "=member__username"]
    list_select_related = ["member"]
    raw_id_fields = ["member"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only a login makes one."""
        return False


@admin.register(Consent)
class ConsentAdmin(admin.ModelAdmin):
    """The record of consents: to read, never to change."""

    list_display = ["member", "kind", "version", "granted", "created_at"]
    list_filter = ["kind", "granted", "version"]
    search_fields = ["=member__username"]
    list_select_related = ["member"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A consent is the member's own act."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        """Rows are only ever added."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        """Rows are only ever added."""
        return False
