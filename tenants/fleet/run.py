"""What all parts of one fleet run share, and where they note how each schema went."""

from collections.abc import Callable
from dataclasses import dataclass

from config.logs import logger
from tenants.fleet import ledger
from tenants.fleet.brake import Brake
from tenants.fleet.connections import Connections
from tenants.fleet.drift import Expected
from tenants.fleet.ledger import Laggard, Owner
from tenants.fleet.outcome import FleetOutcome
from tenants.fleet.progress import Progress
from tenants.fleet.waves import FleetOrders

log = logger(__name__)


@dataclass(slots=True, kw_only=True)
class Run:
    """`owner` holds the fleet's lock; `connections` are for work in schemas. failures: new ones of this wave."""

    owner: Owner
    connections: Connections
    orders: FleetOrders
    outcome: FleetOutcome
    expected: Expected
    brake: Brake
    tell: Callable[[str], None]
    progress: Progress
    failures: int = 0

    def has_to_stop(self) -> bool:
        return self.brake.is_pulled() or bool(self.outcome.stopped)

    def note_drift(self, laggard: Laggard, found: str) -> None:
        """Compare the fingerprint of the laggard's names with that of its version's template."""
        expected = self.expected.fingerprint(laggard.version)
        if expected not in {None, found}:
            self.outcome.drifted.append(laggard.name)
            self.tell(
                f"{laggard.name}: names differ from the template's, so nothing is replayed in it."
            )

    def succeeded(self, laggard: Laggard) -> None:
        if laggard.is_ready_schema:
            self.outcome.ready_schemas += 1
        else:
            self.outcome.migrated += 1
        self.progress.advance()

    def failed(self, laggard: Laggard, error: Exception) -> None:
        """A tenant is set aside, a ready schema is discarded; neither stops the others."""
        reason = f"{type(error).__name__}: {error}".strip()
        self.progress.advance()
        note = self._discard if laggard.is_ready_schema else self._set_aside
        if not note(laggard, reason):
            return  # erased, or claimed, meanwhile
        # Who failed the last time too says nothing new about this migration.
        self.failures += laggard.state != "set_aside"
        log.error(
            "tenant.migration_failed",
            extra={"tenant_id": str(laggard.id), "reason": reason},
            exc_info=error,
        )

    def _set_aside(self, laggard: Laggard, reason: str) -> bool:
        is_there = ledger.set_aside(self.owner, laggard, reason=reason)
        if is_there:
            self.outcome.set_aside[laggard.slug] = reason
            self.tell(f"Set aside: {laggard.slug}: {reason}")
        return is_there

    def _discard(self, laggard: Laggard, reason: str) -> bool:
        is_there = ledger.discard(self.owner, laggard)
        if is_there:
            self.outcome.discarded[laggard.schema] = reason
            self.tell(f"Discarded: {laggard.name}: {reason}")
        return is_there
