"""Deleting the rows of the conventions that have had their time."""

import datetime as dt

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from apps.common.batches import prune_in_batches
from apps.common.idempotency import KEEP
from apps.common.models import IdempotencyKey, RateWindow


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
        "idempotency_keys": prune_in_batches(keys, "started_at"),
        "rate_windows": prune_in_batches(windows, "started_at"),
    }
