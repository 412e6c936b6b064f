"""The sealer: gives what waits its number and digest, and moves it into its trail. Any number may run at once.

One call seals a few hundred rows of one chain in one transaction, under the lock of the chain's head:
killed anywhere, all of it is done or nothing; a second sealer leaves a chain that is at work alone.
"""

from uuid import UUID

from django.db import DatabaseError, connection, transaction

from config.logs import logger
from config.seals import sealed
from tenants.isolation import square_context
from tenants.models import Tenant, TrailPending

log = logger(__name__)
_AT_ONCE = 500
_MOST_CALLS = 200
# Its schema is being made, or filled from an archive that brings a trail along.
_NOT_YET = Tenant.Status.PROVISIONING


def seal_all() -> int:
    """Seal what waits in every chain; how many rows that were. A chain that fails does not stop the others."""
    return sum(_seal_or_tell(chain) for chain in waiting())


def waiting() -> list[UUID]:
    """The chains that have rows to be sealed, and a place for them."""
    with square_context():
        unready = Tenant.objects.filter(status=_NOT_YET).values("pk")
        rows = TrailPending.objects.exclude(tenant_id__in=unready)
        return list(rows.order_by("tenant_id").values_list("tenant_id", flat=True).distinct())


def seal(chain: UUID) -> int:
    """Seal what waits in one chain now; how many rows that were."""
    total = 0
    for _ in range(_MOST_CALLS):
        rows = _seal_some(chain)
        total += rows
        if rows < _AT_ONCE:
            break
    return total


def _seal_or_tell(chain: UUID) -> int:
    try:
        return seal(chain)
    except DatabaseError as error:
        # Of a tenant that is being erased the schema may be gone, and what waits goes with its rows.
        log.warning("trail.not_sealed", extra={"chain": str(chain), "reason": type(error).__name__})
        return 0


def _seal_some(chain: UUID) -> int:
    statement, parameters = sealed("seal_trail", str(chain), str(_AT_ONCE))
    with square_context(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        told: str = cursor.fetchone()[0]
    if told == "busy":
        return 0
    rows, number, digest = told.split(":")
    if rows != "0":
        # Whoever keeps the logs elsewhere has an anchor that no database can take back.
        facts = {"chain": str(chain), "rows": int(rows), "number": int(number), "digest": digest}
        log.info("trail.sealed", extra=facts)
    return int(rows)
