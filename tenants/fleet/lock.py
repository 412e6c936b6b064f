"""One fleet run at a time, by an advisory lock that dies with its connection; whoever is refused hears who has it.

A killed run's last statements go on in the server without it, and may still commit: so whoever works
in a schema shares a second lock, and a new run waits until nobody has it.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tenants.engine.owner import owner_connection
from tenants.fleet.ledger import Owner

# "plazafle": any 64 bits that nobody else locks.
_KEY = int.from_bytes(b"plazafle")
_AT_WORK_KEY = int.from_bytes(b"plazaflw")
SHARE_SQL = f"SELECT pg_advisory_xact_lock_shared({_AT_WORK_KEY})"  # until the transaction ends
BEGIN_SHARING_SQL = f"SELECT pg_advisory_lock_shared({_AT_WORK_KEY})"  # until the session ends, or
END_SHARING_SQL = f"SELECT pg_advisory_unlock_shared({_AT_WORK_KEY})"
_PATIENCE = sql.SQL("SET LOCAL lock_timeout = '60s'")
_HOLDER = """
SELECT activity.pid, activity.application_name, activity.backend_start
FROM pg_locks AS held JOIN pg_stat_activity AS activity ON activity.pid = held.pid
WHERE held.locktype = 'advisory' AND held.granted
  AND (held.classid::bigint << 32) | held.objid::bigint = %s
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_ASK_AGAIN_SECONDS = 0.5


class FleetBusy(Exception):
    """Another process migrates the fleet; the message says which."""


@contextmanager
def one_fleet_at_a_time(*, wait_seconds: float = 0) -> Iterator[Owner]:
    """Hold the lock on the connection that is given. Raises FleetBusy after `wait_seconds`."""
    with owner_connection() as owner:
        # Shown to whoever is refused, and to a DBA.
        name = f"plaza-fleet {socket.gethostname()}:{os.getpid()}"
        owner.execute(sql.SQL("SET application_name = {}").format(sql.Literal(name[:63])))
        _take(owner, time.monotonic() + wait_seconds)
        _outlive_the_killed(owner)
        yield owner


def _take(owner: Owner, until: float) -> None:
    while not _is_taken(owner):
        if time.monotonic() >= until:
            raise FleetBusy(_held_by(owner))
        time.sleep(_ASK_AGAIN_SECONDS)


def _outlive_the_killed(owner: Owner) -> None:
    try:
        with owner.transaction():
            owner.execute(_PATIENCE)
            owner.execute("SELECT pg_advisory_xact_lock(%s)", [_AT_WORK_KEY])
    except psycopg.errors.LockNotAvailable as error:
        raise FleetBusy(
            "A run that was killed is still at work in PostgreSQL (building an index?). Run it again later."
        ) from error


def _is_taken(owner: Owner) -> bool:
    row = owner.execute("SELECT pg_try_advisory_lock(%s)", [_KEY]).fetchone()
    return row is not None and bool(row[0])


def _held_by(owner: Owner) -> str:
    row = owner.execute(_HOLDER, [_KEY]).fetchone()
    if row is None:
        return "Another fleet run was just ending. Run it again."
    return f"Another fleet run is at work: {row[1]} (backend {row[0]}, since {row[2]:%Y-%m-%d %H:%M:%S %Z})."
