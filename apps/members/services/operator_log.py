"""What operators did in the admin, kept when those whose data it was are erased.

The admin's own log calls rows by what they say and has no end, so its entries of a member's rows
are moved: the least of each is kept, for two years, whether the operator is still in office or not.
docs/leaving.md says what Django's log lacks.
"""

import datetime as dt
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.common.batches import in_batches
from apps.members.models import Member, RetainedRecord
from apps.members.models.leaving import hash_username

# PIPC's standard of measures to ensure the safety of personal information, article 8.
KEPT = dt.timedelta(days=731)
# Rows of one query.
_BATCH = 500


def move_log_of(rows: QuerySet[Any], *, member: Member) -> None:
    """Move what the admin's log says of these rows of a member who is being erased."""
    kind = ContentType.objects.get_for_model(rows.model)
    for found in in_batches(rows.only("pk")):
        # As values, not as a subquery: so the index of the log is used.
        keys = [str(row.pk) for row in found]
        move(LogEntry.objects.filter(content_type=kind, object_id__in=keys), member=member)


def move(entries: QuerySet[LogEntry], *, member: Member) -> None:
    """Move entries of the admin's log, in batches; again is harmless."""
    name = hash_username(member.username)
    while True:
        with transaction.atomic():
            found = list(entries.select_related("content_type").order_by("pk")[:_BATCH])
            oldest = timezone.now() - KEPT
            RetainedRecord.objects.bulk_create(
                [_kept(entry, name) for entry in found if entry.action_time > oldest],
                ignore_conflicts=True,
            )
            LogEntry.objects.filter(pk__in=[entry.pk for entry in found]).delete()
        if len(found) < _BATCH:
            return


def _kept(entry: LogEntry, username_hash: bytes) -> RetainedRecord:
    kind = entry.content_type
    return RetainedRecord(
        kind=RetainedRecord.Kind.OPERATOR,
        basis=RetainedRecord.Basis.SAFEGUARDS,
        source_id=str(entry.pk),
        username_hash=username_hash,
        data={
            "operator": str(entry.user_id),
            "at": entry.action_time.isoformat(),
            "action": entry.action_flag,
            "model": f"{kind.app_label}.{kind.model}" if kind else "",
            "object_id": entry.object_id,
        },
        delete_at=entry.action_time + KEPT,
    )
