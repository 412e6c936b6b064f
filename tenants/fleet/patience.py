"""Waiting for locks: a little, then again, longer and longer; never so long that a tenant's requests pile up behind."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from django.db import DatabaseError

Result = TypeVar("Result")
_LONGEST_PAUSE_SECONDS = 8.0


def is_about_locks(error: BaseException) -> bool:
    """Whether somebody held a lock: it may work the next time."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    return isinstance(cause, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)


@dataclass(frozen=True, slots=True)
class Patience:
    """`lock_timeout_ms` is how long one statement waits for a lock; `tries` is how often all is begun anew."""

    lock_timeout_ms: int
    tries: int

    @property
    def sql(self) -> str:
        return f"SET LOCAL lock_timeout = {self.lock_timeout_ms}"

    def with_retries(self, work: Callable[[], Result]) -> Result:
        """`work` is a transaction of its own. Raises what it raises, a refused lock after the last try."""
        for attempt in range(1, self.tries):
            try:
                return work()
            except (DatabaseError, psycopg.Error) as error:
                if not is_about_locks(error):
                    raise
            # A quarter up or down, so that two who met do not meet again.
            pause = min(_LONGEST_PAUSE_SECONDS, 0.25 * 2**attempt) * random.uniform(0.75, 1.25)  # noqa: S311
            time.sleep(pause)
        return work()
