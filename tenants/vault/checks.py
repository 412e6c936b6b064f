"""Whether this process has the master keys that the database needs: asked before anything is served."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from config.logs import logger
from tenants.engine.owner import plain_connection
from tenants.vault.masters import ring

log = logger(__name__)
_MASTERS = "SELECT DISTINCT master::text FROM public.tenants_datakey ORDER BY 1"


@register("plaza")
def master_keys_are_those_of_the_database(**_: Any) -> list[CheckMessage]:
    """With a wrong or a missing master key no secret could be opened: refuse to start, and say which is wanted."""
    known = ring().names()
    told = ", ".join(known)
    return [
        Error(
            f"Secrets are sealed under the master key {name}, which was not given.",
            hint=f"Give it in PLAZA_MASTER_KEY too, after the present one. Given: {told}.",
            id="plaza.E005",
        )
        for name in _wrapping_masters()
        if name not in known
    ]


def _wrapping_masters() -> list[str]:
    """The names of the master keys that wrap data keys; none where there is no database yet, or it is away:
    whoever opens a secret then is refused by name (MasterKeyMissing).

    By a connection of its own, since a process that begins has said no place yet (config/context.py).
    """
    try:
        with plain_connection(
            settings.DATABASE_SQUARE, name="plaza-check", patience_seconds=2
        ) as asking:
            return [name for (name,) in asking.execute(_MASTERS)]
    except psycopg.errors.UndefinedTable:  # before the first migration
        return []
    except psycopg.Error as error:
        log.warning("master_keys.not_compared", extra={"reason": type(error).__name__})
        return []
