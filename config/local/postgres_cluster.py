"""A folder of PostgreSQL data: made whole or not at all, and freed of what a crash left in it."""

import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from config.local.accounts import Account
from config.local.files import sync_folder
from config.local.leftovers import all_pids
from config.local.postgres_binaries import Binaries
from config.local.processes import Command, start
from config.local.signals import StopAsked, StopRequest
from config.local.trouble import Trouble, tells_full_disk

SUPERUSER = "postgres"
PLAIN_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions")


@dataclass(frozen=True, slots=True)
class Cluster:
    """`data` lies in a `folder` that is ours; `account` (if any) owns the data and nothing else."""

    folder: Path
    account: Account | None
    binaries: Binaries
    log: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def is_made(self) -> bool:
        return (self.data / "PG_VERSION").is_file()

    def make(self, *, password: str, stop: StopRequest, durable: bool) -> None:
        """Run initdb beside the place and move the whole there. Raises Trouble, StopAsked."""
        fresh = self.folder / f"data.new.{os.getpid()}"
        password_file = self.folder / f"password.new.{os.getpid()}"
        try:
            fresh.mkdir(mode=0o700)
            password_file.touch(mode=0o600)
            password_file.write_text(password + "\n", encoding="ascii")
            self._give(fresh)
            self._give(password_file)
            self._run_initdb(fresh, password_file, stop, durable=durable)
            fresh.rename(self.data)
            sync_folder(self.folder)
        finally:
            password_file.unlink(missing_ok=True)
            shutil.rmtree(fresh, ignore_errors=True)

    def remove_remains(self) -> None:
        """Delete what an initdb or a `make reset` that was killed left half-done."""
        for remains in (*self.folder.glob("data.new.*"), *self.folder.glob("data.old.*")):
            shutil.rmtree(remains, ignore_errors=True)
        for remains in self.folder.glob("password.new.*"):
            remains.unlink(missing_ok=True)
        if self.data.exists() and not self.is_made():
            raise Trouble(
                f"{self.data} holds no complete PostgreSQL data.",
                todo="Restore it, or forget all data with `make reset`.",
            )

    def check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if made_by != self.binaries.major:
            raise Trouble(
                f"{self.data} was made by PostgreSQL {made_by};"
                f" installed is {self.binaries.version}, which does not read it.",
                todo="Dump it with the old version, or forget all data with `make reset`.",
            )

    def release(self) -> None:
        """Make sure that no server works on the data, then drop a stale `postmaster.pid`.

        A killed server's own check only asks whether *some* process of the same user has its old
        pid. Every process of a server has the data as its current folder: that cannot be mistaken.
        """
        pid_file = self.data / "postmaster.pid"
        others = self._processes()
        if (recorded := first_number(pid_file)) in others:
            raise Trouble(
                f"Another PostgreSQL (pid {recorded}) already works on {self.data}.",
                todo=f"Stop it: kill -INT {recorded}",
            )
        # Backends whose postmaster was killed notice it and go; one deep in a query may not.
        end = time.monotonic() + 5
        while (others := self._processes()) and time.monotonic() < end:
            time.sleep(0.05)
        for pid in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        pid_file.unlink(missing_ok=True)

    def _processes(self) -> set[int]:
        return {pid for pid in all_pids() if _works_in(pid, self.data)}

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _run_initdb(
        self, fresh: Path, password_file: Path, stop: StopRequest, *, durable: bool
    ) -> None:
        where = ("-D", str(fresh), "-U", SUPERUSER, f"--pwfile={password_file}")
        command = Command(
            name="initdb",
            argv=(
                self.binaries.program("initdb"),
                *_INITDB,
                *where,
                *(() if durable else ("--no-sync",)),
            ),
            log=self.log,
            environment=PLAIN_ENVIRONMENT,
            folder=Path("/"),  # the account may not enter ours
            stop_signal=signal.SIGKILL,
            account=self.account,
        )
        child = start(command)
        try:
            while not child.has_ended():
                stop.pause(0.02)
        except StopAsked:
            child.kill()
            raise
        if child.process.returncode != 0:
            raise trouble_of(child.last_words(), f"PostgreSQL's initdb failed ({child.ending()})")


def first_number(path: Path) -> int | None:
    """Return the number in the first line of a file such as `postmaster.pid`."""
    try:
        line = path.read_text(encoding="ascii", errors="replace").partition("\n")[0].strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(line) if line.isdigit() else None


def trouble_of(words: list[str], what: str) -> Trouble:
    """Return the trouble that a server's last words mean."""
    if tells_full_disk("\n".join(words)):
        return Trouble(f"{what}: the disk is full.", todo="Free some space, then run it again.")
    return Trouble(what + ":\n" + "\n".join(f"  │ {line}" for line in words))


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/cwd").readlink() == folder.resolve()
            # "postgres (deleted)" when the package was upgraded underneath it
            and Path(f"/proc/{pid}/exe").readlink().name.startswith("postgres")
        )
    except OSError:
        return False  # gone, or somebody else's: those cannot work on data of mode 0700
