"""What of a member is in posts, likes and comments: counting, erasing and exporting it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.common.batches import in_batches
from apps.members.models import Member
from apps.members.services.belongings import Belonging, register
from apps.members.services.operator_log import move_log_of
from apps.members.services.own_belongings import photo_name
from apps.members.services.profile import count_posts
from apps.posts.models import Comment, Photo, Post, PostLike
from apps.posts.services.counters import lock_posts, recount_locked_posts

# Posts of one transaction. Who likes or comments on one of them waits until it ends.
_BATCH = 200
# A post's own likes, comments and photos go with it.
_POSTS = 20
_BEFORE_ALL = UUID(int=0)


def _recount_likes(member_id: UUID) -> None:
    _post_by_post(PostLike.objects.filter(member_id=member_id), lambda rows: None)


def _recount_comments(member_id: UUID) -> None:
    _post_by_post(Comment.objects.filter(author_id=member_id), lambda rows: None)


def _erase_likes(member: Member) -> None:
    def erase(rows: QuerySet[Any]) -> None:
        move_log_of(rows, member=member)
        rows.delete()

    _post_by_post(PostLike.objects.filter(member=member), erase)


def _erase_comments(member: Member) -> None:
    def erase(rows: QuerySet[Any]) -> None:
        move_log_of(rows, member=member)
        rows.delete()

    _post_by_post(Comment.objects.filter(author=member), erase)


def _post_by_post(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], None]) -> None:
    """Change a member's rows post by post, and count again on each of these posts."""
    after = _BEFORE_ALL
    while True:
        with transaction.atomic():
            post_ids = list(
                rows.filter(post_id__gt=after)
                .order_by("post_id")
                .values_list("post_id", flat=True)
                .distinct()[:_BATCH]
            )
            posts = lock_posts(post_ids)
            change(rows.filter(post_id__in=post_ids))
            recount_locked_posts(posts)
        if len(post_ids) < _BATCH:
            return
        after = post_ids[-1]


def _erase_posts(member: Member) -> None:
    """With others' likes and comments of them. Their photos' files go with the uploads, later."""
    while True:
        with transaction.atomic():
            posts = list(
                Post.objects.select_for_update().filter(author=member).order_by("pk")[:_POSTS]
            )
            _move_log_of_posts([post.pk for post in posts], member)
            Post.objects.filter(pk__in=[post.pk for post in posts]).delete()
            published = [post for post in posts if post.status == Post.Status.PUBLISHED]
            count_posts(member_id=member.pk, by=-len(published))
        if len(posts) < _POSTS:
            return


def _move_log_of_posts(post_ids: Sequence[UUID], member: Member) -> None:
    move_log_of(Post.objects.filter(pk__in=post_ids), member=member)
    move_log_of(Comment.objects.filter(post_id__in=post_ids), member=member)


def _export_posts(member: Member) -> Iterator[dict[str, Any]]:
    photos = Photo.objects.select_related("upload").order_by("position")
    posts = Post.objects.filter(author=member).prefetch_related(Prefetch("photos", photos))
    columns = ("id", "status", "title", "content", "styles", "colors")
    times = ("created_at", "published_at", "edited_at")
    for rows in in_batches(posts, _POSTS):
        for post in rows:
            yield {
                **{key: getattr(post, key) for key in columns},
                "pyeong": post.pyeong_id,
                "housing_type": post.housing_type_id,
                **{key: getattr(post, key) for key in times},
                "photos": [
                    {
                        "file": photo_name(photo.upload_id, photo.upload.content_type),
                        "caption": photo.caption,
                        "products": photo.products,
                    }
                    for photo in post.photos.all()
                ],
            }


def _export_comments(member: Member) -> Iterator[dict[str, Any]]:
    for rows in in_batches(Comment.objects.filter(author=member)):
        titles = _titles(member, rows)
        for row in rows:
            said = {key: getattr(row, key) for key in ("content", "created_at", "edited_at")}
            yield {"post_id": row.post_id, "post_title": titles.get(row.post_id), **said}


def _export_likes(member: Member) -> Iterator[dict[str, Any]]:
    for rows in in_batches(PostLike.objects.filter(member=member)):
        titles = _titles(member, rows)
        for row in rows:
            yield {
                "post_id": row.post_id,
                "post_title": titles.get(row.post_id),
                "created_at": row.created_at,
            }


def _titles(member: Member, rows: Sequence[Comment | PostLike]) -> dict[UUID, str]:
    """Of the posts that the rows are about: those that the member sees."""
    posts = Post.objects.published_to(member).filter(pk__in=[row.post_id for row in rows])
    return dict(posts.values_list("pk", "title"))


def register_own() -> None:
    """Called as the app starts. Erased from the last to the first."""
    register(
        Belonging(
            name="posts",
            keeps=("posts.Post.author",),
            erase=_erase_posts,
            export=_export_posts,
            title=_("Posts"),
        ),
        Belonging(
            name="comments",
            keeps=("posts.Comment.author",),
            recount=_recount_comments,
            erase=_erase_comments,
            export=_export_comments,
            title=_("Comments"),
        ),
        Belonging(
            name="likes",
            keeps=("posts.PostLike.member",),
            recount=_recount_likes,
            erase=_erase_likes,
            export=_export_likes,
            title=_("Likes"),
        ),
    )
