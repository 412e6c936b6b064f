"""Units for work that takes long and lies outside of any transaction, like that of an engine that writes.

They are taken before the work begins, so that whoever is one too many learns it before anything is done.
A reservation is kept in the transaction that keeps the work's result, and given back where the work fails; where
the process dies, it gives itself back when its lease ends (`quotas.give_back`, promised with it).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from config.errors import ServiceUnavailable
from config.logs import logger
from config.needs import Meter
from config.promises import call_off, promise
from quotas import ledger

log = logger(__name__)
# No work that a request waits for takes longer.
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reservation:
    """So many units of a meter, taken under `key`. `give_back` is the promise that ends its lease."""

    tenant_id: UUID
    meter: Meter
    quantity: int
    key: str
    give_back: UUID

    def keep(self) -> None:
        """The units are used, if this transaction commits. Raises ServiceUnavailable after the lease."""
        if not call_off(self.give_back):
            raise ServiceUnavailable()


@contextmanager
def reserved(
    *, tenant_id: UUID, meter: Meter, quantity: int, key: str, now: datetime
) -> Iterator[Reservation]:
    """Take the units, or raise QuotaExceeded or SpendCapReached; whatever is raised inside gives them back."""
    held = _reserve(tenant_id=tenant_id, meter=meter, quantity=quantity, key=key, now=now)
    try:
        yield held
    except BaseException:  # also where a task or a thread is ended
        # In a transaction that is lost they were never taken.
        if not connection.needs_rollback:
            _give_back(held, now=now)
        raise


@transaction.atomic
def _reserve(
    *, tenant_id: UUID, meter: Meter, quantity: int, key: str, now: datetime
) -> Reservation:
    ledger.consume(tenant_id=tenant_id, meter=meter, quantity=quantity, key=key, now=now)
    promised = promise(
        "quotas.give_back",
        at=now + LEASE,
        tenant_id=str(tenant_id),
        meter=meter.value,
        quantity=quantity,
        key=key,
    )
    return Reservation(tenant_id, meter, quantity, key, promised)


@transaction.atomic
def _give_back(held: Reservation, *, now: datetime) -> None:
    call_off(held.give_back)
    give_back(
        tenant_id=held.tenant_id, meter=held.meter, quantity=held.quantity, key=held.key, now=now
    )


@transaction.atomic
def give_back(*, tenant_id: UUID, meter: Meter, quantity: int, key: str, now: datetime) -> None:
    """Give back what was taken under `key` and not kept. Harmless twice."""
    ledger.refund(tenant_id=tenant_id, meter=meter, quantity=quantity, key=key, now=now)
    log.info("reservation.given_back", extra={"meter": meter.value, "quantity": quantity})
