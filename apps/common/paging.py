"""Keyset paging: `{"items": […], "next_cursor": …}`.

A cursor holds the sort key of the last row shown, so rows that come or go meanwhile shift
nothing. It is signed, and bound to its list by name.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _
from rest_framework.request import Request

from apps.common.errors import FieldError, InvalidCursor, InvalidInput
from apps.common.json import dumps

DEFAULT_LIMIT = 20
MAX_LIMIT = 50

Row = Mapping[str, Any]


def page_of(
    rows: QuerySet[Any, Any],
    request: Request,
    *,
    name: str,
    keys: Sequence[str],
    shape: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """One page of `rows`, newest first.

    Args:
        rows: a `.values()` queryset that includes `keys`.
        name: what the list is called; its cursors work for no other.
        keys: columns to sort by, all descending, the last one unique.
        shape: makes an item of a row.

    Raises:
        InvalidCursor: a cursor of another list, or one that was tampered with.
        InvalidInput: a `limit` that is no number above 0. Over 50 counts as 50.
    """
    limit = _limit(request.query_params.get("limit"))
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        rows = rows.filter(_before(keys, _decode(cursor, name, keys)))
    found = list(rows.order_by(*(f"-{key}" for key in keys))[: limit + 1])
    more = len(found) > limit
    return {
        "items": [shape(row) for row in found[:limit]],
        "next_cursor": _encode(found[limit - 1], name, keys) if more else None,
    }


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if not (value.isascii() and value.isdigit() and int(value[:9]) > 0):
        raise InvalidInput(
            errors=[FieldError("/limit", "invalid", _("limit must be a number from 1 to 50."))]
        )
    return min(int(value[:9]), MAX_LIMIT)


def _before(keys: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows after the cursor. The plain `<=` on the first key is what the index is entered by."""
    *leading, unique = keys
    after = Q(**{f"{unique}__lt": values[-1]})
    for key, value in reversed(list(zip(leading, values, strict=False))):
        after = Q(**{f"{key}__lte": value}) & (Q(**{f"{key}__lt": value}) | after)
    return after


def _signer(name: str) -> signing.Signer:
    return signing.Signer(salt=f"cursor.{name}", sep=".")


def _encode(row: Row, name: str, keys: Sequence[str]) -> str:
    return _signer(name).sign(urlsafe_base64_encode(dumps([row[key] for key in keys])))


def _decode(cursor: str, name: str, keys: Sequence[str]) -> list[Any]:
    try:
        values = orjson.loads(urlsafe_base64_decode(_signer(name).unsign(cursor)))
    except (signing.BadSignature, ValueError) as error:
        raise InvalidCursor from error
    if not isinstance(values, list) or len(values) != len(keys):
        raise InvalidCursor
    return [_restore(value) for value in values]


def _restore(value: Any) -> Any:
    """A signed value is one that we wrote: a UUID, a time or a number."""
    if isinstance(value, str) and value.endswith("Z"):
        return dt.datetime.fromisoformat(value)
    return UUID(value) if isinstance(value, str) else value
