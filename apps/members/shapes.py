"""What members look like in an answer: each documented class with the function that makes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers

from apps.media.shapes import AvatarOut, avatar_of
from apps.members.models import Consent, DeviceSession, Export, Member, Provider
from apps.members.models.consent import confirm_by, current_version
from apps.members.models.relations import as_seen_by, without_hidden
from apps.members.services.sessions import TokenPair


class AuthorOut(serializers.Serializer[Any]):
    """Who made a post or a comment, in short."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    avatar = AvatarOut(allow_null=True)


class ConsentOut(serializers.Serializer[Any]):
    """What a member last said to a kind of consent."""

    kind = serializers.ChoiceField(choices=Consent.Kind.values)
    version = serializers.CharField()
    granted = serializers.BooleanField()
    created_at = serializers.DateTimeField(help_text="when it was said")


class ConsentStateOut(serializers.Serializer[Any]):
    """What holds of a kind of consent, and since when: the outcome of the member's last choice."""

    kind = serializers.ChoiceField(choices=Consent.Kind.values)
    granted = serializers.BooleanField(help_text="false too where nothing was ever said")
    version = serializers.CharField(
        allow_null=True, help_text="of the text that it was said to; null: never asked"
    )
    created_at = serializers.DateTimeField(allow_null=True, help_text="when it was said")
    current_version = serializers.CharField(help_text="of the text to show now")
    agree_again = serializers.BooleanField(
        help_text="writes answer 409 `consent_required` until the current version is agreed to"
    )
    confirm_by = serializers.DateTimeField(
        allow_null=True,
        help_text="marketing alone: until when it counts unless it is confirmed; a mail does so, "
        "and so does the same choice, sent again in its last 14 days",
    )


class ConsentChangedOut(ConsentStateOut):
    """What came of a choice."""

    also = ConsentStateOut(
        many=True, help_text="what ends with it: `marketing_night`, after a no to `marketing`"
    )


class MemberOut(serializers.Serializer[Any]):
    """A member as everyone sees them."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    bio = serializers.CharField(allow_blank=True)
    avatar = AvatarOut(allow_null=True)
    kind = serializers.ChoiceField(choices=Member.Kind.values)
    posts_count = serializers.IntegerField()
    followers_count = serializers.IntegerField()
    following_count = serializers.IntegerField()


class OtherMemberOut(MemberOut):
    """A member, and how the viewer and they follow each other."""

    followed_by_me = serializers.BooleanField()
    follows_me = serializers.BooleanField()


class MeOut(MemberOut):
    """One's own account."""

    email = serializers.EmailField(allow_null=True)
    email_verified = serializers.BooleanField()
    has_password = serializers.BooleanField(
        help_text="whether it logs in with one, and `DELETE /me` takes it; else a provider does"
    )
    locale = serializers.ChoiceField(choices=Member.Locale.values)
    created_at = serializers.DateTimeField()
    suspended_until = serializers.DateTimeField(
        allow_null=True, help_text="null: not suspended, or no longer"
    )
    consents = ConsentOut(many=True)


class TokensOut(serializers.Serializer[Any]):
    """A login: use `access_token` for `expires_in` seconds, then spend `refresh_token`."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="seconds")
    member = MeOut()


class LeavingOut(serializers.Serializer[Any]):
    """A member has left, is hidden, and will be erased at `erase_at` unless they come back."""

    erase_at = serializers.DateTimeField()


class ExportStartedOut(serializers.Serializer[Any]):
    """An export that is being made."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Export.Status.values)


class ExportOut(ExportStartedOut):
    """An export. When it is `ready`: where the zip is, until when, and its size in bytes."""

    url = serializers.URLField(required=False)
    expires_at = serializers.DateTimeField(required=False)
    size = serializers.IntegerField(required=False)


class SessionDeviceOut(serializers.Serializer[Any]):
    """What the app said of the phone."""

    name = serializers.CharField()
    platform = serializers.ChoiceField(choices=DeviceSession.Platform.values)
    app_version = serializers.CharField()


class SessionOut(serializers.Serializer[Any]):
    """A device that is logged in; `current` is the one that asks."""

    id = serializers.UUIDField()
    device = SessionDeviceOut()
    place = serializers.CharField(
        allow_null=True, help_text="about where it logged in; null where nobody keeps it"
    )
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()
    current = serializers.BooleanField()


class UsernameAvailableOut(serializers.Serializer[Any]):
    """Whether a username can be had; if not, `code` says why."""

    available = serializers.BooleanField()
    code = serializers.ChoiceField(
        choices=["username_invalid", "username_reserved", "username_taken"], required=False
    )


class NonceOut(serializers.Serializer[Any]):
    """Give it to the provider's SDK, as it is or as its SHA-256 in hex, and send it here too."""

    nonce = serializers.CharField()
    expires_at = serializers.DateTimeField()


