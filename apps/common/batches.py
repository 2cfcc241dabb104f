"""Many rows, so many at a time: no long lock, and no more in memory."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

# Rows of one batch, where a caller names no other number.
BATCH = 500


def in_batches(rows: QuerySet[Any], batch: int = 0) -> Iterator[list[Any]]:
    """All rows in order of their keys.

    `iterator()` would need a cursor on the server, which poolers have none of.
    """
    size = batch or BATCH
    after = None
    while True:
        more = rows if after is None else rows.filter(pk__gt=after)
        found = list(more.order_by("pk")[:size])
        if found:
            yield found
            after = found[-1].pk
        if len(found) < size:
            return


def delete_in_batches(rows: QuerySet[Any], batch: int = 0) -> None:
    """Delete all rows, in order of their keys. Each batch commits by itself."""
    size = batch or BATCH
    while True:
        with transaction.atomic():
            keys = list(rows.order_by("pk").values_list("pk", flat=True)[:size])
            rows.model._default_manager.filter(pk__in=keys).delete()
        if len(keys) < size:
            return


def prune_in_batches(rows: QuerySet[Any], by: str) -> int:
    """Delete rows, those with the smallest `by` first; how many there were.

    One that is locked is being used, and stays for the next time. Each batch commits by itself.
    """
    oldest_first = rows.order_by(by).values_list("pk", flat=True)
    total = 0
    while True:
        with transaction.atomic():
            # Locked, and then looked at again: a row may have got another time meanwhile.
            locked = list(oldest_first.select_for_update(skip_locked=True)[:BATCH])
            rows.model._default_manager.filter(pk__in=locked).delete()
        total += len(locked)
        if len(locked) < BATCH:
            return total
