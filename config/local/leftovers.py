"""What a killed supervisor left running: found by records, never by name."""

import contextlib
import json
import os
import secrets
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from config.local.files import read_json, write_whole
from config.local.processes import Child, started

MARK = "PLAZA_RUN"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class _Record(NamedTuple):
    pid: int
    started_at_tick: int
    stop_signal: int

    def is_alive(self) -> bool:
        return started(self.pid) == self.started_at_tick


class Register:
    """The processes of this run, on disk, so that the next one can end what is left of them.

    Each child carries the mark of the run in its environment and is recorded with its pid and
    moment of start. Ours is only who matches the one or the other exactly.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._children: dict[str, _Record] = {}
        self.mark = secrets.token_hex(16)

    def add(self, child: Child) -> None:
        at = started(child.pid)
        if at is not None:
            record = _Record(child.pid, at, int(child.command.stop_signal))
            self._children[child.command.name] = record
            self._write()

    def clear(self) -> None:
        self._children.clear()
        self._path.unlink(missing_ok=True)

    def end_leftovers(self, *, polite_seconds: float = 10.0) -> list[str]:
        """End the processes of earlier runs and return their names, by force after a while."""
        past = read_json(self._path)
        if not past or past.get("boot") != _boot():
            return []
        ours = {str(name): _Record(*values) for name, values in past["children"].items()}
        found = [name for name, record in ours.items() if record.is_alive()]
        mark = f"{MARK}={past['mark']}".encode()
        _end(ours.values(), mark, polite_seconds, kill=False)
        _end(ours.values(), mark, 5.0, kill=True)
        self._path.unlink(missing_ok=True)
        return found

    def _write(self) -> None:
        told = {"boot": _boot(), "mark": self.mark, "children": self._children}
        write_whole(self._path, json.dumps(told))


def _end(ours: Iterable[_Record], mark: bytes, patience: float, *, kill: bool) -> None:
    told: set[int] = set()
    end = time.monotonic() + patience
    while (alive := _alive(ours, mark)) and time.monotonic() < end:
        for pid in alive.keys() - told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if kill else alive[pid])
        told |= alive.keys()
        time.sleep(0.05)


def _alive(ours: Iterable[_Record], mark: bytes) -> dict[int, int]:
    """Find the pid of everything that is left, with the signal that stops it cleanly."""
    marked = {pid: int(signal.SIGTERM) for pid in all_pids() if mark in _environment(pid)}
    return marked | {record.pid: record.stop_signal for record in ours if record.is_alive()}


def all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []  # gone, or somebody else's


def _boot() -> str:
    return _BOOT.read_text(encoding="ascii").strip()
