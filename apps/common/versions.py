"""Versions of rows that can be edited: the optimistic lock behind `If-Match`."""

from apps.common.errors import Stale


def require_version(current: int, expected: frozenset[str] | None) -> None:
    """Call it with the row locked; raises Stale where `If-Match` named another version.

    `expected` are the versions that will do, None where any will.
    """
    if expected is not None and str(current) not in expected:
        raise Stale