class IdentityOut(serializers.Serializer[Any]):
    """A provider that the member logs in with."""

    provider = serializers.ChoiceField(choices=Provider.values)
    linked_at = serializers.DateTimeField()


def member_shape(member: Member, base: str) -> dict[str, Any]:
    """A `MemberOut`."""
    return {
        "id": member.pk,
        "username": member.username,
        "display_name": member.display_name,
        "bio": member.bio,
        "avatar": avatar_of(member.avatar.renditions if member.avatar else None, base),
        "kind": member.kind,
        "posts_count": member.posts_count,
        "followers_count": member.followers_count,
        "following_count": member.following_count,
    }


def me_shape(member: Member, base: str) -> dict[str, Any]:
    """A `MeOut`."""
    newest = member.consents.order_by("kind", "-id").distinct("kind")
    until = member.suspended_until
    return member_shape(member, base) | {
        "email": member.email or None,
        "email_verified": member.email_verified,
        "has_password": member.has_usable_password(),
        "locale": member.locale,
        "created_at": member.created_at,
        "suspended_until": until if until and until > timezone.now() else None,
        "consents": list(newest.values("kind", "version", "granted", "created_at")),
    }


def consent_states(member: Member, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """A `ConsentStateOut` of each of `kinds`, in their order."""
    newest = {row.kind: row for row in Consent.objects.newest_of(member.pk)}
    missing = {item["kind"] for item in member.missing_consents()}
    found = []
    for kind in kinds:
        row = newest.get(kind)
        found.append(
            {
                "kind": kind,
                "granted": bool(row and row.granted),
                "version": row.version if row else None,
                "created_at": row.created_at if row else None,
                "current_version": current_version(kind),
                "agree_again": kind in missing,
                "confirm_by": confirm_by(row) if row else None,
            }
        )
    return found


SESSION_COLUMNS = ("id", "name", "platform", "app_version", "place", "created_at", "last_used_at")


def session_shape(row: dict[str, Any], current: UUID) -> dict[str, Any]:
    """A `SessionOut` of a row of SESSION_COLUMNS; `current` is the id of the caller's own."""
    return {
        "id": row["id"],
        "device": {name: row[name] for name in ("name", "platform", "app_version")},
        "place": row["place"] or None,
        "created_at": row["created_at"],
        "last_used_at": row["last_used_at"],
        "current": row["id"] == current,
    }


def identity_shape(row: dict[str, Any]) -> dict[str, Any]:
    """An `IdentityOut` of a row of provider, created_at."""
    return {"provider": row["provider"], "linked_at": row["created_at"]}


def tokens_shape(pair: TokenPair, base: str) -> dict[str, Any]:
    """A `TokensOut`."""
    return {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "token_type": "Bearer",
        "expires_in": settings.ACCESS_TOKEN_SECONDS,
        "member": me_shape(pair.member, base),
    }


def author_shape(row: dict[str, Any], prefix: str, base: str) -> dict[str, Any]:
    """`{id, username, display_name, avatar}` of a `.values()` row whose columns start so."""
    return {
        "id": row[f"{prefix}_id"],
        "username": row[f"{prefix}__username"],
        "display_name": row[f"{prefix}__display_name"],
        "avatar": avatar_of(row[f"{prefix}__avatar__renditions"], base),
    }


_OTHER_MEMBER_NAMES = (
    "username",
    "display_name",
    "bio",
    "kind",
    "posts_count",
    "followers_count",
    "following_count",
)


def other_member_rows(rows: Any, viewer: Any, *more: str, prefix: str = "") -> Any:
    """`.values()` rows for `other_member_shape`, with the columns `more`: one query.

    Args:
        rows: members, or rows that each name one.
        prefix: the foreign key that names the member; none where the rows are members.
    """
    itself, of = (f"{prefix}_id", f"{prefix}__") if prefix else ("id", "")
    names = [f"{of}{name}" for name in (*_OTHER_MEMBER_NAMES, "avatar__renditions")]
    return rows.values(itself, *names, *more).annotate(**as_seen_by(viewer, itself))


def other_member_shape(row: dict[str, Any], base: str, prefix: str = "") -> dict[str, Any]:
    """An `OtherMemberOut` of a row of `other_member_rows` with this prefix."""
    itself, of = (f"{prefix}_id", f"{prefix}__") if prefix else ("id", "")
    shape = {name: row[f"{of}{name}"] for name in _OTHER_MEMBER_NAMES}
    # Counted for those viewers alone who don't see everybody.
    for name in ("followers", "following"):
        hidden = row.get(f"hidden_{name}", 0)
        shape[f"{name}_count"] = without_hidden(shape[f"{name}_count"], hidden)
    return shape | {
        "id": row[itself],
        "avatar": avatar_of(row[f"{of}avatar__renditions"], base),
        "followed_by_me": row["followed_by_me"],
        "follows_me": row["follows_me"],
    }
