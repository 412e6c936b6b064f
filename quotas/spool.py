"""API calls as this process has counted them: a file in memory, so that no kill loses one.

Each process has a file of its own, mapped into its memory: to count is to write eight bytes, which
outlive the process. Counts only grow. `quotas/api_calls.py` folds them into the ledger under marks, so
that folding twice, or late, changes nothing; the file of a process that is gone is folded by another
one on the same machine, and deleted.
"""

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from config.ids import new_id

# tenant, epoch of the counters in Redis (zeros where Redis was away), year and month, calls.
_SLOT = struct.Struct("<16s16sQQ")
_COUNT = struct.Struct("<Q")
_COUNT_AT = _SLOT.size - _COUNT.size
_SLOTS_AT_ONCE = 1_024
_SUFFIX = ".calls"
NO_EPOCH = ""


class Count(NamedTuple):
    """`calls` of a tenant in the month that began at `period_start`, counted in one epoch of Redis's."""

    tenant_id: UUID
    epoch: str
    period_start: datetime
    calls: int


class Spool:
    """The counts of one process. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name.removesuffix(_SUFFIX)
        self._lock = threading.Lock()
        # Two folds at once would both take what neither has marked yet.
        self.folding = threading.Lock()
        self._slots: dict[tuple[UUID, str, datetime], int] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Held as long as this process lives: whoever gets it finds the file of one that is gone.
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise
        self._map = self._grown(os.fstat(self._file).st_size or _SLOTS_AT_ONCE * _SLOT.size)
        for at, count in _read(self._map):
            self._slots[count[:3]] = at
        self._end = len(self._slots) * _SLOT.size

    def add(self, tenant_id: UUID, *, epoch: str, period_start: datetime, calls: int) -> int:
        """Count `calls` more; how many these are now."""
        key = (tenant_id, epoch, period_start)
        with self._lock:
            at = self._slots.get(key)
            if at is None:
                at = self._new_slot(key)
            (counted,) = _COUNT.unpack_from(self._map, at + _COUNT_AT)
            _COUNT.pack_into(self._map, at + _COUNT_AT, counted + calls)
            return int(counted + calls)

    def counts(self) -> list[Count]:
        """All that was counted here, ever."""
        with self._lock:
            return [count for _, count in _read(self._map)]

    def close(self, *, delete: bool = False) -> None:
        """Let go of the file; whoever deletes it must have folded it."""
        if delete:
            self.path.unlink(missing_ok=True)
        self._map.close()
        os.close(self._file)

    def _new_slot(self, key: tuple[UUID, str, datetime]) -> int:
        tenant_id, epoch, period_start = key
        at = self._end
        if at + _SLOT.size > len(self._map):
            self._map = self._grown(2 * len(self._map))
        month = period_start.year * 100 + period_start.month
        named = UUID(epoch).bytes if epoch else bytes(16)
        # A slot without calls is none: killed before the first is counted, it is written anew.
        _SLOT.pack_into(self._map, at, tenant_id.bytes, named, month, 0)
        self._slots[key], self._end = at, at + _SLOT.size
        return at

    def _grown(self, size: int) -> mmap.mmap:
        if os.fstat(self._file).st_size < size:
            os.ftruncate(self._file, size)
        return mmap.mmap(self._file, size)


def _read(counted: mmap.mmap) -> Iterator[tuple[int, Count]]:
    for at in range(0, len(counted) - _SLOT.size + 1, _SLOT.size):
        tenant, epoch, month, calls = _SLOT.unpack_from(counted, at)
        if calls == 0:
            return
        named = UUID(bytes=epoch).hex if any(epoch) else NO_EPOCH
        period = datetime(month // 100, month % 100, 1, tzinfo=UTC)
        yield at, Count(UUID(bytes=tenant), named, period, calls)


_mine: Spool | None = None
_making = threading.Lock()


def spool() -> Spool:
    """That of this process."""
    global _mine  # noqa: PLW0603 (one for each process, made when it first counts)
    if _mine is None:
        with _making:
            if _mine is None:
                folder = settings.PLAZA_SPOOL
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _mine = Spool(folder / f"{new_id().hex}{_SUFFIX}")
    return _mine


def end_spool(*, is_folded: bool) -> None:
    """At the end of the process, or of a test."""
    global _mine
    gone, _mine = _mine, None
    if gone is not None:
        gone.close(delete=is_folded)


def _forget_parents() -> None:
    """The file is the parent's; its lock would be held by the child too, and outlive the parent."""
    end_spool(is_folded=False)


os.register_at_fork(after_in_child=_forget_parents)


def left_behind() -> Iterator[Spool]:
    """The files of processes that are gone, one after the other; nobody else folds them meanwhile."""
    if not settings.PLAZA_SPOOL.is_dir():
        return
    mine = _mine.path if _mine else None
    for path in sorted(settings.PLAZA_SPOOL.glob(f"*{_SUFFIX}")):
        if path == mine:
            continue
        try:
            found = Spool(path)
        except BlockingIOError:  # its process lives
            continue
        yield found
