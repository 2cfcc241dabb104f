"""A post of a home, its photos, and who likes it."""

import functools
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import BooleanField, F, FilteredRelation, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Left
from django.utils.translation import gettext_lazy as _

from apps.common.models import JSONField, UUIDModel
from apps.media.models import Upload
from apps.members.models.relations import exists_for, exists_unmuted_for, hidden_rows, hides_anyone
from apps.posts.models.taxonomy import HousingType, Pyeong

# Characters.
TITLE_LENGTH, CONTENT_LENGTH, CAPTION_LENGTH = 50, 2000, 200
MAX_PHOTOS = 20
# Characters of the content that a card may need for its excerpt.
EXCERPT_SOURCE = 160


_PUBLISHED = Q(status="published", author__is_active=True)


class PostQuerySet(models.QuerySet["Post"]):
    """Reads of posts."""

    def published_to(self, viewer: Any) -> "PostQuerySet":
        """Published ones of open accounts that exist for the viewer."""
        return self.filter(_PUBLISHED, exists_for(viewer, "author_id"))

    def listed_for(self, viewer: Any) -> "PostQuerySet":
        """What lists of everybody's posts show: as published_to, without who the viewer mutes."""
        return self.filter(_PUBLISHED, exists_unmuted_for(viewer, "author_id"))

    def visible_to(self, viewer: Any) -> "PostQuerySet":
        """As published_to, and the viewer's own drafts."""
        if not viewer.is_authenticated:
            return self.published_to(viewer)
        theirs = _PUBLISHED & exists_for(viewer, "author_id")
        return self.filter(theirs | Q(author_id=viewer.pk))

    def drafts_of(self, member: Any) -> "PostQuerySet":
        """A member's own drafts."""
        return self.filter(status=Post.Status.DRAFT, author_id=member.pk)

    def liked_by(self, viewer: Any) -> "PostQuerySet":
        """With `liked`: whether the viewer likes it."""
        if not viewer.is_authenticated:
            return self.annotate(liked=Value(False, output_field=BooleanField()))
        # Not Exists(): PostgreSQL, which overlooks the LIMIT of a page when it plans that, hashes
        # all likes of the viewer for each page. A scalar subquery is looked up row by row.
        likes = PostLike.objects.filter(post_id=OuterRef("pk"), member_id=viewer.pk)
        mine = Subquery(likes.values(one=Value(True))[:1], output_field=BooleanField())
        return self.annotate(liked=Coalesce(mine, Value(False)))

    def liked_cards(self, viewer: Any) -> Any:
        """Cards of what the viewer likes, with `like_id`, which tells the order of liking."""
        mine = FilteredRelation("likes", condition=Q(likes__member_id=viewer.pk))
        rows: Any = (
            self.published_to(viewer)
            .annotate(mine=mine)
            .filter(mine__isnull=False)
            .annotate(like_id=F("mine__id"), liked=Value(True, output_field=BooleanField()))
            ._card_rows("like_id")
        )
        return rows.with_hidden_counts(viewer)

    def with_hidden_counts(self, viewer: Any) -> Any:
        """With how many of the likes and comments are of those hidden from the viewer, for those
        viewers alone who don't see everybody."""
        if not hides_anyone(viewer):
            return self
        # It imports this module.
        from apps.posts.models.comment import Comment

        return self.annotate(
            hidden_likes=hidden_rows(viewer, PostLike, of="post_id", by="member_id"),
            hidden_comments=hidden_rows(viewer, Comment, of="post_id", by="author_id"),
        )

    def _card_rows(self, *more: str) -> "models.QuerySet[Post, dict[str, Any]]":
        return self.annotate(opening=Left("content", EXCERPT_SOURCE)).values(*CARD_COLUMNS, *more)


class PostManager(models.Manager.from_queryset(PostQuerySet)):  # type: ignore[misc]
    """Where reads of posts begin."""

    def for_cards(self, viewer: Any) -> Any:
        """Rows for `shapes.card`, cover and author included: one query. Filters follow."""
        return _rows().liked_by(viewer).with_hidden_counts(viewer)

    def for_pages(self, viewer: Any) -> Any:
        """Rows for `shapes.post_alone`: a card's columns, and what only a post alone shows."""
        return (
            _rows("content", "status", "edited_at", "version")
            .liked_by(viewer)
            .with_hidden_counts(viewer)
        )


@functools.cache
def _rows(*more: str) -> Any:
    """A query that names a card's columns but `liked`. Made once, since finding each column through
    its joins takes Django a fifth of the time that a page takes; what is added, is to a copy."""
    columns = [name for name in CARD_COLUMNS if name != "liked"]
    return Post.objects.annotate(opening=Left("content", EXCERPT_SOURCE)).values(*columns, *more)


