"""Finding one row, or 404."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from apps.common.errors import NotFound

M = TypeVar("M", bound=Model)


def get_or_404(rows: QuerySet[M], row_id: UUID) -> M:
    """The row of `rows` with this id; raises NotFound, also for a row the caller may not see."""
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise NotFound
    return row
