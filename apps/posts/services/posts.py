"""Creating, changing, publishing and deleting posts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.errors import FieldError, InvalidInput
from apps.common.lookups import get_or_404
from apps.common.versions import require_version
from apps.media.services import attach_uploads, delete_uploads
from apps.members.models import Member
from apps.members.services.profile import count_posts
from apps.posts.errors import NotYours, PostAlreadyPublished
from apps.posts.models import Photo, Post


@dataclass(frozen=True)
class PhotoInput:
    """A photo as a request names it; `None` leaves what a photo of the post already has."""

    upload_id: UUID
    caption: str | None = None
    products: list[dict[str, Any]] | None = None


def create_post(
    *, author: Member, photos: Sequence[PhotoInput] = (), publish: bool = False, **fields: Any
) -> Post:
    """A new post of `author`.

    Args:
        fields: title, content, pyeong_id, housing_type_id, styles, colors.

    Raises:
        InvalidInput: it is to be published and something is missing.
        UploadNotFound and the like: see attach_uploads.
    """
    with transaction.atomic():
        post = Post.objects.create(author=author, **fields)
        _arrange_photos(post, photos)
        if publish:
            _publish(post)
        post.save()
    return post


def update_post(
    *, post_id: UUID, member: Member, changes: Mapping[str, Any], expected: frozenset[str] | None
) -> Post:
    """Change a post of the member's own; what `changes` leaves out stays.

    Args:
        changes: as the fields of create_post; `photos` are all photos in their new order, and
            `status` publishes.
        expected: the versions that `If-Match` accepts.

    Raises:
        NotFound, NotYours, Stale, PostAlreadyPublished
        InvalidInput: a published post would lack something.
        UploadNotFound and the like: see attach_uploads.
    """
    changes = dict(changes)
    photos = changes.pop("photos", None)
    status = changes.pop("status", None)
    with transaction.atomic():
        post = _lock_own(post_id, member)
        require_version(post.version, expected)
        was_published = post.status == Post.Status.PUBLISHED
        if was_published and status == Post.Status.DRAFT:
            raise PostAlreadyPublished
        for name, value in changes.items():
            setattr(post, name, value)
        if photos is not None:
            _arrange_photos(post, photos)
        if was_published:
            _require_complete(post)
            if changes or photos is not None:
                post.edited_at = timezone.now()
        elif status == Post.Status.PUBLISHED:
            _publish(post)
        post.version += 1
        post.save()
    return post


def delete_post(*, post_id: UUID, member: Member) -> None:
    """Delete a post of the member's own, with its photos' files; raises NotFound, NotYours."""
    with transaction.atomic():
        post = _lock_own(post_id, member)
        upload_ids = list(post.photos.values_list("upload_id", flat=True))
        was_published = post.status == Post.Status.PUBLISHED
        post.delete()
        delete_uploads(upload_ids=upload_ids)
        if was_published:
            count_posts(member_id=member.pk, by=-1)


def _lock_own(post_id: UUID, member: Member) -> Post:
    post = get_or_404(Post.objects.visible_to(member).select_for_update(of=("self",)), post_id)
    if post.author_id != member.pk:
        raise NotYours
    return post


def _publish(post: Post) -> None:
    _require_complete(post)
    post.status = Post.Status.PUBLISHED
    post.published_at = timezone.now()
    count_posts(member_id=post.author_id, by=1)


def _require_complete(post: Post) -> None:
    missing = [
        name
        for name, value in (
            ("title", post.title),
            ("pyeong", post.pyeong_id),
            ("housing_type", post.housing_type_id),
            ("photos", post.photo_count),
        )
        if not value
    ]
    if missing:
        text = _("A published post needs this.")
        raise InvalidInput(errors=[FieldError(f"/{name}", "required", text) for name in missing])


def _arrange_photos(post: Post, wanted: Sequence[PhotoInput]) -> None:
    """Make `wanted` the post's photos in this order: add new ones, delete those left out."""
    existing = {photo.upload_id: photo for photo in post.photos.all()}
    attach_uploads(
        owner_id=post.author_id,
        uploads={
            f"/photos/{index}/upload_id": item.upload_id
            for index, item in enumerate(wanted)
            if item.upload_id not in existing
        },
    )
    kept, added = [], []
    for position, item in enumerate(wanted):
        photo = existing.pop(item.upload_id, None)
        if photo:
            kept.append(photo)
        else:
            photo = Photo(upload_id=item.upload_id, post=post)
            added.append(photo)
        photo.position = position
        photo.caption = photo.caption if item.caption is None else item.caption
        photo.products = photo.products if item.products is None else item.products
    if existing:
        post.photos.filter(pk__in=existing).delete()
        delete_uploads(upload_ids=existing)
    Photo.objects.bulk_update(kept, ["position", "caption", "products"])
    Photo.objects.bulk_create(added)
    post.photo_count = len(wanted)
    post.cover_id = wanted[0].upload_id if wanted else None
