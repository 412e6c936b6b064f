"""In which order a fleet moves: one canary, then waves that grow, so that a bad migration meets few."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenants.fleet.ledger import Laggard


@dataclass(frozen=True, slots=True)
class FleetOrders:
    """How to go about it.

    canary: the slug that goes first; empty chooses the demo tenant, else the oldest.
    only: slugs of the tenants to be migrated, and of no others; empty is everybody.
    waves: sizes of the waves after it; the last wave is the rest.
    stop_at: the share (0..1) of new failures in one wave beyond which no further wave starts.
    connections: that work side by side. schemas_per_commit: in one transaction.
    lock_timeout_ms: of a transaction; then it is tried again, longer and longer, `tries` times.
    wait_seconds: for another fleet run to end.
    """

    canary: str = ""
    only: tuple[str, ...] = ()
    waves: tuple[int, ...] = (10, 100)
    stop_at: float = 0.2
    connections: int = 2
    schemas_per_commit: int = 10
    lock_timeout_ms: int = 1_000
    tries: int = 5
    wait_seconds: float = 0


class NoSuchTenant(ValueError):
    """No tenant of that name has a schema."""


def canary_of(fleet: list[Laggard], slug: str) -> Laggard | None:
    """The laggard that goes first: the named one, else the demo tenant, else the oldest that is steady.

    None where nobody is left to try, or the named one is up to date already.
    """
    if slug:
        return next((each for each in fleet if each.slug == slug), None)
    steady = [each for each in fleet if each.state == "steady" and not each.is_ready_schema]
    return next((each for each in steady if each.is_demo), steady[0] if steady else None)


def in_waves(fleet: list[Laggard], sizes: tuple[int, ...]) -> Iterator[list[Laggard]]:
    """`fleet` in slices of `sizes`, the rest last."""
    start = 0
    for size in sizes:
        if fleet[start : start + size]:
            yield fleet[start : start + size]
        start += size
    if fleet[start:]:
        yield fleet[start:]
