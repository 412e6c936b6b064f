"""One Plaza for each home: a file lock, which the kernel lets go even of a killed holder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyHeld(Exception):
    """Another process holds the lock: its pid (0 = not known yet) and the address it serves."""

    def __init__(self, *, pid: int, url: str) -> None:
        super().__init__(f"held by {pid}")
        self.pid = pid
        self.url = url


@contextmanager
def holding(path: Path, *, url: str = "") -> Iterator[None]:
    """Hold `path` for the block. Raises AlreadyHeld at once instead of waiting.

    The file is never renamed or removed: a lock belongs to the inode, not to the name.
    """
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _holder(path) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": url}))
        file.flush()
        yield


def _holder(path: Path) -> AlreadyHeld:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return AlreadyHeld(pid=int(told["pid"]), url=str(told["url"]))
    except (ValueError, KeyError, TypeError):
        return AlreadyHeld(pid=0, url="")
