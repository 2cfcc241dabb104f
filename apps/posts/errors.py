"""What can be wrong with a post or a comment."""

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError, PermissionDenied


class PostAlreadyPublished(DomainError):
    """A published post does not go back to draft."""

    status = 409
    code = "post_already_published"
    text = _("A published post can't become a draft again.")


class PostNotPublished(DomainError):
    """Drafts take no likes and no comments."""

    status = 409
    code = "post_not_published"
    text = _("This post is not published yet.")


class NotYours(PermissionDenied):
    """The post or comment is somebody else's."""

    code = "not_yours"
    text = _("This belongs to someone else.")
