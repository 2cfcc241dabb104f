"""Comments on posts."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel
from apps.members.models.relations import exists_for, exists_unmuted_for
from apps.posts.models.post import Post

# Characters.
MAX_LENGTH = 500


class CommentQuerySet(models.QuerySet["Comment"]):
    """Reads of comments."""

    def visible_to(self, viewer: Any) -> "CommentQuerySet":
        """Those of open accounts that exist for the viewer, under posts that the viewer sees."""
        posts = Post.objects.visible_to(viewer)
        return self.filter(exists_for(viewer, "author_id"), author__is_active=True, post__in=posts)

    def listed_for(self, viewer: Any, post: Post) -> "CommentQuerySet":
        """Those under a post that the caller has found visible, without who the viewer mutes."""
        shown = exists_unmuted_for(viewer, "author_id")
        return self.filter(shown, author__is_active=True, post=post)


class Comment(UUIDModel):
    """What a member says under a post."""

    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="comments", db_index=False
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments", db_index=False
    )
    content = models.CharField(max_length=MAX_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("comment"), _("comments")
        constraints = [
            models.CheckConstraint(condition=~models.Q(content=""), name="comment_not_empty"),
        ]
        indexes = [
            # GET /posts/{id}/comments.
            models.Index(fields=["post", "-id"], name="comment_by_post"),
            # How many under a post are of somebody hidden. It also serves the foreign key.
            models.Index(fields=["author", "post"], name="comment_by_author"),
        ]

    def __str__(self) -> str:
        return self.content[:40]
