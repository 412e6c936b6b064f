"""argon2 that leaves the processors to others: few at once, behind everybody, and a short queue.

A hash is meant to be slow, so guesses are the cheapest way to make a server slow for all. Here each
process computes PASSWORD_HASHES_AT_ONCE of them, in threads that the system runs when nobody else
wants to; who finds the queue full is told to come again, and keeps no thread of the web server waiting.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from config.errors import ServiceUnavailable
from config.logs import logger

log = logger(__name__)
# At 12 a thread weighs 70 against the 1,024 of one that answers a request (Linux, sched(7)).
_NICENESS = 12
# Half of the threads that a web process has (GRANIAN_BLOCKING_THREADS): the others go on answering.
_WAITING = 8
_Result = TypeVar("_Result")


class SparingArgon2(Argon2PasswordHasher):
    """argon2id with 19 MiB, 2 passes and 1 lane: OWASP's password storage cheat sheet.

    Hashes with other parameters are good, and replaced when their person signs in. `encode` and
    `verify` raise ServiceUnavailable when too many wait.
    """

    time_cost, memory_cost, parallelism = 2, 19_456, 1

    def encode(self, password: str, salt: str) -> str:
        whole = super().encode
        return _spared(lambda: whole(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        whole = super().verify
        return _spared(lambda: bool(whole(password, encoded)))


class _Bench:
    """The threads that hash, and the places of those who wait for one."""

    def __init__(self, at_once: int) -> None:
        self.threads = ThreadPoolExecutor(at_once, "argon2", initializer=_step_back)
        self.places = threading.BoundedSemaphore(at_once + _WAITING)


def _spared(work: Callable[[], _Result]) -> _Result:
    bench = _bench(os.getpid(), settings.PASSWORD_HASHES_AT_ONCE)
    if not bench.places.acquire(blocking=False):
        log.warning("password_hash.refused", extra={"waiting": _WAITING})
        raise ServiceUnavailable()
    try:
        return bench.threads.submit(work).result()
    finally:
        bench.places.release()


@cache
def _bench(process: int, at_once: int) -> _Bench:
    """Of this very process: threads do not outlive a fork."""
    return _Bench(at_once)


def _step_back() -> None:
    """On Linux a thread has a niceness of its own; elsewhere it would be the process's."""
    if sys.platform == "linux":
        # Never forward: a process that was started far back may not.
        present = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(present, _NICENESS))
