"""Django's cache: each key carries the opaque id of its tenant, and each value says again whose it is."""

from typing import Any

from django.core.cache.backends.redis import RedisSerializer
from django.db import connection as any_connection

from config.context import PUBLIC_SCHEMA, current_tenant, whose

connection: Any = any_connection


class ForeignValue(RuntimeError):
    """A value came back that another tenant stored: it is not handed out."""


def make_key(key: str, prefix: str, version: int) -> str:
    """The KEY_FUNCTION: `plaza:{<tenant's id>}:cache:<version>:<key>`, or `{square}`. Raises NoPlace."""
    return f"{prefix}:{{{_owner()}}}:cache:{version}:{key}"


class OwnedValues(RedisSerializer):
    """Django's serializer, with the tenant's id before each value.

    A plain number is stored as it is, for Redis to count it up: only its key says whose it is.
    """

    def dumps(self, obj: Any) -> Any:
        stored = super().dumps(obj)
        return stored if type(obj) is int else _owner().encode() + b":" + stored

    def loads(self, data: Any) -> Any:
        """Raises ForeignValue."""
        try:
            return int(data)
        except ValueError:
            owner, _, stored = bytes(data).partition(b":")
        if owner != _owner().encode():
            raise ForeignValue("The cache answered with another tenant's value.")
        return super().loads(stored)


def _owner() -> str:
    # django-tenants' own schema_context binds the connection and nothing else.
    if current_tenant() is None and connection.schema_name != PUBLIC_SCHEMA:
        return str(connection.schema_name).removeprefix("t_")
    return whose()
