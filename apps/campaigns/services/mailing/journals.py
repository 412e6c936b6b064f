"""What became of each letter of a batch, a byte each: a file in memory, so that it outlives a killed process.

The byte says that a letter is about to be handed over before its last line is sent, and what the carrier
answered after. So whoever finds the journal of a process that is gone knows of all letters but the one
that was on its way, and that one is not sent again.
"""

import fcntl
import mmap
import os
from enum import IntEnum
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from config.ids import new_id

_SUFFIX = ".letters"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Mark(IntEnum):
    """The fate of one letter."""

    UNTOUCHED = 0
    HANDED_OVER = 1
    ACCEPTED = 2
    REFUSED = 3
    PUT_OFF = 4


class JournalInUse(Exception):
    """The process that writes it lives."""


class Journal:
    """The marks of one batch, held by this process alone. Raises JournalInUse."""

    def __init__(self, batch_id: UUID, quantity: int) -> None:
        folder = settings.PLAZA_SPOOL
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"{batch_id.hex}{_SUFFIX}"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise JournalInUse from error
        if os.fstat(self._file).st_size < quantity:
            os.ftruncate(self._file, quantity)
        self._marks = mmap.mmap(self._file, quantity)

    def mark(self, place: int, mark: Mark) -> None:
        self._marks[place] = mark

    def at(self, place: int) -> Mark:
        return Mark(self._marks[place])

    def close(self, *, is_settled: bool) -> None:
        """Let go of it; a settled one is deleted."""
        if is_settled:
            self._path.unlink(missing_ok=True)
        self._marks.close()
        os.close(self._file)


def spool_id() -> UUID:
    """The name of this machine's spool, made when it is first asked for."""
    folder = settings.PLAZA_SPOOL
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "name"
    draft = folder / f"name.{os.getpid()}"
    if not path.exists():
        draft.write_text(str(new_id()))
        try:
            os.link(draft, path)  # whoever was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return UUID(path.read_text())


@cache
def boot_id() -> UUID:
    """The machine's present start: what an earlier one wrote to memory alone is lost."""
    return UUID(_BOOT.read_text().strip())
