"""Work on roles, tried again where another database of the cluster crossed it.

Roles are the cluster's, an advisory lock is a database's: two installations, or two tests, may write the
same rows of its catalogs at once. PostgreSQL then refuses the later one.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from config.logs import logger

log = logger(__name__)
CROSSED = (
    psycopg.errors.InternalError_,  # "tuple concurrently updated"
    psycopg.errors.UniqueViolation,
    psycopg.errors.DuplicateObject,
)
_TRIES = 8
_PAUSE_SECONDS = 0.02
Made = TypeVar("Made")


def again_where_crossed(work: Callable[[], Made]) -> Made:
    """What `work`, which must be harmless to repeat, makes. Raises what its last try raised."""
    for tried in range(1, _TRIES):
        try:
            return work()
        except CROSSED as crossed:
            log.info("roles.crossed", extra={"reason": type(crossed).__name__, "tried": tried})
            time.sleep(random.uniform(0, _PAUSE_SECONDS * tried))  # noqa: S311
    return work()
