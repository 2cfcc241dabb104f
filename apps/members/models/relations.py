"""Who follows, blocks and mutes whom, and who exists for whom.

"Someone you block, or who blocks you, does not exist for you": every read of something that
members made goes through the `visible_to(viewer)` of its model, and each of those asks
`exists_for`. See docs/adr/0018-blocks.md.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import BooleanField, F, Func, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from apps.common.models import UUIDModel

# Written out, since as querysets Django takes longer to make them than PostgreSQL to answer. Each
# is of one viewer, and read once for a query, by the indexes of both sides.
_BLOCKED = "SELECT blocked_id FROM members_block WHERE blocker_id = %s"
_BLOCKERS = "SELECT blocker_id FROM members_block WHERE blocked_id = %s"
_MUTED = "SELECT muted_id FROM members_mute WHERE muter_id = %s"


class _NotAmong(Func):
    """Whether the member whom a column names is none of those that statements find for a viewer.

    NOT IN, which PostgreSQL answers from a hash of the few ids, and not a join: that would change
    how it finds the page.
    """

    output_field = BooleanField()

    def __init__(self, member: str, viewer_id: UUID, *found: str) -> None:
        super().__init__(F(member))
        self._viewer_id, self._found = viewer_id, found

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        """The condition, with the viewer's id for each statement."""
        column, params = compiler.compile(self.source_expressions[0])
        ids = " UNION ALL ".join(self._found)
        return f"{column} NOT IN ({ids})", [*params, *[self._viewer_id] * len(self._found)]


class _HiddenCount(Func):
    """How many rows of a table, of those that belong to a row of the query, hidden members made.

    Those with open accounts alone: what others made is in no counter.
    """

    output_field = IntegerField()

    def __init__(
        self, model: type[models.Model], of: str, by: str, viewer_id: UUID, row: str
    ) -> None:
        super().__init__(F(row))
        self._table, self._of, self._by = model._meta.db_table, of, by
        self._viewer_id = viewer_id

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        """The count, as a subquery."""
        key, params = compiler.compile(self.source_expressions[0])
        count = (
            f"(SELECT count(*) FROM {self._table} AS counted"  # noqa: S608
            f" JOIN members_member AS maker ON maker.id = counted.{self._by} AND maker.is_active"
            f" WHERE counted.{self._of} = {key}"
            f" AND counted.{self._by} IN ({_BLOCKED} UNION {_BLOCKERS}))"
        )
        return count, [*params, self._viewer_id, self._viewer_id]


def exists_for(viewer: Any, member: str) -> Q:
    """The condition that the member whom a column names exists for the viewer.

    Nobody is hidden from somebody without an account, who pays nothing for this.

    Args:
        member: the column that holds the id, such as `pk` or `author_id`.
    """
    if not viewer.is_authenticated:
        return Q()
    return Q(_NotAmong(member, viewer.pk, _BLOCKED, _BLOCKERS))


def exists_unmuted_for(viewer: Any, member: str) -> Q:
    """As exists_for, and that the viewer does not mute the member."""
    if not viewer.is_authenticated:
        return Q()
    return Q(_NotAmong(member, viewer.pk, _BLOCKED, _BLOCKERS, _MUTED))


def hides_anyone(viewer: Any) -> bool:
    """Whether counts must be told otherwise to this viewer, from columns that are there anyway."""
    return viewer.is_authenticated and bool(viewer.blocks_count or viewer.blocked_count)


def hidden_rows(
    viewer: Any, model: type[models.Model], *, of: str, by: str, row: str = "pk"
) -> _HiddenCount:
    """How many rows of `model` belong to a row and are of members who don't exist for the viewer.

    What a stored counter is too high by. It is counted from those who are hidden, each looked up
    by an index of (of, by), or from the rows, whichever PostgreSQL takes for the fewer: a popular
    row costs no more than another.

    Args:
        of: the column that names the row whose counter it is.
        by: the column that names the member.
        row: the column of the query that holds the id of the row whose counter it is.
    """
    return _HiddenCount(model, of, by, viewer.pk, row)


def without_hidden(counter: int, hidden: int) -> int:
    """A counter as the viewer sees it.

    Not below 0: who was hidden and left, and has just come back, is counted by a task, a moment
    later.
    """
    return max(0, counter - hidden)


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


def as_seen_by(viewer: Any, member: str) -> dict[str, Any]:
    """Annotations that `shapes.other_member_shape` reads, about the member whom a column names.

    A viewer who blocks anyone, or is blocked, sees counts of follows without those hidden.
    """
    found = follow_flags(viewer, member)
    if hides_anyone(viewer):
        for name, of, by in (
            ("hidden_followers", "followed_id", "follower_id"),
            ("hidden_following", "follower_id", "followed_id"),
        ):
            found[name] = hidden_rows(viewer, Follow, of=of, by=by, row=member)
    return found


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
        verbose_name, verbose_name_plural = _("follow"), _("follows")
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
        verbose_name, verbose_name_plural = _("block"), _("blocks")
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
        verbose_name, verbose_name_plural = _("mute"), _("mutes")
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
