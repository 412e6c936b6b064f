"""What is wrong and what to do about it: the only way in which `config.local` refuses."""

from __future__ import annotations

import errno
from pathlib import Path


class Trouble(Exception):
    """Something the person at the terminal can act on. It is shown without a traceback."""

    def __init__(self, what: str, *, todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo


_MEANINGS = {
    errno.ENOSPC: (
        "The disk is full: {where} cannot be written.",
        "Free some space (df -h shows where)",
    ),
    errno.EDQUOT: ("Your disk quota is used up: {where} cannot be written.", "Free some space"),
    errno.EROFS: ("{where} lies on a read-only file system.", "Use a folder that can be written"),
    errno.EACCES: (
        "There is no right to write {where}.",
        "Change its owner or mode (chown, chmod)",
    ),
    errno.EPERM: ("{where} may not be changed by you.", "Make it yours with chown"),
    errno.ENOTDIR: ("{where}: there is a file where a folder should be.", "Move that file away"),
    errno.EEXIST: ("{where}: there is a file where a folder should be.", "Move that file away"),
    errno.ENOENT: (
        "{where} does not exist and cannot be made here.",
        "Use a folder that can be written",
    ),
    errno.EMFILE: ("Too many open files.", "Raise the limit: ulimit -n 4096"),
    errno.ENOMEM: ("There is not enough memory.", "Close something"),
    errno.EAGAIN: (
        "No more processes may be started.",
        "Raise the limit (ulimit -u) or close something",
    ),
}


_DISK_FULL = ("no space left on device", "disk quota exceeded", "os error 28")


def tells_full_disk(words: str) -> bool:
    """Whether the words of a program mean that the disk is full."""
    return any(sign in words.lower() for sign in _DISK_FULL)


def of_os_error(error: OSError) -> Trouble | None:
    """Return the trouble that the operating system's refusal means, or None where only code is to blame."""
    if error.errno not in _MEANINGS:
        return None
    what, todo = _MEANINGS[error.errno]
    where = Path(str(error.filename)) if error.filename else "a file"
    return Trouble(
        what.format(where=where), todo=f"{todo}, then run it again. PLAZA_HOME moves all data."
    )
