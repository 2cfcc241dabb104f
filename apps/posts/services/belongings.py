"""What of a member is in posts, likes and comments: counting, erasing and exporting it."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.members.models import Member
from apps.members.services.belongings import Belonging, register
from apps.members.services.own_belongings import delete_log_of
from apps.members.services.profile import count_posts
from apps.posts.models import Comment, Post, PostLike
from apps.posts.services.counters import lock_posts, recount_locked_posts

# Posts of one transaction. Who likes or comments on one of them waits until it ends.
_BATCH = 200
# A post's own likes, comments and photos go with it.
_POSTS = 20
_BEFORE_ALL = UUID(int=0)


def _recount_likes(member_id: UUID) -> None:
    _in_batches(PostLike.objects.filter(member_id=member_id), lambda rows: None)


def _recount_comments(member_id: UUID) -> None:
    _in_batches(Comment.objects.filter(author_id=member_id), lambda rows: None)


def _erase_likes(member: Member) -> None:
    def erase(rows: QuerySet[Any]) -> None:
        delete_log_of(PostLike, rows.values_list("pk", flat=True))
        rows.delete()

    _in_batches(PostLike.objects.filter(member=member), erase)


def _erase_comments(member: Member) -> None:
    def erase(rows: QuerySet[Any]) -> None:
        delete_log_of(Comment, rows.values_list("pk", flat=True))
        rows.delete()

    _in_batches(Comment.objects.filter(author=member), erase)


def _in_batches(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], None]) -> None:
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
            _delete_log_of_posts([post.pk for post in posts])
            Post.objects.filter(pk__in=[post.pk for post in posts]).delete()
            published = [post for post in posts if post.status == Post.Status.PUBLISHED]
            count_posts(member_id=member.pk, by=-len(published))
        if len(posts) < _POSTS:
            return


def _delete_log_of_posts(post_ids: Sequence[UUID]) -> None:
    delete_log_of(Post, post_ids)
    comments = Comment.objects.filter(post_id__in=post_ids)
    delete_log_of(Comment, comments.values_list("pk", flat=True))


def register_own() -> None:
    """Called as the app starts. Erased from the last to the first."""
    register(
        Belonging(name="posts", keeps=("posts.Post.author",), erase=_erase_posts),
        Belonging(
            name="comments",
            keeps=("posts.Comment.author",),
            recount=_recount_comments,
            erase=_erase_comments,
        ),
        Belonging(
            name="likes",
            keeps=("posts.PostLike.member",),
            recount=_recount_likes,
            erase=_erase_likes,
        ),
    )
