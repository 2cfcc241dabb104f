"""Ids: UUIDv7, whose order is the order of creation."""

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A new id. RFC 9562, version 7: 48 bits of milliseconds, then random bits."""
    return _uuid7()
