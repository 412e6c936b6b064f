"""The environment of a drill, made before Django reads it: a database of its own, and the roles of production."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

_WEB, _SQUARE = "plaza_web", "plaza_square"
# Fewer than the threads of any drill, so that connections change hands.
_CONNECTIONS = "4"
# The last that a server has by default: the suite counts in the first ones.
_REDIS_DATABASE = "15"
_NETWORK = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")


def stay_on_the_loopback() -> None:
    """From here on this process reaches no other machine: not by a provider's address, not by a DNS question."""

    def refuse(event: str, given: tuple[Any, ...]) -> None:
        if event not in _NETWORK:
            return
        host = given[1] if event in {"socket.connect", "socket.sendto"} else given[0]
        host = host[0] if isinstance(host, tuple) else host
        if str(host or "localhost") not in {"127.0.0.1", "::1", "localhost"} and not _is_path(host):
            raise OSError(f"A drill does not reach {host!r}.")

    sys.addaudithook(refuse)


def _is_path(host: Any) -> bool:
    return isinstance(host, (str, bytes)) and str(host).startswith("/")


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _as(url: str, user: str) -> str:
    """The same server and password for another sign-in."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(netloc=f"{user}:{parts.password}@{parts.hostname}:{parts.port}")
    )


@contextmanager
def own_database(*, login: str) -> Iterator[str]:
    """Make a database, name it in the environment, drop it afterwards; its name."""
    given = os.environ["DATABASE_URL"]
    owner = os.environ.get("DATABASE_OWNER_URL") or given
    web = given if urlsplit(given).username == _WEB else _as(owner, _WEB)
    square = os.environ.get("DATABASE_SQUARE_URL") or _as(owner, _SQUARE)
    name = f"drill_{os.getpid()}"
    nobody = "http://127.0.0.1:9"
    os.environ |= {
        "STRIPE_API_BASE": nobody,
        "PAYPAL_API_BASE": nobody,
        "REDIS_URL": with_database(os.environ["REDIS_URL"], _REDIS_DATABASE),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": with_database(web, name),
        "DATABASE_SQUARE_URL": with_database(square, name),
        "DATABASE_OWNER_URL": with_database(owner, name),
        "PLAZA_DB_LOGIN": login,
        "PLAZA_DB_CONNECTIONS": _CONNECTIONS,
        "PLAZA_ENV": "test",
        "LOG_LEVEL": "ERROR",
    }
    identifier = sql.Identifier(name)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
    try:
        yield name
    finally:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