class Post(UUIDModel):
    """A home, described in words and shown in 1 to 20 photos; a draft may lack anything."""

    class Status(models.TextChoices):
        """A published post does not go back to draft."""

        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="posts", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    title = models.CharField(max_length=TITLE_LENGTH, blank=True, default="")
    content = models.TextField(max_length=CONTENT_LENGTH, blank=True, default="")
    pyeong = models.ForeignKey(
        Pyeong, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    housing_type = models.ForeignKey(
        HousingType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    # Slugs, not joins: they are read with every card. See docs/adr/0005-slugs-in-arrays.md.
    styles = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    colors = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    cover = models.ForeignKey(
        "posts.Photo", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    photo_count = models.PositiveSmallIntegerField(default=0)
    like_count = models.PositiveIntegerField(default=0)
    comment_count = models.PositiveIntegerField(default=0)
    save_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = PostManager()

    class Meta:
        verbose_name, verbose_name_plural = _("post"), _("posts")
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft", published_at__isnull=True)
                | (
                    Q(
                        status="published",
                        published_at__isnull=False,
                        pyeong__isnull=False,
                        housing_type__isnull=False,
                        photo_count__gte=1,
                    )
                    & ~Q(title="")
                ),
                name="post_published_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(photo_count__lte=MAX_PHOTOS), name="post_at_most_20_photos"
            ),
        ]
        indexes = [
            # GET /posts without a filter.
            models.Index(
                fields=["-published_at", "-id"],
                condition=Q(status="published"),
                name="post_latest",
            ),
            # GET /posts?housing_type=
            models.Index(
                fields=["housing_type", "-published_at", "-id"],
                condition=Q(status="published"),
                name="post_latest_by_housing_type",
            ),
            # GET /posts?pyeong=
            models.Index(
                fields=["pyeong", "-published_at", "-id"],
                condition=Q(status="published"),
                name="post_latest_by_pyeong",
            ),
            # GET /posts?author=, and a member's page. Drafts too: it also serves the foreign key.
            models.Index(fields=["author", "-published_at", "-id"], name="post_latest_by_author"),
            # GET /me/drafts.
            models.Index(fields=["author", "-id"], condition=Q(status="draft"), name="post_drafts"),
            # GET /posts?style= and ?color=, where few posts match.
            GinIndex(fields=["styles"], name="post_styles"),
            GinIndex(fields=["colors"], name="post_colors"),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)


class PhotoQuerySet(models.QuerySet["Photo"]):
    """Reads of photos."""

    def of_post(self, post_id: UUID) -> "PhotoQuerySet":
        """A post's photos in order, uploads loaded."""
        return self.filter(post_id=post_id).select_related("upload").order_by("position")


class Photo(models.Model):
    """A photo of a post. Its id is its upload's, so an upload is in one post at most.

    `products` is `[{"x", "y", "name", "brand"?, "url"?, "price"?}]`: x and y from 0 to 1 from
    the top left, price in KRW.
    """

    upload = models.OneToOneField(
        Upload,
        on_delete=models.RESTRICT,
        primary_key=True,
        related_name="photo",
        # It is the photo's identity; and only so does an admin's form carry it along.
        editable=False,
    )
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="photos", db_index=False)
    position = models.PositiveSmallIntegerField()
    caption = models.CharField(max_length=CAPTION_LENGTH, blank=True, default="")
    products = JSONField(default=list, blank=True)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("photo"), _("photos")
        constraints = [
            # Deferred: photos change places within a transaction. Serves the photos of a post.
            models.UniqueConstraint(
                fields=["post", "position"],
                name="photo_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return f"photo {self.position + 1}"


class PostLikeQuerySet(models.QuerySet["PostLike"]):
    """Reads of likes."""

    def visible_to(self, viewer: Any) -> "PostLikeQuerySet":
        """Those of open accounts that exist for the viewer; the caller has found the post."""
        return self.filter(exists_for(viewer, "member_id"), member__is_active=True)


class PostLike(UUIDModel):
    """A member likes a post."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="likes", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PostLikeQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("like"), _("likes")
        constraints = [
            # Also answers liked_by_me.
            models.UniqueConstraint(fields=["post", "member"], name="post_like_once"),
        ]
        indexes = [
            # GET /me/likes.
            models.Index(fields=["member", "-id"], name="post_like_by_member"),
            # GET /posts/{id}/likes.
            models.Index(fields=["post", "-id"], name="post_like_by_post"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} likes {self.post_id}"


AUTHOR_COLUMNS = (
    "author_id",
    "author__username",
    "author__display_name",
    "author__avatar__renditions",
)
_COVER_COLUMNS = (
    "cover_id",
    "cover__caption",
    "cover__products",
    "cover__upload__width",
    "cover__upload__height",
    "cover__upload__blurhash",
    "cover__upload__palette",
    "cover__upload__renditions",
)
CARD_COLUMNS = (
    "id",
    "title",
    "opening",
    "pyeong_id",
    "housing_type_id",
    "styles",
    "colors",
    "photo_count",
    "like_count",
    "comment_count",
    "save_count",
    "published_at",
    "liked",
    *AUTHOR_COLUMNS,
    *_COVER_COLUMNS,
)
