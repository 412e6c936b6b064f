"""What a stand-in remembers: documents in memory, written through to one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# Written when a document is deleted; tells "was absent" from "was an empty document" in the undo log.
_ABSENT: Json = {"_absent": True}


def copied(value: Any) -> Any:
    """A deep copy of JSON-like data, several times faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [copied(inner) for inner in value]
    return value


class Store:
    """Documents by kind and id, in order of creation. Without a path nothing outlives the process.

    Every write belongs to a `transaction()`, which holds the lock, writes the file once at its end
    and takes everything back when the work inside fails. Readers get copies.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._kinds: dict[str, dict[str, Json]] = {}
        self._depth = 0
        self._undo: list[tuple[str, str, Json]] = []
        self._file = None if path is None else self._opened(path)

    def _opened(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # keys and people's mail are in it
        file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # WAL without fsync survives a killed process, which is all that a stand-in promises.
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=OFF")
        file.execute(
            "CREATE TABLE IF NOT EXISTS documents (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
            " id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id))"
        )
        for kind, ident, body in file.execute("SELECT kind, id, body FROM documents ORDER BY seq"):
            self._kinds.setdefault(kind, {})[ident] = json.loads(body)
        return file

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one thread at a time.

        One inside another is a savepoint: its failure takes back its own writes only, and the file
        is written when the outermost ends.
        """
        with self.lock:
            mark = len(self._undo)
            self._depth += 1
            try:
                yield
            except BaseException:
                self._roll_back(mark)
                raise
            else:
                if self._depth == 1:
                    self._flush()
            finally:
                self._depth -= 1

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Work whose writes are all taken back at its end."""
        with self.transaction():
            mark = len(self._undo)
            try:
                yield
            finally:
                self._roll_back(mark)

    def get(self, kind: str, ident: str) -> Json | None:
        with self.lock:
            found = self._kinds.get(kind, {}).get(ident)
            return None if found is None else copied(found)

    def put(self, kind: str, ident: str, body: Json) -> None:
        documents = self._kinds.setdefault(kind, {})
        self._undo.append((kind, ident, documents.get(ident, _ABSENT)))
        documents[ident] = copied(body)

    def delete(self, kind: str, ident: str) -> None:
        documents = self._kinds.get(kind, {})
        if ident in documents:
            self._undo.append((kind, ident, documents.pop(ident)))

    def find(self, kind: str, matches: Callable[[Json], bool] | None = None) -> list[Json]:
        """Copies of the documents that match, oldest first. `matches` must not write."""
        with self.lock:
            documents = self._kinds.get(kind, {}).values()
            return [copied(found) for found in documents if matches is None or matches(found)]

    def count(self, kind: str) -> int:
        return len(self._kinds.get(kind, {}))

    def trim(self, kind: str, *, keep: int) -> None:
        """Forget the oldest documents of a kind beyond `keep`."""
        with self.lock:
            surplus = self.count(kind) - keep
            for ident in list(islice(self._kinds.get(kind, {}), max(surplus, 0))):
                self.delete(kind, ident)

    def counts(self) -> dict[str, int]:
        with self.lock:
            return {kind: len(documents) for kind, documents in self._kinds.items() if documents}

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self.transaction():
            for kind, documents in self._kinds.items():
                for ident in list(documents):
                    self.delete(kind, ident)

    def close(self) -> None:
        with self.lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _roll_back(self, mark: int) -> None:
        while len(self._undo) > mark:
            kind, ident, before = self._undo.pop()
            if before is _ABSENT:
                self._kinds[kind].pop(ident, None)
            else:
                self._kinds[kind][ident] = before

    def _flush(self) -> None:
        touched = dict.fromkeys((kind, ident) for kind, ident, _ in self._undo)
        self._undo.clear()
        if self._file is None or not touched:
            return
        self._file.execute("BEGIN")
        for kind, ident in touched:
            body = self._kinds[kind].get(ident)
            if body is None:
                self._file.execute("DELETE FROM documents WHERE kind=? AND id=?", (kind, ident))
            else:
                self._file.execute(
                    "INSERT INTO documents (kind, id, body) VALUES (?, ?, ?)"
                    " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                    (kind, ident, json.dumps(body, separators=(",", ":"))),
                )
        self._file.execute("COMMIT")
