"""A few connections of the owner for work side by side, each closed after it has seen enough schemas."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from tenants.engine.owner import owner_connection
from tenants.fleet.ledger import Owner

# A backend keeps 1.15 MB of catalog for each schema that it has touched, and never gives it back.
MOST_SCHEMAS = 100


class Connections:
    """`size` connections at most, opened when they are needed. Safe for threads."""

    def __init__(self, size: int) -> None:
        self._free: queue.LifoQueue[tuple[Owner | None, int]] = queue.LifoQueue()
        self._busy: set[Owner] = set()
        for _ in range(size):
            self._free.put((None, 0))

    @contextmanager
    def taken(self, schemas: int) -> Iterator[Owner]:
        """A connection for work in so many schemas. Nothing of what it did is left open."""
        found, seen = self._free.get()
        if found is not None and (seen + schemas > MOST_SCHEMAS or found.broken):
            found.close()
            found, seen = None, 0
        try:
            owner = found or owner_connection()
        except (
            BaseException
        ):  # an interrupted worker gives its turn back, or the next waits for ever
            self._free.put((None, 0))
            raise
        self._busy.add(owner)
        try:
            yield owner
        finally:
            self._busy.discard(owner)
            if not owner.closed:
                owner.rollback()
            self._free.put((owner, seen + schemas) if not owner.closed else (None, 0))

    def cancel(self) -> None:
        """Stop the statements that are running now; their transactions are taken back."""
        for owner in list(self._busy):
            owner.cancel_safe(timeout=5)

    def close(self) -> None:
        while not self._free.empty():
            owner, _ = self._free.get()
            if owner is not None:
                owner.close()
