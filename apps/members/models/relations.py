"""Who follows, blocks and mutes whom, and who exists for whom.

"Someone you block, or who blocks you, does not exist for you": every read of something that
members made goes through the `visible_to(viewer)` of its model, and each of those asks
`exists_for`. See docs/adr/00xx-blocks.md.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import BooleanField, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from apps.common.models import UUIDModel


def hidden_ids(viewer: Any) -> "QuerySet[Any, Any]":
    """The ids of those whom the viewer blocks and of those who block the viewer, each once."""
    mine = Block.objects.filter(blocker_id=viewer.pk).values_list("blocked_id")
    theirs = Block.objects.filter(blocked_id=viewer.pk).values_list("blocker_id")
    return mine.union(theirs)


def exists_for(viewer: Any, member: str) -> Q:
    """The condition that the member whom a column names exists for the viewer.

    Nobody is hidden from somebody without an account, who pays nothing for this. Of a member
    PostgreSQL reads the blocks once for each query, by the indexes of both sides, and then looks
    every row up in what it has read.

    Args:
        member: the column that holds the id, such as `pk` or `author_id`.
    """
    if not viewer.is_authenticated:
        return Q()
    mine = Block.objects.filter(blocker_id=viewer.pk).values("blocked_id")
    theirs = Block.objects.filter(blocked_id=viewer.pk).values("blocker_id")
    return ~Q(**{f"{member}__in": mine}) & ~Q(**{f"{member}__in": theirs})


def not_muted_by(viewer: Any, member: str) -> Q:
    """The condition that the viewer does not mute the member whom a column names."""
    if not viewer.is_authenticated:
        return Q()
    return ~Q(**{f"{member}__in": Mute.objects.filter(muter_id=viewer.pk).values("muted_id")})


def hides_anyone(viewer: Any) -> bool:
    """Whether counts must be told otherwise to this viewer, from columns that are there anyway."""
    return viewer.is_authenticated and bool(viewer.blocks_count or viewer.blocked_count)


def hidden_rows(viewer: Any, rows: "QuerySet[Any, Any]", member: str) -> Coalesce:
    """How many of `rows`, a query with an OuterRef, are of members who don't exist for the viewer.

    What a stored counter is too high by. It is counted from the few who are hidden, each looked
    up by an index of (what is counted, member), so a popular row costs no more than another.
    """
    found = rows.filter(**{f"{member}__in": hidden_ids(viewer)}).order_by()
    count = found.annotate(number=Func(F("pk"), function="COUNT")).values("number")
    return Coalesce(Subquery(count, output_field=models.IntegerField()), Value(0))


def follow_flags(viewer: Any, member: str) -> dict[str, Any]:
    """Annotations `followed_by_me` and `follows_me`, about the member whom a column names."""
    if not viewer.is_authenticated:
        no = Value(False, output_field=BooleanField())
        return {"followed_by_me": no, "follows_me": no}
    # Looked up row by row; see PostQuerySet.liked_by for why these are no Exists().
    return {
        "followed_by_me": _is_there(follower_id=viewer.pk, followed_id=OuterRef(member)),
        "follows_me": _is_there(follower_id=OuterRef(member), followed_id=viewer.pk),
    }


def _is_there(**ends: Any) -> Coalesce:
    rows = Follow.objects.filter(**ends).values(one=Value(True))[:1]
    return Coalesce(Subquery(rows, output_field=BooleanField()), Value(False))


class FollowQuerySet(models.QuerySet["Follow"]):
    """Reads of follows."""

    def visible_to(self, viewer: Any) -> "FollowQuerySet":
        """Those between open accounts that both exist for the viewer."""
        return self.filter(
            exists_for(viewer, "follower_id"),
            exists_for(viewer, "followed_id"),
            follower__is_active=True,
            followed__is_active=True,
        )


class Follow(UUIDModel):
    """A member wants to see what another posts."""

    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    followed = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FollowQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers followed_by_me and follows_me.
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_not_oneself"),
        ]
        indexes = [
            # GET /members/{id}/following.
            models.Index(fields=["follower", "-id"], name="follow_by_follower"),
            # GET /members/{id}/followers.
            models.Index(fields=["followed", "-id"], name="follow_by_followed"),
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.followed_id}"


class BlockQuerySet(models.QuerySet["Block"]):
    """Reads of blocks."""

    def between(self, one: Any, other: Any) -> "BlockQuerySet":
        """Those of two members, by id, whoever made them."""
        return self.filter(
            Q(blocker_id=one, blocked_id=other) | Q(blocker_id=other, blocked_id=one)
        )

    def visible_to(self, viewer: Any) -> "BlockQuerySet":
        """The viewer's own, of open accounts. Who is blocked is never told."""
        return self.filter(blocker_id=viewer.pk, blocked__is_active=True)


class Block(UUIDModel):
    """A member wants to have nothing to do with another: neither exists for the other."""

    blocker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    blocked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers whom a viewer blocks.
            models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="block_not_oneself"),
        ]
        indexes = [
            # Who blocks a viewer, from the index alone.
            models.Index(fields=["blocked", "blocker"], name="block_by_blocked"),
            # GET /me/blocks.
            models.Index(fields=["blocker", "-id"], name="block_by_blocker"),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"


class MuteQuerySet(models.QuerySet["Mute"]):
    """Reads of mutes."""

    def visible_to(self, viewer: Any) -> "MuteQuerySet":
        """The viewer's own, of open accounts that exist for the viewer."""
        return self.filter(
            exists_for(viewer, "muted_id"), muter_id=viewer.pk, muted__is_active=True
        )


class Mute(UUIDModel):
    """A member wants to see nothing of another in lists; the other never notices."""

    muter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # The index is for the day when the muted one leaves.
    muted = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MuteQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers whom a viewer mutes.
            models.UniqueConstraint(fields=["muter", "muted"], name="mute_once"),
            models.CheckConstraint(condition=~Q(muter=F("muted")), name="mute_not_oneself"),
        ]
        indexes = [
            # GET /me/mutes.
            models.Index(fields=["muter", "-id"], name="mute_by_muter"),
        ]

    def __str__(self) -> str:
        return f"{self.muter_id} mutes {self.muted_id}"
