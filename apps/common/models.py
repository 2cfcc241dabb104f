"""Rows behind the conventions: idempotency keys and rate windows; what other models are made of."""

from typing import Any

import orjson
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7


class UUIDModel(models.Model):
    """A row whose id tells when it was made."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class JSONField(models.JSONField):
    """Django's, read by orjson: a page of 20 cards holds some 80 values."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """What the column holds; a key of it comes as Django has it."""
        if isinstance(value, str) and not isinstance(expression, KeyTransform):
            return orjson.loads(value)
        return super().from_db_value(value, expression, connection)

    def deconstruct(self) -> Any:
        """As Django's: it is the same to a migration."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs


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
        verbose_name, verbose_name_plural = _("idempotency key"), _("idempotency keys")
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
        verbose_name, verbose_name_plural = _("rate window"), _("rate windows")
        indexes = [
            # Pruning of windows that are over.
            models.Index(fields=["started_at"], name="rate_window_started"),
        ]
