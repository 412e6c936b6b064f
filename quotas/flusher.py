"""What a web process does beside its requests, once a second: fold API calls, renew leases, keep explanations."""

import atexit
import multiprocessing.util
import os
import threading
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from config.logs import logger
from config.quick_redis import RedisAway, quick_redis
from quotas import api_calls, callers, explanations
from quotas.running import renew_leases
from quotas.spool import end_spool
from tenants.isolation import square_context

log = logger(__name__)
EVERY_SECONDS = 1.0
_LAST_TURN_SECONDS = 5.0


class Flusher:
    """One thread of this process."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plaza-flusher", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            with suppress(RedisAway):  # so that an idle process need not read its tenants anew
                quick_redis().ask(lambda server: server.ping())
            turn()

    def stop(self) -> None:
        """The last turn is the stopping process's; what it leaves, another process folds."""
        self._stop.set()
        self._thread.join(_LAST_TURN_SECONDS)
        end_spool(is_folded=not self._thread.is_alive() and turn())


def turn() -> bool:
    """One round. False where PostgreSQL is away: everything waits for the next round."""
    now = timezone.now()  # noqa: TID251 - this thread is a clock
    with square_context():
        try:
            renew_leases()
            api_calls.flush()
            callers.flush(now=now)
            api_calls.weigh(now=now)
            explanations.flush()
        except (DatabaseError, InterfaceError, OSError) as error:
            log.warning("flusher.postponed", extra={"reason": type(error).__name__})
            return False
        finally:
            connection.close_if_unusable_or_obsolete()
    return True


_flushers: dict[int, Flusher] = {}
_starting = threading.Lock()


def start() -> None:
    """Begin in this process. Harmless twice."""
    with _starting:
        if os.getpid() not in _flushers:
            _flushers[os.getpid()] = flusher = Flusher()
            # granian's processes are multiprocessing's, which end without `atexit`.
            if multiprocessing.parent_process() is None:
                atexit.register(flusher.stop)
            else:
                multiprocessing.util.Finalize(None, flusher.stop, exitpriority=10)
