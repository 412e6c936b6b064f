"""Identifiers: UUIDv7, made here and never by the database (PostgreSQL has uuidv7() only from 18 on)."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7: unique, and in order of creation, so that indexes grow at their end."""
    return uuid7()
