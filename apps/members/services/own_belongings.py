"""What this app, and the ones below it, keep of a member. Other topics add theirs at the end."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext_lazy as _

from apps.common.batches import delete_in_batches, in_batches
from apps.media.models import Upload
from apps.media.services import erase_uploads
from apps.members.models import (
    Block,
    Consent,
    DeviceSession,
    Follow,
    Member,
    Mute,
    ProviderNotice,
    SocialIdentity,
    SpentCredential,
)
from apps.members.services import exporting, operator_log, relations
from apps.members.services.belongings import Belonging, register
from apps.members.services.identities import forget_identities
from apps.members.services.operator_log import move_log_of


def _erase_sessions(member: Member) -> None:
    sessions = DeviceSession.objects.filter(member=member)
    move_log_of(sessions, member=member)
    # Each may have some hundred spent tokens.
    delete_in_batches(sessions, 50)


def _erase_consents(member: Member) -> None:
    delete_in_batches(Consent.objects.filter(member=member))


def _erase_logins(member: Member) -> None:
    move_log_of(SocialIdentity.objects.filter(member=member), member=member)
    forget_identities(member=member)
    delete_in_batches(SpentCredential.objects.filter(member=member))
    # Its confirmation code still opens the page that says that all is gone.
    ProviderNotice.objects.filter(member=member).update(member=None)


def _recount_relations(member_id: UUID) -> None:
    relations.recount_follows(member_id=member_id)


def _erase_relations(member: Member) -> None:
    relations.end_relations(member_id=member.pk)


def _erase_uploads(member: Member) -> None:
    move_log_of(Upload.objects.filter(owner=member), member=member)
    erase_uploads(owner_id=member.pk)


def _erase_operator(member: Member) -> None:
    operator_log.move(LogEntry.objects.filter(user=member), member=member)
    move_log_of(Member.objects.filter(pk=member.pk), member=member)


def photo_name(upload_id: UUID, content_type: str) -> str:
    """What an upload's original is called in an export."""
    suffix = content_type.rpartition("/")[2]
    return f"photos/{upload_id}.{'jpg' if suffix == 'jpeg' else suffix}"


def _export_profile(member: Member) -> Iterator[dict[str, Any]]:
    member = Member.objects.select_related("avatar").get(pk=member.pk)
    names = ("username", "display_name", "bio", "email", "email_verified", "kind", "locale")
    profile = {name: getattr(member, name) for name in (*names, "created_at", "suspended_until")}
    if member.avatar:
        profile["file"] = photo_name(member.avatar.pk, member.avatar.content_type)
    yield profile


def _export_consents(member: Member) -> Iterator[dict[str, Any]]:
    columns = ("kind", "version", "granted", "device_name", "device_platform", "created_at")
    for rows in in_batches(Consent.objects.filter(member=member)):
        for row in rows:
            yield {key: getattr(row, key) for key in columns}


def _export_sessions(member: Member) -> Iterator[dict[str, Any]]:
    columns = (
        "name", "platform", "app_version", "place", "created_at", "last_used_at", "ended_at",
    )  # fmt: skip
    for rows in in_batches(DeviceSession.objects.filter(member=member)):
        for row in rows:
            yield {key: getattr(row, key) for key in columns}


def _export_logins(member: Member) -> Iterator[dict[str, Any]]:
    for row in SocialIdentity.objects.filter(member=member).order_by("pk"):
        yield {key: getattr(row, key) for key in ("provider", "subject", "created_at")}


def _export_relations(member: Member) -> Iterator[dict[str, Any]]:
    """What the member did; what others did is theirs."""
    for model, mine, theirs in (
        (Follow, "follower", "followed"),
        (Block, "blocker", "blocked"),
        (Mute, "muter", "muted"),
    ):
        for rows in in_batches(model._default_manager.filter(**{mine: member})):
            # Without a name: who has left, or does not exist for the member, as in the API's lists.
            seen = model._default_manager.visible_to(member).filter(pk__in=[row.pk for row in rows])
            names = dict(seen.values_list("pk", f"{theirs}__username"))
            for row in rows:
                name = names.get(row.pk)
                yield {"did": model.__name__.lower(), "whom": name, "created_at": row.created_at}


def _ready_uploads(member: Member) -> Iterator[Upload]:
    uploads = Upload.objects.filter(owner=member, status=Upload.Status.READY)
    for rows in in_batches(uploads):
        yield from rows


def _export_uploads(member: Member) -> Iterator[dict[str, Any]]:
    """Those of no post and no profile: the others are shown there."""
    for upload in _ready_uploads(member):
        if upload.attached_at is None:
            name = photo_name(upload.pk, upload.content_type)
            yield {"created_at": upload.created_at, "file": name}


def _upload_files(member: Member) -> Iterator[tuple[str, str]]:
    for upload in _ready_uploads(member):
        yield photo_name(upload.pk, upload.content_type), upload.original_key


def register_own() -> None:
    """Called as the app starts. Erased from the last to the first."""
    register(
        # The member's own row goes last, and with it the row that says that they leave: see
        # erasing.finish_erasing.
        Belonging(
            name="profile",
            keeps=(
                "members.Leaving.member",
                "members.Member_groups.member",
                "members.Member_user_permissions.member",
            ),
            export=_export_profile,
            title=_("Profile"),
        ),
        Belonging(name="operator", keeps=("admin.LogEntry.user",), erase=_erase_operator),
        Belonging(
            name="consents",
            keeps=("members.Consent.member",),
            erase=_erase_consents,
            export=_export_consents,
            title=_("Consents"),
        ),
        # Kept until then, since they are a way back.
        Belonging(
            name="logins",
            keeps=(
                "members.SocialIdentity.member",
                "members.SpentCredential.member",
                "members.ProviderNotice.member",
            ),
            erase=_erase_logins,
            export=_export_logins,
            title=_("Logins at providers"),
        ),
        # Ended in `leave` itself.
        Belonging(
            name="devices",
            keeps=("members.DeviceSession.member",),
            erase=_erase_sessions,
            export=_export_sessions,
            title=_("Devices"),
        ),
        Belonging(
            name="relations",
            keeps=(
                "members.Follow.follower",
                "members.Follow.followed",
                "members.Block.blocker",
                "members.Block.blocked",
                "members.Mute.muter",
                "members.Mute.muted",
            ),
            recount=_recount_relations,
            erase=_erase_relations,
            export=_export_relations,
            title=_("Follows, blocks and mutes"),
        ),
        Belonging(name="exports", keeps=("members.Export.member",), erase=exporting.erase_exports),
        Belonging(
            name="uploads",
            keeps=("media.Upload.owner",),
            erase=_erase_uploads,
            export=_export_uploads,
            files=_upload_files,
            title=_("Photos in no post"),
        ),
    )
