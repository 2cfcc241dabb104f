"""Deleting the rows of the conventions that have had their time."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.common.idempotency import KEEP
from apps.common.models import IdempotencyKey, RateWindow

# Rows of one transaction.
_BATCH = 500


def prune_expired_rows() -> dict[str, int]:
    """Delete idempotency keys whose answers are no longer given again, and rate windows that are
    over.

    A row that is locked is being used and stays for the next time. Each batch commits by itself.

    Returns:
        How many `idempotency_keys` and `rate_windows` there were.
    """
    # Each by the clock that wrote it: the process's, the database's.
    keys = IdempotencyKey.objects.filter(started_at__lt=timezone.now() - KEEP)
    # A row does not tell its scope's period, so it stays for the longest.
    period = max(seconds for _limit, seconds in settings.THROTTLE_RATES.values())
    windows = RateWindow.objects.filter(started_at__lte=Now() - dt.timedelta(seconds=period))
    return {
        "idempotency_keys": delete_in_batches(keys, "started_at"),
        "rate_windows": delete_in_batches(windows, "started_at"),
    }


def delete_in_batches(rows: QuerySet[Any], by: str) -> int:
    """Delete rows, those with the smallest `by` first; how many there were.

    One that is locked stays for the next time. Each batch commits by itself.
    """
    oldest_first = rows.order_by(by).values_list("pk", flat=True)
    total = 0
    while True:
        with transaction.atomic():
            # Locked, and then looked at again: a window may have been started anew meanwhile.
            locked = list(oldest_first.select_for_update(skip_locked=True)[:_BATCH])
            rows.model._default_manager.filter(pk__in=locked).delete()
        total += len(locked)
        if len(locked) < _BATCH:
            return total
