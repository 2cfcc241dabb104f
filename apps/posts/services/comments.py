"""Comments, and their counter."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.common.lookups import get_or_404
from apps.common.versions import require_version
from apps.members.models import Member
from apps.members.services.account_state import hold_open
from apps.posts.errors import NotYours, PostNotPublished
from apps.posts.models import Comment, Post
from apps.posts.services.counters import uncount


def create_comment(*, author: Member, post_id: UUID, content: str) -> Comment:
    """Comment on a post. Raises NotFound, PostNotPublished, TokenInvalid."""
    with transaction.atomic():
        posts = Post.objects.visible_to(author).select_for_update(of=("self",), no_key=True)
        post = get_or_404(posts, post_id)
        if post.status != Post.Status.PUBLISHED:
            raise PostNotPublished
        hold_open(author)
        comment = Comment.objects.create(author=author, post=post, content=content)
        Post.objects.filter(pk=post.pk).update(comment_count=F("comment_count") + 1)
    return comment


def update_comment(
    *, member: Member, comment_id: UUID, content: str, expected: frozenset[str] | None
) -> Comment:
    """Change one's own comment. Raises NotFound, NotYours, Stale."""
    with transaction.atomic():
        comment = _lock(member, comment_id)
        if comment.author_id != member.pk:
            raise NotYours
        require_version(comment.version, expected)
        comment.content = content
        comment.edited_at = timezone.now()
        comment.version += 1
        comment.save(update_fields=["content", "edited_at", "version"])
    return comment


def delete_comment(*, member: Member, comment_id: UUID) -> None:
    """Delete one's own comment, or one under one's own post. Raises NotFound, NotYours."""
    with transaction.atomic():
        comment = get_or_404(Comment.objects.visible_to(member), comment_id)
        # The post first, then the comment: the order in which everyone locks them.
        post = get_or_404(Post.objects.select_for_update(no_key=True), comment.post_id)
        if comment.author_id == member.pk:
            hold_open(member)
        comment = _lock(member, comment_id)
        if member.pk not in (comment.author_id, post.author_id):
            raise NotYours
        _delete_locked(comment, post)


def remove_comment(*, comment_id: UUID) -> None:
    """Delete anybody's comment, also of a closed account; for operators. Raises NotFound."""
    with transaction.atomic():
        comment = get_or_404(Comment.objects.all(), comment_id)
        post = get_or_404(Post.objects.select_for_update(no_key=True), comment.post_id)
        rows = Comment.objects.select_related("author").select_for_update(of=("self",))
        _delete_locked(get_or_404(rows, comment_id), post)


def _delete_locked(comment: Comment, post: Post) -> None:
    comment.delete()
    uncount(post=post, counter="comment_count", by=comment.author)


def _lock(member: Member, comment_id: UUID) -> Comment:
    comments = Comment.objects.visible_to(member).select_related("author")
    comments = comments.select_for_update(of=("self",))
    return get_or_404(comments, comment_id)
