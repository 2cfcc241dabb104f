"""Counting again what the counters of posts and members count, and mending those that are wrong."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Model, QuerySet

from apps.members.models import Block, Follow, Member
from apps.posts.models import Comment, Photo, Post, PostLike
from apps.posts.models.post import MAX_PHOTOS

logger = logging.getLogger(__name__)

# Rows of one transaction. Who likes or comments on one of them waits until it ends.
_BATCH = 500
# Of one run: what broke every counter must not flood the log as well.
_MAX_LINES = 100
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True)
class _Counted:
    """The rows that a counter counts, and their column that tells whose counter it is."""

    rows: QuerySet[Any]
    owner: str


@dataclass(frozen=True)
class _Table:
    """A model with counters, and its columns that are read besides."""

    model: type[Model]
    counters: dict[str, _Counted]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Drift:
    """A counter that is wrong."""

    owner_id: UUID
    counter: str
    stored: int
    counted: int
    is_mended: bool


# What everyone sees: without what closed accounts like, wrote and follow. No rows are behind
# save_count yet.
_TABLES = (
    _Table(
        Post,
        {
            "photo_count": _Counted(Photo.objects.all(), "post_id"),
            "like_count": _Counted(PostLike.objects.filter(member__is_active=True), "post_id"),
            "comment_count": _Counted(Comment.objects.filter(author__is_active=True), "post_id"),
        },
        columns=("status",),
    ),
    _Table(
        Member,
        {
            "posts_count": _Counted(Post.objects.filter(status=Post.Status.PUBLISHED), "author_id"),
            "followers_count": _Counted(
                Follow.objects.filter(follower__is_active=True), "followed_id"
            ),
            "following_count": _Counted(
                Follow.objects.filter(followed__is_active=True), "follower_id"
            ),
            "blocks_count": _Counted(Block.objects.all(), "blocker_id"),
            "blocked_count": _Counted(Block.objects.all(), "blocked_id"),
        },
    ),
)


def recount_counters() -> dict[str, int]:
    """Compare every counter of posts and members with its rows, and correct those that are wrong.

    It can run beside everything else, and end anywhere: each batch commits by itself. A wrong
    counter is logged as a warning, up to 100 of them, then a summary. Nothing else of its row
    changes: counters are not part of a version.

    Returns:
        How many `posts` and `members` were looked at, and, under the name of each counter, how
        many were wrong.
    """
    report: dict[str, int] = {}
    wrong = 0
    for table in _TABLES:
        name = table.model._meta.model_name
        report |= dict.fromkeys([f"{name}s", *table.counters], 0)
        for looked_at, drifts in _recount_in_batches(table):
            report[f"{name}s"] += looked_at
            for drift in drifts:
                report[drift.counter] += 1
                wrong += 1
                if wrong <= _MAX_LINES:
                    logger.warning(
                        "%s %s: %s was %d, counted %d%s",
                        name,
                        drift.owner_id,
                        drift.counter,
                        drift.stored,
                        drift.counted,
                        "" if drift.is_mended else "; left, it would break a constraint",
                    )
    if wrong:
        logger.warning("%d counters were wrong: %s", wrong, report)
    return report


def lock_posts(post_ids: Iterable[UUID]) -> list[Post]:
    """Lock posts in the order of their keys, as everyone does; those that are gone are left out."""
    return list(
        Post.objects.select_for_update(no_key=True).filter(pk__in=list(post_ids)).order_by("pk")
    )


def recount_locked_posts(posts: Sequence[Post]) -> None:
    """Count anew what the counters of locked posts count, in the caller's transaction."""
    _mend_locked(_TABLES[0], posts)


def uncount(*, post: Post, counter: str, by: Member) -> None:
    """Take a like or a comment of `by` that was just deleted out of a locked post's counter.

    One is subtracted where it was surely counted. What a member likes or wrote who has left, or
    has come back, is counted only once a task has come by: the post is counted anew.

    Args:
        by: as the row was after the post was locked.
    """
    if by.is_active and by.reopened_at is None:
        Post.objects.filter(pk=post.pk).update(**{counter: F(counter) - 1})
    else:
        recount_locked_posts(lock_posts([post.pk]))


def _recount_in_batches(table: _Table) -> Iterator[tuple[int, list[_Drift]]]:
    """For each batch, when it is committed: how many rows, and what was wrong with them."""
    after = _BEFORE_ALL
    while True:
        with transaction.atomic():
            # The lock that the services take. Counting is a statement of its own, since one that
            # waits for a lock goes on with what it saw before.
            rows: list[Any] = list(
                table.model._default_manager.select_for_update(no_key=True)
                .filter(pk__gt=after)
                .order_by("pk")
                .only(*table.columns, *table.counters)[:_BATCH]
            )
            drifts = _mend_locked(table, rows)
        yield len(rows), drifts
        if len(rows) < _BATCH:
            return
        after = rows[-1].pk


def _mend_locked(table: _Table, rows: Sequence[Any]) -> list[_Drift]:
    drifts = []
    mended = {}
    for counter, counted in table.counters.items():
        counts = _count(counted, [row.pk for row in rows])
        for row in rows:
            stored, count = getattr(row, counter), counts.get(row.pk, 0)
            if stored != count:
                is_allowed = _is_allowed(row, counter, count)
                drifts.append(_Drift(row.pk, counter, stored, count, is_mended=is_allowed))
                if is_allowed:
                    setattr(row, counter, count)
                    mended[row.pk] = row
    table.model._default_manager.bulk_update(mended.values(), list(table.counters))
    return drifts


def _count(counted: _Counted, owner_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = counted.rows.filter(**{f"{counted.owner}__in": owner_ids})
    return dict(rows.values_list(counted.owner).annotate(Count("pk")))


def _is_allowed(row: Any, counter: str, count: int) -> bool:
    """Whether the constraints of Post allow this count.

    A post that somebody broke by hand must not keep the others from being mended.
    """
    if counter != "photo_count":
        return True
    return count <= MAX_PHOTOS and (count > 0 or row.status != Post.Status.PUBLISHED)
