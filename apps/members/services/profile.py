"""Changes of a member's profile and counts."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.common.throttles import count_call
from apps.common.versions import require_version
from apps.media.services import attach_uploads, delete_uploads
from apps.members.models import Member
from apps.members.services import email_addresses


def update_profile(
    *, member: Member, changes: Mapping[str, Any], expected: frozenset[str] | None
) -> Member:
    """Change what a member may change of themselves.

    Args:
        changes: any of display_name, bio, kind, locale, email, avatar_upload_id.
        expected: the versions that `If-Match` accepts.

    Raises:
        Stale; UploadNotFound and the like for the avatar.
        Throttled: too many new addresses, each of which gets a mail.
    """
    changes = dict(changes)
    new_avatar = changes.pop("avatar_upload_id", member.avatar_id)
    # Naming the picture that was there is no change, and undoes none that came meanwhile.
    changes_avatar = new_avatar != member.avatar_id
    if changes.get("email", member.email) != member.email:
        count_call("ask_for_mail", str(member.pk))
    with transaction.atomic():
        # Uploads before the member: the order in which publishing a post locks them.
        if changes_avatar and new_avatar is not None:
            attach_uploads(owner_id=member.pk, uploads={"/avatar_upload_id": new_avatar})
        member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        require_version(member.version, expected)
        old_address = None
        if "email" in changes and changes["email"] != member.email:
            old_address = member.email if member.email_verified else ""
            changes["email_verified"] = False
        old_avatar = None
        if changes_avatar:
            old_avatar, changes["avatar_id"] = member.avatar_id, new_avatar
        changes["version"] = member.version + 1
        for name, value in changes.items():
            setattr(member, name, value)
        member.save(update_fields=list(changes))
        if old_address is not None:
            email_addresses.address_changed(member=member, old=old_address)
        if old_avatar is not None:
            delete_uploads(upload_ids=[old_avatar])
    return member


def count_posts(*, member_id: UUID, by: int) -> None:
    """Add to a member's posts_count; call it in the transaction that publishes or deletes."""
    Member.objects.filter(pk=member_id).update(posts_count=F("posts_count") + by)
