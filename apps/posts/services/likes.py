"""Likes, and their counter."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.common.lookups import get_or_404
from apps.members.models import Member
from apps.members.services.account_state import hold_open
from apps.posts.errors import PostNotPublished
from apps.posts.models import Post, PostLike
from apps.posts.services.counters import uncount


def like_post(*, member: Member, post_id: UUID) -> None:
    """Like a post; again is harmless. Raises NotFound, PostNotPublished, TokenInvalid."""
    with transaction.atomic():
        post = _lock(member, post_id)
        if post.status != Post.Status.PUBLISHED:
            raise PostNotPublished
        hold_open(member)
        _like, is_new = PostLike.objects.get_or_create(member=member, post=post)
        if is_new:
            Post.objects.filter(pk=post.pk).update(like_count=F("like_count") + 1)


def unlike_post(*, member: Member, post_id: UUID) -> None:
    """Take a like back; again is harmless. Raises NotFound, TokenInvalid."""
    with transaction.atomic():
        post = _lock(member, post_id)
        member = hold_open(member)
        deleted, _by_model = PostLike.objects.filter(member=member, post=post).delete()
        if deleted:
            uncount(post=post, counter="like_count", by=member)


def _lock(member: Member, post_id: UUID) -> Post:
    # The post's row is the lock: the counter would wait for it anyway, and with it two taps at
    # once don't both find that there is no like yet. It leaves foreign keys to the post free.
    posts = Post.objects.visible_to(member).select_for_update(of=("self",), no_key=True)
    return get_or_404(posts, post_id)
