"""The servers that a benchmark compares: one granian each, with the same settings, on a free port."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg

from tests.bench.processor import session_seconds
from tests.stack import REPOSITORY, free_port

_THREADS = 8
_SIGN_INS = ("DATABASE_URL", "DATABASE_SQUARE_URL", "DATABASE_OWNER_URL")


@dataclass(frozen=True, slots=True)
class Variant:
    """A peer: its name, settings module, WSGI callable and database."""

    name: str
    settings: str
    application: str
    database: str
    has_wall: bool = False
    threads: int = _THREADS
    workers: int = 1

    def environment(self, **others: str) -> dict[str, str]:
        """Each sign-in at the variant's database; the peers know one, and it is the owner's."""
        addresses = {name: _at(os.environ[name], self.database) for name in _SIGN_INS}
        if not self.has_wall:
            addresses = dict.fromkeys(_SIGN_INS, addresses["DATABASE_OWNER_URL"])
        return (
            os.environ
            | addresses
            | {
                "DJANGO_SETTINGS_MODULE": self.settings,
                "LOG_LEVEL": "WARNING",
                "ACCESS_TOKEN_SECONDS": "86400",  # longer than any benchmark
            }
            | others
        )


def fresh_database(name: str) -> str:
    """Drop and make the database `name` on the server of DATABASE_OWNER_URL; its name."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return name


def _at(address: str, database: str) -> str:
    return urlunsplit(urlsplit(address)._replace(path=f"/{database}"))


class Server:
    """A running variant. `cpu_seconds()` is what its processes have used so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port

    def cpu_seconds(self) -> float:
        return session_seconds(self.process.pid)


@contextmanager
def serving(variant: Variant, log: Path, **environment: str) -> Iterator[Server]:
    """Start `variant` under granian (one worker, 8 threads unless it says otherwise), wait for it, stop it."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", str(variant.workers),
        "--blocking-threads", str(variant.threads),
        "--no-access-log", "--log-level", "warning", variant.application,
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=variant.environment(**environment), stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(port, process, log)
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            httpx.get(f"http://127.0.0.1:{port}/livez", timeout=2, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"No server: {log.read_text(errors='replace')[-2000:]}")
