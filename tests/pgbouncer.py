"""Debian's PgBouncer in transaction mode, on a free port of the loopback, for as long as a test needs it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config.local.processes import dying_with_us
from tests.stack import free_port

PROGRAM = Path("/usr/sbin/pgbouncer")
_START_SECONDS = 10.0
# Two connections of the server for each sign-in, and four for all that share one: they must change hands.
_INI = """
[databases]
{database} = host={host} port={port} dbname={database}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
server_reset_query =
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


def is_installed() -> bool:
    return PROGRAM.exists()


@contextmanager
def pgbouncer(
    *, host: str, port: int, database: str, users: dict[str, str], pool_size: int
) -> Iterator[int]:
    """Run it before the server at `host:port` for `users` (name: password); the port it listens at."""
    # Not in pytest's folders: as root it runs as another user, who could not reach them.
    folder = Path(tempfile.mkdtemp(prefix="plaza-pgbouncer-"))
    own_port = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _INI.format(
            database=database, host=host, port=port, own_port=own_port, folder=folder,
            pool_size=pool_size,
        )
    )  # fmt: skip
    listed = folder / "users.txt"
    listed.touch(mode=0o600)
    listed.write_text("".join(f'"{name}" "{word}"\n' for name, word in users.items()))
    process = subprocess.Popen(
        [PROGRAM, settings], user=_user(folder), extra_groups=[] if os.geteuid() == 0 else None,
        # A drill that is killed cannot stop it.
        preexec_fn=dying_with_us(signal.SIGKILL),  # noqa: PLW1509  no other thread runs yet
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_until_it_answers(process, own_port, database, next(iter(users.items())), folder)
        yield own_port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _user(folder: Path) -> int | None:
    """Whose it runs as: it refuses to be root's."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody").pw_uid
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody, -1)
    return nobody


def _wait_until_it_answers(
    process: "subprocess.Popen[bytes]",
    port: int,
    database: str,
    user: tuple[str, str],
    folder: Path,
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(
                host="127.0.0.1", port=port, dbname=database, user=user[0], password=user[1],
                connect_timeout=2,
            ).close()  # fmt: skip
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = folder / "pgbouncer.log"
                told = log.read_text(errors="replace") if log.exists() else ""
                raise AssertionError(f"PgBouncer did not come up: {error}\n{told}") from error
            time.sleep(0.05)
        else:
            return
