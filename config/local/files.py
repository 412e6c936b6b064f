"""Files that are whole or absent, whatever kills the writer in between."""

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write beside, flush to the disk, rename. Raises OSError and then leaves `path` as it was."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in `path`; empty when the file is absent or is no JSON object."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


class Follower:
    """Reads what is appended to a log, line by line."""

    def __init__(self, path: Path, since: int) -> None:
        self._path = path
        self._at = since

    def new_lines(self) -> list[str]:
        with self._path.open("rb") as file:
            file.seek(self._at)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._at += len(whole) + len(newline)
        return [line for line in whole.decode("utf-8", "replace").splitlines() if line.strip()]


def last_lines(path: Path, *, count: int, since: int = 0) -> list[str]:
    """At most `count` lines from the end of a log, none from before byte `since`."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(min(since, end), end - 32_000))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return [line[:400] for line in text.splitlines() if line.strip()][-count:]
