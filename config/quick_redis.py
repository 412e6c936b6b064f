"""The Redis that requests ask: never longer than a time-out, and not at all while it is known to be away.

A stalled server costs one request 50 ms, then nothing until a probe finds it back. Scripts run on a
connection of each thread, without redis-py's pool, which costs more than the round trip itself; their
replies may also be left for later (`tell`), so that what nobody waits for costs no wait.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.exceptions import NoScriptError
from redis.retry import Retry

from config.breaker import Breaker
from config.logs import logger

log = logger(__name__)
TIMEOUT_SECONDS = settings.PLAZA_REDIS_TIMEOUT_MS / 1000
PATIENCE_SECONDS = 5.0
# A process that has not heard of Redis for this long may have missed a change that its writer could
# not mark, since Redis stood still: whoever marks waits longer than this (tenants/versions.py).
SILENCE_SECONDS = 2.0
INSISTENCE_SECONDS = 3.0
_RUN_ID = re.compile(rb"run_id:(\w+)")
T = TypeVar("T")
Argument = str | int | bytes


class RedisAway(Exception):
    """Redis does not answer, or not in time."""


class Script:
    """Lua for `QuickRedis.run`; its name in Redis is the hash of its text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha: str | None = None


class QuickRedis:
    """One server with one patience, and a breaker. Safe for threads."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            redis_connect_func=self._greet,
            # A connection that the server closed meanwhile costs a retry; a time-out is not tried again.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        self.timeout_seconds = timeout_seconds
        self._own = threading.local()
        self.breaker = Breaker()
        self._connected = 0
        self._life = b""
        self._heard_at = time.monotonic()

    @property
    def connected(self) -> int:
        """How many of its lives were met (the first one here), and silences of it.

        Whoever knows something of before may have missed what was written meanwhile.
        """
        if not self._connected and not self.is_away:
            with suppress(RedisAway):  # it is told, and asked again
                self.ask(lambda client: client.ping())
        if time.monotonic() - self._heard_at > SILENCE_SECONDS:
            self._hear()
        return self._connected

    def _hear(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > SILENCE_SECONDS:
            self._connected += 1
        self._heard_at = now

    @property
    def is_away(self) -> bool:
        return self.breaker.is_open

    def ask(self, question: Callable[[redis.Redis], T]) -> T:
        """The answer to `question`, which gets redis-py's client. Raises RedisAway."""
        return self._asked(lambda: question(self._client))

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """What `script` returns, in one round trip. Raises RedisAway."""
        return self._asked(lambda: self._exchange(script, keys, arguments))

    def tell(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> None:
        """Send `script` and do not wait: the reply is read before this thread asks again.

        It is in the server's hands when this returns, also when this process is killed then. Raises
        RedisAway.
        """
        self._asked(lambda: self._send_only(script, keys, arguments), is_answered=False)

    def insist(self, question: Callable[[redis.Redis], T]) -> T:
        """The same as `ask`, whatever the breaker says: it waits as long as this server's patience. Raises RedisAway."""
        try:
            return question(self._client)
        except (redis.RedisError, OSError) as error:
            raise RedisAway from error

    def _asked(self, question: Callable[[], T], *, is_answered: bool = True) -> T:
        try:
            if self.breaker.is_open:
                self._probe()
            answer = question()
        except (redis.RedisError, OSError) as error:
            if self.breaker.open():
                log.exception("counters.lost", extra={"reason": type(error).__name__})
            raise RedisAway from error
        if is_answered:
            self._hear()
        return answer

    def _probe(self) -> None:
        """A PING, not a question: a stalled server would answer that later, when all is decided elsewhere."""
        if not self.breaker.may_probe():
            raise RedisAway
        self._client.ping()
        self.breaker.close()
        log.info("counters.found")

    def _greet(self, connection: AbstractConnection) -> None:
        """Another life of the server may have begun with what it had saved before; another connection has not."""
        connection.on_connect()  # type: ignore[no-untyped-call]
        connection.send_command("INFO", "server")  # type: ignore[no-untyped-call]
        try:
            told = _RUN_ID.search(connection.read_response())
        except redis.ResponseError:  # it may not be asked: each connection then counts as a life
            told = None
        if told is None or told[1] != self._life:
            self._connected += 1
            self._life = told[1] if told else b""

    def _exchange(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        def sent_and_answered() -> Any:
            return self._send(script, keys, arguments).read_response()

        try:
            return self._once_more(sent_and_answered)
        except NoScriptError:
            script.sha = None
            return self._once_more(sent_and_answered)

    def _send_only(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> None:
        self._once_more(lambda: self._send(script, keys, arguments, whole=True))
        self._own.unread += 1

    def _send(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        *,
        whole: bool = False,
    ) -> AbstractConnection:
        """`whole`: by its text, since nobody would see that the server does not know its hash."""
        connection = self._connection()
        if script.sha is None and not whole:
            script.sha = str(self._client.script_load(script.source))
        named = ("EVAL", script.source) if whole else ("EVALSHA", script.sha)
        connection.send_command(  # type: ignore[no-untyped-call]
            *named, len(keys), *keys, *arguments, check_health=False
        )
        return connection

    def _once_more(self, work: Callable[[], T]) -> T:
        """A connection that the server closed while it was idle is no outage: try on a new one, once."""
        try:
            return self._or_closed(work)
        except redis.TimeoutError:
            raise
        except redis.ConnectionError:
            return self._or_closed(work)

    def _or_closed(self, work: Callable[[], T]) -> T:
        """Whatever breaks an exchange leaves replies behind that must not be taken for the next one's."""
        try:
            return work()
        except redis.ResponseError:
            raise  # a reply like any other
        except BaseException:  # a thread that is ended in the middle, too
            self._disconnect()
            raise

    def _connection(self) -> AbstractConnection:
        """That of this thread, with every reply read that nobody waited for."""
        own = self._own
        if getattr(own, "pid", None) != os.getpid():
            own.connection = self._client.connection_pool.make_connection()
            own.pid, own.unread = os.getpid(), 0
        connection: AbstractConnection = own.connection
        if not connection.is_connected:
            own.unread = 0
            connection.connect()  # type: ignore[no-untyped-call]
        while own.unread:
            own.unread -= 1
            try:
                connection.read_response()
            except redis.ResponseError as error:
                log.error("counters.told_in_vain", extra={"reason": str(error)})  # noqa: TRY400
        return connection

    def _disconnect(self) -> None:
        own = self._own
        if getattr(own, "connection", None) is not None:
            own.connection.disconnect()
            own.unread = 0


@cache
def _at(url: str, timeout_seconds: float) -> QuickRedis:
    """One for each process, server and patience."""
    return QuickRedis(url, timeout_seconds=timeout_seconds)


def quick_redis() -> QuickRedis:
    """For requests, which must not wait."""
    return _at(settings.REDIS_URL, TIMEOUT_SECONDS)


def patient_redis() -> QuickRedis:
    """For tasks, which read thousands of keys at once."""
    return _at(settings.REDIS_URL, PATIENCE_SECONDS)


def insistent_redis() -> QuickRedis:
    """For what must not be left unsaid while Redis only stands still."""
    return _at(settings.REDIS_URL, INSISTENCE_SECONDS)


os.register_at_fork(after_in_child=_at.cache_clear)
