"""Processor time of the web server, of PostgreSQL and of Redis, each by itself."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

_TICKS = os.sysconf("SC_CLK_TCK")


def _stats() -> list[tuple[int, list[str]]]:
    """(pid, the fields of /proc/PID/stat after the name) of every process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found.append((int(stat.parent.name), stat.read_text().rpartition(")")[2].split()))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def session_seconds(leader: int) -> float:
    """What the processes of a session have used."""
    return sum(int(f[11]) + int(f[12]) for _, f in _stats() if int(f[2]) == leader) / _TICKS


class Servers:
    """PostgreSQL and Redis of the environment."""

    def __init__(self) -> None:
        with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
            backend = connection.info.backend_pid
            self._postmaster = next(int(f[1]) for pid, f in _stats() if pid == backend)
        self._redis = redis.Redis.from_url(os.environ["REDIS_URL"])

    def postgres_seconds(self) -> float:
        """With the backends that have ended: the postmaster has reaped them."""
        total = 0
        for pid, fields in _stats():
            if pid == self._postmaster:
                total += sum(int(each) for each in fields[11:15])
            elif int(fields[1]) == self._postmaster:
                total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def redis_seconds(self) -> float:
        used = self._redis.info("cpu")
        return float(used["used_cpu_sys"]) + float(used["used_cpu_user"])


def at(address: str, **parts: str) -> str:
    """A URL with other parts, like `path`."""
    return urlsplit(address)._replace(**parts).geturl()
