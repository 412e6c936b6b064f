"""A PostgreSQL of a test's own and a streaming replica of it, both of the programs that `make up` runs."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.local.home import Home
from config.local.ports import HOST, Ports, any_free
from config.local.postgres import Postgres
from config.local.postgres_cluster import PLAIN_ENVIRONMENT, SUPERUSER
from config.local.processes import Child, Command, start
from config.local.secrets import secrets_of
from config.local.signals import StopRequest

_START_SECONDS = 30.0


@dataclass(slots=True)
class Streaming:
    """The primary, and the replica once there is one: to be stopped, started, held up and looked into."""

    primary: Postgres
    home: Home
    port: int = 0
    _child: Child | None = None

    @property
    def data(self) -> Path:
        return self.primary.cluster.folder / "replica"

    def copy(self) -> None:
        """Make the replica from the primary as it is now, and start it."""
        account = self.primary.cluster.account
        self.port = any_free()
        self.data.mkdir(mode=0o700)
        if account is not None:
            os.chown(self.data, account.uid, account.gid)
        subprocess.run(
            [
                self.primary.cluster.binaries.program("pg_basebackup"), "--write-recovery-conf",
                "--checkpoint=fast", "--no-sync", f"--pgdata={self.data}", f"--host={HOST}",
                f"--port={self.primary.port}", f"--username={SUPERUSER}",
            ],
            user=account.uid if account else None, group=account.gid if account else None,
            extra_groups=[] if account else None, cwd="/", check=True, timeout=60,
            env=PLAIN_ENVIRONMENT | {"PGPASSWORD": self._password},
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        options = {
            "port": self.port, "listen-addresses": HOST, "unix-socket-directories": "",
            # Not less than the primary's: a replica would not start.
            "max-connections": 200, "max-locks-per-transaction": 256, "fsync": "off",
        }  # fmt: skip
        self._child = start(
            Command(
                name="replica",
                argv=(
                    *(self.primary.cluster.binaries.program("postgres"), "-D", str(self.data)),
                    *(f"--{name}={value}" for name, value in options.items()),
                ),
                log=self.home.log("replica"),
                environment=PLAIN_ENVIRONMENT,
                folder=Path("/"),
                stop_signal=signal.SIGINT,
                account=self.primary.cluster.account,
            )
        )
        _eventually(self._child, lambda: self.ask("SELECT pg_is_in_recovery()") is True)

    def stop(self) -> None:
        if self._child is not None:
            self._child.ask_to_stop()
            assert self._child.wait(20)

    def ask(self, statement: str) -> Any:
        """The first value that the replica answers to its superuser."""
        return _first(self.port, self._password, statement)

    def catch_up(self) -> None:
        """Wait until the replica has all that the primary has."""
        position = _first(
            self.primary.port, self._password, "SELECT pg_current_wal_insert_lsn()::text"
        )
        done = f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"
        assert self._child is not None
        _eventually(self._child, lambda: self.ask(done) is True)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """The replica takes what comes, and shows none of it."""
        self.catch_up()
        self.ask("SELECT pg_wal_replay_pause() IS NULL")
        try:
            yield
        finally:
            self.ask("SELECT pg_wal_replay_resume() IS NULL")
            self.catch_up()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The replica's processes are stopped: its connections stay open, and nobody answers."""
        assert self._child is not None
        children = Path(f"/proc/{self._child.pid}/task/{self._child.pid}/children").read_text()
        processes = [self._child.pid, *map(int, children.split())]
        for each in processes:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in processes:
                os.kill(each, signal.SIGCONT)

    @property
    def _password(self) -> str:
        return self.primary.secrets["postgres_superuser_password"]


@contextmanager
def streaming() -> Iterator[Streaming]:
    """A primary with our sign-ins and an empty database. Both servers end with the block."""
    # Not in pytest's folders: as root the servers run as another user, who could not reach them.
    folder = Path(tempfile.mkdtemp(prefix="plaza-streaming-"))
    folder.chmod(0o755)
    home = Home(folder)
    home.prepare()
    primary = Postgres(home, secrets_of(home), StopRequest(), durable=False)
    primary.prepare(Ports(home))
    child = primary.spawn({})
    made = Streaming(primary, home)
    try:
        _eventually(child, lambda: primary.is_ready(child))
        yield made
    finally:
        made.stop()
        child.ask_to_stop()
        child.wait(20)
        child.kill()
        shutil.rmtree(primary.cluster.folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _first(port: int, password: str, statement: str) -> Any:
    with psycopg.connect(
        host=HOST, port=port, dbname="postgres", user=SUPERUSER, password=password,
        connect_timeout=5, autocommit=True,
    ) as server:  # fmt: skip
        row = server.execute(statement.encode()).fetchone()
    return row[0] if row else None


def _eventually(child: Child, is_so: Any) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if is_so():
                return
        except psycopg.OperationalError:
            pass
        told = "\n".join(child.last_words())
        assert not child.has_ended(), told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
