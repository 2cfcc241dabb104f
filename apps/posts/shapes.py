"""What posts look like in an answer: the documented classes, and the functions that make them.

Hot reads are made from `.values()` rows, not through the classes; a test holds the two together.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.media.shapes import PaletteColorOut, RenditionOut, rendition_list
from apps.members.models.relations import without_hidden
from apps.members.shapes import AuthorOut, author_shape
from apps.posts.models import Photo, Post
from apps.posts.models.post import AUTHOR_COLUMNS

_EXCERPT = 100


class ProductOut(serializers.Serializer[Any]):
    """A product seen in a photo."""

    x = serializers.FloatField()
    y = serializers.FloatField()
    name = serializers.CharField()
    brand = serializers.CharField(required=False)
    url = serializers.URLField(required=False)
    price = serializers.IntegerField(required=False, help_text="KRW")


class PhotoOut(serializers.Serializer[Any]):
    """A photo of a post."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    caption = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField(help_text="px")
    height = serializers.IntegerField(help_text="px")
    blurhash = serializers.CharField()
    palette = PaletteColorOut(many=True)
    renditions = RenditionOut(many=True)
    products = ProductOut(many=True)


class CardOut(serializers.Serializer[Any]):
    """A post in a list."""

    id = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)
    excerpt = serializers.CharField(allow_blank=True)
    author = AuthorOut()
    cover = PhotoOut(allow_null=True, help_text="null for a draft without photos")
    photo_count = serializers.IntegerField()
    pyeong = serializers.CharField(allow_null=True)
    housing_type = serializers.CharField(allow_null=True)
    styles = serializers.ListField(child=serializers.CharField())
    colors = serializers.ListField(child=serializers.CharField())
    like_count = serializers.IntegerField()
    comment_count = serializers.IntegerField()
    save_count = serializers.IntegerField()
    liked_by_me = serializers.BooleanField()
    saved_by_me = serializers.BooleanField()
    published_at = serializers.DateTimeField(allow_null=True)


class PostOut(CardOut):
    """A post by itself."""

    content = serializers.CharField(allow_blank=True)
    photos = PhotoOut(many=True)
    status = serializers.ChoiceField(choices=Post.Status.values)
    edited_at = serializers.DateTimeField(allow_null=True)
    share_url = serializers.URLField()


class CommentOut(serializers.Serializer[Any]):
    """A comment."""

    id = serializers.UUIDField()
    author = AuthorOut()
    content = serializers.CharField()
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    like_count = serializers.IntegerField()
    liked_by_me = serializers.BooleanField()
    reply_count = serializers.IntegerField()
    parent_id = serializers.UUIDField(allow_null=True)


class TermOut(serializers.Serializer[Any]):
    """A word of a taxonomy, in the caller's language."""

    slug = serializers.CharField()
    name = serializers.CharField()


class TaxonomiesOut(serializers.Serializer[Any]):
    """Every word that describes a home; the keys are the names of the filters."""

    pyeong = TermOut(many=True)
    housing_type = TermOut(many=True)
    style = TermOut(many=True)  # type: ignore[assignment]
    color = TermOut(many=True)


def card(row: dict[str, Any], base: str) -> dict[str, Any]:
    """A post in a list, from a row of `Post.objects.for_cards()`; `base` goes before media keys."""
    return {
        "id": row["id"],
        "title": row["title"],
        "excerpt": _excerpt(row["opening"]),
        "author": author_shape(row, "author", base),
        "cover": _cover(row, base) if row["cover_id"] else None,
        "photo_count": row["photo_count"],
        "pyeong": row["pyeong_id"],
        "housing_type": row["housing_type_id"],
        "styles": row["styles"],
        "colors": row["colors"],
        # What is hidden was counted for those viewers alone who don't see everybody.
        "like_count": without_hidden(row["like_count"], row.get("hidden_likes", 0)),
        "comment_count": without_hidden(row["comment_count"], row.get("hidden_comments", 0)),
        "save_count": row["save_count"],
        "liked_by_me": row["liked"],
        # There are no boards in this version.
        "saved_by_me": False,
        "published_at": row["published_at"],
    }


def _excerpt(opening: str) -> str:
    words = " ".join(opening.split())
    return words if len(words) <= _EXCERPT else words[: _EXCERPT - 1].rstrip() + "…"


def _cover(row: dict[str, Any], base: str) -> dict[str, Any]:
    return {
        "id": row["cover_id"],
        "position": 0,
        "caption": row["cover__caption"],
        "width": row["cover__upload__width"],
        "height": row["cover__upload__height"],
        "blurhash": row["cover__upload__blurhash"],
        "palette": row["cover__upload__palette"],
        "renditions": rendition_list(row["cover__upload__renditions"], base),
        "products": row["cover__products"],
    }


def photo(photo: Photo, base: str) -> dict[str, Any]:
    """A photo of a post, its upload loaded."""
    upload = photo.upload
    return {
        "id": photo.pk,
        "position": photo.position,
        "caption": photo.caption,
        "width": upload.width,
        "height": upload.height,
        "blurhash": upload.blurhash,
        "palette": upload.palette,
        "renditions": rendition_list(upload.renditions, base),
        "products": photo.products,
    }


def post_alone(row: dict[str, Any], photos: Iterable[Photo], base: str) -> dict[str, Any]:
    """A post by itself, from a row of `Post.objects.for_pages()` and its photos in order."""
    shown = [photo(item, base) for item in photos]
    return card(row, base) | {
        # Of the photos that are shown: they are read after the row, and may have changed since.
        "cover": shown[0] if shown else None,
        "photo_count": len(shown),
        "content": row["content"],
        "photos": shown,
        "status": row["status"],
        "edited_at": row["edited_at"],
        "share_url": f"{settings.PUBLIC_BASE_URL}/p/{row['id']}",
    }


COMMENT_COLUMNS = ("id", "content", "created_at", "edited_at", *AUTHOR_COLUMNS)


def comment(row: dict[str, Any], base: str) -> dict[str, Any]:
    """A comment, from a row of COMMENT_COLUMNS."""
    return {
        "id": row["id"],
        "author": author_shape(row, "author", base),
        "content": row["content"],
        "created_at": row["created_at"],
        "edited_at": row["edited_at"],
        # Comments have no likes and no replies in this version.
        "like_count": 0,
        "liked_by_me": False,
        "reply_count": 0,
        "parent_id": None,
    }
