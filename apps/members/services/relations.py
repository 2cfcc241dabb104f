"""Following, blocking and muting. Each is a toggle: doing it again is harmless.

Whoever writes follows or blocks locks both members first, in the order of their ids: a follow and
a block that cross, or two members who follow each other at the same moment, wait instead of
locking each other out, and the second sees what the first did.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.common.errors import NotFound
from apps.common.lookups import get_or_404
from apps.members.errors import Yourself
from apps.members.models import Block, Follow, Member, Mute
from apps.members.services import account_state

# Other members of one transaction.
_BATCH = 500
_BEFORE_ALL = UUID(int=0)
# Of each table: the columns of the member's end and of the other's.
_ENDS: dict[type[Model], tuple[tuple[str, str], ...]] = {
    Follow: (("follower_id", "followed_id"), ("followed_id", "follower_id")),
    Block: (("blocker_id", "blocked_id"), ("blocked_id", "blocker_id")),
    Mute: (("muter_id", "muted_id"), ("muted_id", "muter_id")),
}


def follow_member(*, member: Member, other_id: UUID) -> None:
    """Follow someone. Raises Yourself, NotFound for who is closed or hidden."""
    with transaction.atomic():
        _lock_both(member, other_id)
        _require_visible(member, other_id)
        _follow, is_new = Follow.objects.get_or_create(follower=member, followed_id=other_id)
        if is_new:
            _count(member.pk, following_count=1)
            _count(other_id, followers_count=1)


def unfollow_member(*, member: Member, other_id: UUID) -> None:
    """Follow someone no more. Raises Yourself, NotFound."""
    with transaction.atomic():
        _lock_both(member, other_id)
        _require_visible(member, other_id)
        _end_follow(member.pk, other_id)


def block_member(*, member: Member, other_id: UUID) -> None:
    """Block someone, and end follows both ways. Raises Yourself, NotFound.

    Who is blocked is not told. Somebody who blocks the member does not exist for them, and so
    can't be blocked either.
    """
    with transaction.atomic():
        _lock_both(member, other_id)
        if Block.objects.visible_to(member).filter(blocked_id=other_id).exists():
            return
        _require_visible(member, other_id)
        Block.objects.create(blocker=member, blocked_id=other_id)
        _count(member.pk, blocks_count=1)
        _count(other_id, blocked_count=1)
        _end_follow(member.pk, other_id)
        _end_follow(other_id, member.pk)


def unblock_member(*, member: Member, other_id: UUID) -> None:
    """Take a block back; follows stay ended. Raises Yourself, NotFound."""
    with transaction.atomic():
        _lock_both(member, other_id)
        deleted, _by_model = Block.objects.visible_to(member).filter(blocked_id=other_id).delete()
        if deleted:
            _count(member.pk, blocks_count=-1)
            _count(other_id, blocked_count=-1)
        else:
            _require_visible(member, other_id)


def mute_member(*, member: Member, other_id: UUID) -> None:
    """See no more of someone in lists; they are not told. Raises Yourself, NotFound."""
    _require_another(member, other_id)
    other = get_or_404(Member.objects.visible_to(member), other_id)
    Mute.objects.get_or_create(muter=member, muted=other)


def unmute_member(*, member: Member, other_id: UUID) -> None:
    """See someone in lists again. Raises Yourself, NotFound."""
    _require_another(member, other_id)
    other = get_or_404(Member.objects.visible_to(member), other_id)
    Mute.objects.filter(muter=member, muted=other).delete()


def recount_follows(*, member_id: UUID) -> None:
    """Count the follows of those whom a member follows, or is followed by, again: after the account
    was closed or opened. In transactions of 500 others; again is harmless."""
    after = _BEFORE_ALL
    while others := _related_to(member_id, [Follow], after):
        with transaction.atomic():
            _lock_members([member_id, *others])
            _count_follows([member_id, *others])
        after = others[-1]


def end_relations(*, member_id: UUID) -> int:
    """Delete all follows, blocks and mutes of a member, and by a member, for one who leaves.

    In transactions of 500 others, whose counters stay right; it can end anywhere and be called
    again. The account is closed before, so that nobody begins to follow meanwhile. Deleting the
    row alone would leave the others' counters as they were.

    Returns:
        How many other members there were.
    """
    ended = 0
    while others := _related_to(member_id, list(_ENDS), _BEFORE_ALL):
        with transaction.atomic():
            _lock_members([member_id, *others])
            for model, ends in _ENDS.items():
                for mine, theirs in ends:
                    model._default_manager.filter(
                        **{mine: member_id, f"{theirs}__in": others}
                    ).delete()
            _count_follows([member_id, *others])
            _count_blocks([member_id, *others])
        ended += len(others)
    return ended


def _related_to(member_id: UUID, models: Collection[type[Model]], after: UUID) -> list[UUID]:
    """The next of those who are related to a member, by their ids."""
    found: set[UUID] = set()
    for model in models:
        for mine, theirs in _ENDS[model]:
            rows = model._default_manager.filter(**{mine: member_id, f"{theirs}__gt": after})
            found |= set(rows.order_by(theirs).values_list(theirs, flat=True)[:_BATCH])
    return sorted(found)[:_BATCH]


def _count_follows(member_ids: Collection[UUID]) -> None:
    """Count the follows of locked members anew: those with open accounts."""
    follows = Follow.objects.all()
    Member.objects.filter(pk__in=member_ids).update(
        followers_count=_number(follows.filter(follower__is_active=True), "followed_id"),
        following_count=_number(follows.filter(followed__is_active=True), "follower_id"),
    )


def _count_blocks(member_ids: Collection[UUID]) -> None:
    """Count the blocks of locked members anew."""
    blocks = Block.objects.all()
    Member.objects.filter(pk__in=member_ids).update(
        blocks_count=_number(blocks, "blocker_id"), blocked_count=_number(blocks, "blocked_id")
    )


def _number(rows: QuerySet[Any], owner: str) -> Coalesce:
    """How many of the rows name, in a column, the member who is updated."""
    own = rows.filter(**{owner: OuterRef("pk")}).order_by().values(owner)
    return Coalesce(Subquery(own.annotate(number=Count("pk")).values("number")), 0)


def _require_another(member: Member, other_id: UUID) -> None:
    if other_id == member.pk:
        raise Yourself


def _lock_both(member: Member, other_id: UUID) -> None:
    """Raises Yourself, NotFound, and TokenInvalid where the member has left meanwhile."""
    _require_another(member, other_id)
    if _lock_members([member.pk, other_id]) < 2:
        raise NotFound
    account_state.hold_open(member)


def _lock_members(member_ids: Collection[UUID]) -> int:
    """How many there are."""
    # The counters would wait for this lock anyway; it leaves foreign keys to the members free.
    rows = Member.objects.select_for_update(no_key=True).filter(pk__in=member_ids)
    return len(rows.order_by("pk").values_list("pk"))


def _require_visible(member: Member, other_id: UUID) -> None:
    """Asked in a statement after the lock: one that waited goes on with what it saw before."""
    if not Member.objects.visible_to(member).filter(pk=other_id).exists():
        raise NotFound


def _end_follow(follower_id: UUID, followed_id: UUID) -> None:
    follows = Follow.objects.filter(follower_id=follower_id, followed_id=followed_id)
    deleted, _by_model = follows.delete()
    if not deleted:
        return
    both = Member.objects.filter(pk__in=[follower_id, followed_id])
    if both.filter(reopened_at__isnull=False).exists():
        # Who came back is counted once a task has come by: nothing may be there to subtract from.
        _count_follows([follower_id, followed_id])
        return
    _count(follower_id, following_count=-1)
    _count(followed_id, followers_count=-1)


def _count(member_id: UUID, **changes: int) -> None:
    by: Mapping[str, object] = {name: F(name) + change for name, change in changes.items()}
    Member.objects.filter(pk=member_id).update(**by)
