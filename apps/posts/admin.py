"""Posts, comments and taxonomies, for operators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.common.admin import ReadOnly, SavesChangesOnly
from apps.media.thumbnail import thumbnail
from apps.posts.models import (
    Color,
    Comment,
    HousingType,
    Photo,
    Post,
    PostLike,
    Pyeong,
    Style,
)
from apps.posts.services.comments import remove_comment
from apps.posts.services.posts import delete_post


class PostForm(forms.ModelForm):
    """A post, its styles and colours to choose from."""

    styles = forms.TypedMultipleChoiceField(required=False, choices=lambda: _choices(Style))
    colors = forms.TypedMultipleChoiceField(required=False, choices=lambda: _choices(Color))

    def clean(self) -> dict[str, Any]:
        """A published post keeps what it needs."""
        values: dict[str, Any] = super().clean() or {}
        if self.instance.status == Post.Status.PUBLISHED:
            for name in ("title", "pyeong", "housing_type"):
                if name not in self.errors and not values.get(name):
                    self.add_error(name, "A published post needs this.")
        return values


def _choices(terms: type[Style] | type[Color]) -> list[tuple[str, str]]:
    return [(term.pk, term.name_ko) for term in terms.objects.all()]


class PhotoInline(admin.TabularInline):
    """The photos of a post, in order."""

    model = Photo
    extra = 0
    fields = ["picture", "position", "caption", "products"]
    readonly_fields = ["picture", "position", "products"]
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Photo]:
        """With the uploads: one query for all thumbnails."""
        return super().get_queryset(request).select_related("upload").order_by("position")

    @admin.display(description="")
    def picture(self, photo: Photo) -> SafeString | str:
        """The photo, small."""
        return thumbnail(photo.upload, height=96)

    def has_add_permission(self, request: HttpRequest, obj: Post | None = None) -> bool:
        """Photos come from phones."""
        return False


@admin.register(Post)
class PostAdmin(SavesChangesOnly):
    """Posts: to find, read and correct."""

    form = PostForm
    inlines = [PhotoInline]
    list_display = [
        "picture",
        "heading",
        "author",
        "status",
        "pyeong",
        "housing_type",
        "like_count",
        "comment_count",
        "published_at",
    ]
    list_display_links = ["picture", "heading"]
    list_filter = ["status", "pyeong", "housing_type", "published_at"]
    search_fields = ["title", "=author__username", "=id"]
    search_help_text = "title, username, post id"
    list_select_related = ["author", "cover__upload", "pyeong", "housing_type"]
    readonly_fields = [
        "author",
        "status",
        "cover",
        "photo_count",
        "like_count",
        "comment_count",
        "save_count",
        "published_at",
        "edited_at",
        "created_at",
        "version",
    ]
    show_full_result_count = False
    ordering = ["-id"]

    @admin.display(description="title", ordering="title")
    def heading(self, post: Post) -> SafeString:
        """The title on one line; a table would break Korean after every syllable."""
        return format_html('<span style="white-space: nowrap">{}</span>', post)

    @admin.display(description="")
    def picture(self, post: Post) -> SafeString | str:
        """The cover, small."""
        return thumbnail(post.cover.upload if post.cover else None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Posts come from phones."""
        return False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The posts alone: what hangs on them goes too, likes by the thousand."""
        return [str(post) for post in objs], {"posts": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Post) -> None:
        """As its author would: with the photos' files and the author's counter."""
        delete_post(post_id=obj.pk, member=obj.author)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        """One by one, as `delete_model`."""
        for post in queryset.select_related("author"):
            self.delete_model(request, post)


@admin.register(Comment)
class CommentAdmin(SavesChangesOnly):
    """Comments: to find, correct and delete."""

    list_display = ["content", "author", "post", "created_at", "edited_at"]
    search_fields = ["content", "=author__username", "=post__id"]
    list_select_related = ["author", "post"]
    readonly_fields = ["author", "post", "created_at", "edited_at", "version"]
    list_filter = ["created_at"]
    show_full_result_count = False
    ordering = ["-id"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Comments come from phones."""
        return False

    def delete_model(self, request: HttpRequest, obj: Comment) -> None:
        """As its author would: with the post's counter."""
        remove_comment(comment_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """One by one, as `delete_model`."""
        for comment in queryset:
            self.delete_model(request, comment)


@admin.register(PostLike)
class PostLikeAdmin(ReadOnly):
    """Likes are members' own acts, and counted."""

    list_display = ["member", "post", "created_at"]
    search_fields = ["=member__username", "=post__id"]
    list_select_related = ["member", "post"]
    ordering = ["-id"]


@admin.register(Pyeong, HousingType, Style, Color)
class TermAdmin(admin.ModelAdmin):
    """Taxonomies: names, order, and whether a word is still offered."""

    list_display = ["slug", "name_ko", "name_en", "position", "is_active"]
    list_editable = ["name_ko", "name_en", "position", "is_active"]
    search_fields = ["slug", "name_ko", "name_en"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A slug never changes: posts and apps hold it."""
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A word in use can't go; make it inactive."""
        return False
