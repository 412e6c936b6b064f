"""Turns by virtual time (start-time fair queueing, Goyal and others 1996), where each request weighs the same.

A tenant's requests follow each other one unit apart, and begin no earlier than what is at work now. A turn
never changes: between who waits and its turn lie at most as many requests of each other tenant as came
before it or may come until then at the same time, whatever comes after.
"""

from uuid import UUID

_FORGET_ABOVE_TENANTS = 1_024


class Turns:
    """Those of one rank. Not safe for threads: the room's lock is held."""

    def __init__(self) -> None:
        self._now = 0
        self._next: dict[UUID | None, int] = {}
        self._forget_above = _FORGET_ABOVE_TENANTS

    def take(self, tenant_id: UUID | None) -> int:
        """The turn of a tenant's request that comes now; the lowest goes first."""
        turn = max(self._now, self._next.get(tenant_id, 0))
        self._next[tenant_id] = turn + 1
        if len(self._next) > self._forget_above:
            self._next = {one: first for one, first in self._next.items() if first > self._now}
            # Where most are still ahead, not at each request: their tenants are as many as there are.
            self._forget_above = max(_FORGET_ABOVE_TENANTS, 2 * len(self._next))
        return turn

    def begin(self, turn: int) -> None:
        """A request of this turn is at work."""
        self._now = max(self._now, turn)
