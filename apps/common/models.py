"""Rows behind the conventions: idempotency keys and rate windows."""

from django.db import models

from apps.common.ids import uuid7


class UUIDModel(models.Model):
    """A row whose id tells when it was made."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class IdempotencyKey(UUIDModel):
    """One creating request and its first answer. Written by `idempotency.py` alone.

    The table holds a hash of the key, and the answer encrypted with a key made of it, since an
    answer may hold tokens.
    """

    key_hash = models.BinaryField(max_length=32)
    request_hash = models.BinaryField(max_length=32)
    started_at = models.DateTimeField()
    # Null while the first request runs.
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key_hash"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=models.Q(status__isnull=True, answer__isnull=True)
                | models.Q(status__isnull=False, answer__isnull=False),
                name="idempotency_answer_has_status",
            ),
        ]
        indexes = [
            # Pruning of keys older than a day.
            models.Index(fields=["started_at"], name="idempotency_started"),
        ]


class RateWindow(models.Model):
    """How often a caller called within a scope's current window. Written by `throttles.py`."""

    key = models.CharField(max_length=200, primary_key=True)
    started_at = models.DateTimeField()
    hits = models.PositiveIntegerField()

    class Meta:
        indexes = [
            # Pruning of windows that are over.
            models.Index(fields=["started_at"], name="rate_window_started"),
        ]
