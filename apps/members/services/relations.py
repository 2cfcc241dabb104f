"""Following, blocking and muting. Each is a toggle: doing it again is harmless.

Whoever writes follows or blocks locks both members first, in the order of their ids: a follow and
a block that cross, or two members who follow each other at the same moment, wait instead of
locking each other out, and the second sees what the first did.
"""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model

from apps.common.errors import NotFound
from apps.common.lookups import get_or_404
from apps.members.errors import Yourself
from apps.members.models import Block, Follow, Member, Mute

# Other members of one transaction.
_BATCH = 500
# Of each table: the columns of the member's end and of the other's, and the counters of both.
_COUNTED: dict[type[Model], tuple[tuple[str, str, tuple[str, str] | None], ...]] = {
    Follow: (
        ("follower_id", "followed_id", ("following_count", "followers_count")),
        ("followed_id", "follower_id", ("followers_count", "following_count")),
    ),
    Block: (
        ("blocker_id", "blocked_id", ("blocks_count", "blocked_count")),
        ("blocked_id", "blocker_id", ("blocked_count", "blocks_count")),
    ),
    Mute: (("muter_id", "muted_id", None), ("muted_id", "muter_id", None)),
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


def end_relations(*, member_id: UUID) -> int:
    """Delete all follows, blocks and mutes of a member, and by a member, for one who leaves.

    In transactions of 500 others, whose counters stay right; it can end anywhere and be called
    again. The account is closed before, so that nobody begins to follow meanwhile. Deleting the
    row alone would leave the others' counters as they were.

    Returns:
        How many other members there were.
    """
    ended = 0
    while True:
        with transaction.atomic():
            others = _related_to(member_id)[:_BATCH]
            if not others:
                return ended
            ids = sorted([member_id, *others])
            list(Member.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
            for model, ends in _COUNTED.items():
                for mine, theirs, counters in ends:
                    rows = model._default_manager.filter(
                        **{mine: member_id, f"{theirs}__in": others}
                    )
                    found = list(rows.values_list(theirs, flat=True))
                    rows.delete()
                    if counters and found:
                        mine_name, theirs_name = counters
                        _count(member_id, **{mine_name: -len(found)})
                        Member.objects.filter(pk__in=found).update(
                            **{theirs_name: F(theirs_name) - 1}
                        )
            ended += len(others)


def _related_to(member_id: UUID) -> list[UUID]:
    found: set[UUID] = set()
    for model, ends in _COUNTED.items():
        for mine, theirs, _counters in ends:
            rows = model._default_manager.filter(**{mine: member_id})
            found |= set(rows.values_list(theirs, flat=True)[:_BATCH])
    return sorted(found)


def _require_another(member: Member, other_id: UUID) -> None:
    if other_id == member.pk:
        raise Yourself


def _lock_both(member: Member, other_id: UUID) -> None:
    _require_another(member, other_id)
    both = Member.objects.filter(pk__in=[member.pk, other_id])
    # The counters would wait for this lock anyway; it leaves foreign keys to the members free.
    found = both.select_for_update(no_key=True).order_by("pk").values_list("pk")
    if len(found) < 2:
        raise NotFound


def _require_visible(member: Member, other_id: UUID) -> None:
    """Asked in a statement after the lock: one that waited goes on with what it saw before."""
    if not Member.objects.visible_to(member).filter(pk=other_id).exists():
        raise NotFound


def _end_follow(follower_id: UUID, followed_id: UUID) -> None:
    follows = Follow.objects.filter(follower_id=follower_id, followed_id=followed_id)
    deleted, _by_model = follows.delete()
    if deleted:
        _count(follower_id, following_count=-1)
        _count(followed_id, followers_count=-1)


def _count(member_id: UUID, **changes: int) -> None:
    by: Mapping[str, object] = {name: F(name) + change for name, change in changes.items()}
    Member.objects.filter(pk=member_id).update(**by)
