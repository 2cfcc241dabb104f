"""What the posts endpoints take."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.validators import URLValidator
from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.common.fields import PlainText, ShortList
from apps.posts.models import Color, HousingType, Post, Pyeong, Style
from apps.posts.models.comment import MAX_LENGTH
from apps.posts.models.post import CAPTION_LENGTH, CONTENT_LENGTH, MAX_PHOTOS, TITLE_LENGTH
from apps.posts.services.posts import PhotoInput

MAX_PRODUCTS = 20
# Styles or colours of one post: more than there are, with room for those that operators add.
MAX_TERMS = 30


class ProductIn(serializers.Serializer[Any]):
    """A product seen in a photo, at x, y from the top left, each from 0 to 1."""

    x = serializers.FloatField(min_value=0, max_value=1)
    y = serializers.FloatField(min_value=0, max_value=1)
    name = PlainText(max_length=100)
    brand = PlainText(max_length=100, required=False)
    url = PlainText(
        max_length=500, required=False, validators=[URLValidator(schemes=["http", "https"])]
    )
    price = serializers.IntegerField(
        min_value=0, max_value=1_000_000_000, required=False, help_text="KRW"
    )

    def validate_url(self, url: str) -> str:
        """One that leads where it seems to: https://shop.example@evil.example/ does not."""
        if "@" in urlsplit(url).netloc:
            raise serializers.ValidationError(URLValidator.message, code="invalid")
        return url


class PhotoIn(serializers.Serializer[Any]):
    """A photo of the post: an upload of one's own that is ready, used nowhere else.

    When a post is changed, a photo that it has already may be named by its `id` just as well.
    """

    upload_id = serializers.UUIDField(required=False)
    id = serializers.UUIDField(required=False)
    caption = PlainText(max_length=CAPTION_LENGTH, required=False, allow_blank=True)
    products = ShortList(child=ProductIn(), max_length=MAX_PRODUCTS, required=False)

    def to_internal_value(self, data: Any) -> PhotoInput:
        """A PhotoInput."""
        values = super().to_internal_value(data)
        photo_id = values.pop("id", None)
        upload_id = values.setdefault("upload_id", photo_id)
        if upload_id is None:
            message = self.fields["upload_id"].error_messages["required"]
            raise serializers.ValidationError({"upload_id": [message]}, code="required")
        if photo_id not in (None, upload_id):
            message = str(_("id and upload_id name different photos."))
            raise serializers.ValidationError({"id": [message]}, code="invalid")
        return PhotoInput(**values)


class PostIn(serializers.Serializer[Any]):
    """A post. Only a published one needs title, pyeong, housing_type and photos."""

    title = PlainText(max_length=TITLE_LENGTH, required=False, allow_blank=True)
    content = PlainText(max_length=CONTENT_LENGTH, required=False, allow_blank=True, multiline=True)
    pyeong = serializers.CharField(max_length=20, required=False, allow_null=True)
    housing_type = serializers.CharField(max_length=20, required=False, allow_null=True)
    styles = ShortList(
        child=serializers.CharField(max_length=20), max_length=MAX_TERMS, required=False
    )
    colors = ShortList(
        child=serializers.CharField(max_length=20), max_length=MAX_TERMS, required=False
    )
    photos = ShortList(child=PhotoIn(), max_length=MAX_PHOTOS, required=False)
    status = serializers.ChoiceField(choices=Post.Status.values, required=False)

    def validate_pyeong(self, slug: str | None) -> str | None:
        """A band that is offered."""
        return _offered(Pyeong, [slug])[0] if slug is not None else None

    def validate_housing_type(self, slug: str | None) -> str | None:
        """A housing type that is offered."""
        return _offered(HousingType, [slug])[0] if slug is not None else None

    def validate_styles(self, slugs: list[str]) -> list[str]:
        """Styles that are offered, each once."""
        return _offered(Style, slugs, many=True)

    def validate_colors(self, slugs: list[str]) -> list[str]:
        """Colours that are offered, each once."""
        return _offered(Color, slugs, many=True)

    def validate_photos(self, photos: list[PhotoInput]) -> list[PhotoInput]:
        """Each photo once."""
        seen: set[object] = set()
        errors: list[Any] = [{} for _photo in photos]
        for index, photo in enumerate(photos):
            if photo.upload_id in seen:
                message = str(_("This photo is here twice."))
                errors[index] = {"upload_id": [serializers.ErrorDetail(message, code="duplicate")]}
            seen.add(photo.upload_id)
        if any(errors):
            raise serializers.ValidationError(errors)
        return photos

    def changes(self) -> dict[str, Any]:
        """The validated input under the names that the services use."""
        names = {"pyeong": "pyeong_id", "housing_type": "housing_type_id"}
        return {names.get(name, name): value for name, value in self.validated_data.items()}


def _offered(terms: type[Model], slugs: Sequence[str], many: bool = False) -> list[str]:
    known = set(
        terms._default_manager.filter(pk__in=slugs, is_active=True).values_list("pk", flat=True)
    )
    message = _("There is no such value.")
    errors: list[Any] = [
        [] if slug in known else [serializers.ErrorDetail(str(message), code="invalid_choice")]
        for slug in slugs
    ]
    if any(errors):
        raise serializers.ValidationError(errors if many else errors[0])
    return list(dict.fromkeys(slugs))


class CommentIn(serializers.Serializer[Any]):
    """A comment."""

    content = PlainText(max_length=MAX_LENGTH, multiline=True)
