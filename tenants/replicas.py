"""May the replica answer? Not when the tenant has just written, nor when the replica is away or far behind.

Each process looks at the replica at most once a second, on a connection of its own.
"""

import os
import select
import threading
import time
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from psycopg.pq import ExecStatus

from config.logs import logger
from tenants.engine.bindings import lookup_binding, replica_address
from tenants.engine.writes import may_have_written

log = logger(__name__)
LOOK_EVERY_SECONDS = 1.0
# While one thread looks, the others go by what it saw last, unless that is older.
KNOWN_FOR_SECONDS = 2.0
PAUSE_SECONDS = 5.0
PATIENCE_SECONDS = 1.0
# Caught up with all that the primary had a moment ago is no lag, however long nobody has written, and
# whether or not the replica knows that it is cut off. Else it is the age of what it replayed last.
_LAG = b"""
SELECT CASE WHEN NOT pg_is_in_recovery() THEN NULL
            WHEN pg_last_wal_replay_lsn() >= $1::pg_lsn THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
"""


class ReplicaAway(Exception):
    """The replica does not answer in time."""


def may_read_replica(tenant_id: UUID) -> bool:
    """Whether the replica may answer a read of this tenant now."""
    if settings.DATABASE_REPLICA is None:
        return False
    return replica().is_fresh() and not may_have_written(tenant_id)


def note_write(tenant_id: UUID) -> None:
    """Tell that the transaction in force changes what this tenant reads, though it is not in force (a webhook)."""
    wrapper: Any = connection
    wrapper.mark_write(tenant_id)


class Replica:
    """What this process knows of one replica; safe for threads."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._looked_at = self._paused_until = float("-inf")
        self._lag_seconds: float | None = None

    def is_fresh(self) -> bool:
        """Whether it answers and is at most REPLICA_MOST_LAG_SECONDS behind, as of a second ago."""
        now = time.monotonic()
        if now < self._paused_until:
            return False
        if now - self._looked_at >= LOOK_EVERY_SECONDS and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        lag, age = self._lag_seconds, time.monotonic() - self._looked_at
        return (
            lag is not None and age < KNOWN_FOR_SECONDS and lag <= settings.REPLICA_MOST_LAG_SECONDS
        )

    def pause(self, reason: str) -> None:
        """Leave it alone for some seconds: it is away."""
        self._lag_seconds = None
        self._looked_at = float("-inf")
        self._paused_until = time.monotonic() + PAUSE_SECONDS
        log.warning("replica.paused", extra={"reason": reason, "seconds": PAUSE_SECONDS})

    def _look(self) -> None:
        """Ask the primary how far it is, then the replica whether it is as far."""
        self._lag_seconds = None
        self._looked_at = time.monotonic()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
                position = str(cursor.fetchone()[0])
        except DatabaseError as error:
            # The request itself will tell of it: the primary's answer is the one that counts.
            log.warning("replica.primary_unknown", extra={"reason": type(error).__name__})
            return
        try:
            self._lag_seconds = self._lag_of(position)
        except (psycopg.Error, ReplicaAway) as error:
            self._forget_connection()
            self.pause(type(error).__name__)

    def _lag_of(self, position: str) -> float | None:
        """Seconds behind the primary, None when that is not known. Raises ReplicaAway, psycopg.Error."""
        is_kept = self._connection is not None
        try:
            return self._lag(position)
        except psycopg.Error:
            if not is_kept:
                raise
        # The server was started anew since the last look.
        self._forget_connection()
        return self._lag(position)

    def _lag(self, position: str) -> float | None:
        if self._connection is None or self._connection.closed:
            self._connection = _connect()
        raw = self._connection.pgconn
        raw.send_query_params(_LAG, [position.encode()])
        deadline = time.monotonic() + PATIENCE_SECONDS
        # A server that is stopped keeps its connections: they take a question, and answer nothing.
        poll = select.poll()
        poll.register(raw.socket, select.POLLIN)
        while raw.flush() or raw.is_busy():
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise ReplicaAway
            raw.consume_input()
        answer = raw.get_result()
        while raw.get_result() is not None:
            pass
        if answer is None or answer.status != ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(raw.get_error_message())
        told = answer.get_value(0, 0)
        return None if told is None else float(told)

    def _forget_connection(self) -> None:
        gone, self._connection = self._connection, None
        if gone is not None:
            gone.close()


def _connect() -> "psycopg.Connection[Any]":
    who = lookup_binding()
    return psycopg.connect(
        **replica_address(),
        user=who.user,
        password=who.password,
        application_name="plaza-lag",
        autocommit=True,
    )


def replica() -> Replica:
    """What this process knows of REPLICA_DATABASE_URL."""
    at = replica_address()
    return _replica_at(at["host"], at["port"], at["dbname"])


@cache
def _replica_at(host: str, port: str, name: str) -> Replica:
    return Replica()


# Its connection is the parent's: psycopg does not close what another process opened.
os.register_at_fork(after_in_child=_replica_at.cache_clear)
