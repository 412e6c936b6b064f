"""What a tenant may take of the machine: its plan's shares, unless an operator scaled it by hand.

Billing grants a plan's shares downward (`apply`); `scale` sets some of them by hand, at once and until
`reset`, and tells billing. The engine reads them from TenantRef, the workers' slots likewise.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.celery import later
from config.context import Shares
from config.errors import NotFound, ValidationFailed
from config.logs import logger
from tenants.models import Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
# The least and the most that can be set by hand.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "statement_timeout_ms": (100, 3_600_000),
    "connection_share": (1, 1_000),
    "worker_slots": (1, 1_000),
    "storage_limit_bytes": (1, 2**53),
}


@transaction.atomic
def apply(*, tenant_id: UUID, granted: Shares) -> None:
    """Give the tenant its plan's shares; those set by hand stay. Harmless twice."""
    _set(_locked(tenant_id), granted, hand=None)


def is_applied(*, tenant_id: UUID, granted: Shares) -> bool:
    """Whether the tenant has its plan's shares, but for those set by hand."""
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    return tenant is not None and _present(tenant) == _effective(granted, tenant.scaled_by_hand)


@transaction.atomic
def scale(*, tenant_id: UUID, by_hand: Mapping[str, int], now: datetime) -> Tenant:
    """Set shares by hand, from the next request on. What is so already changes nothing.

    Raises NotFound, and ValidationFailed for a share that there is not, or out of BOUNDS.
    """
    faults = {name: _faults(name, value) for name, value in by_hand.items()}
    if any(faults.values()):
        raise ValidationFailed(errors={name: told for name, told in faults.items() if told})
    tenant = _locked(tenant_id)
    hand, before = {**tenant.scaled_by_hand, **by_hand}, _present(tenant)
    # What the plan grants of the shares set by hand is not known here, and not needed: they win.
    if _set(tenant, Shares(**before), hand=hand):
        _tell(tenant, before, now)
    return tenant


@transaction.atomic
def reset(*, tenant_id: UUID, granted: Shares, now: datetime) -> Tenant:
    """Back to what the plan grants, from the next request on. Raises NotFound."""
    tenant = _locked(tenant_id)
    before = _present(tenant)
    if _set(tenant, granted, hand={}):
        _tell(tenant, before, now)
    return tenant


def _locked(tenant_id: UUID) -> Tenant:
    tenant = Tenant.objects.select_for_update().filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound()
    return tenant


def _set(tenant: Tenant, granted: Shares, *, hand: dict[str, int] | None) -> bool:
    """Write the shares; whether that changed anything. `hand` None leaves those set by hand."""
    hand = tenant.scaled_by_hand if hand is None else hand
    wanted = _effective(granted, hand)
    if _present(tenant) == wanted and tenant.scaled_by_hand == hand:
        return False
    for name, value in wanted.items():
        setattr(tenant, name, value)
    tenant.scaled_by_hand = hand
    tenant.save(update_fields=[*wanted, "scaled_by_hand"])
    return True


def _effective(granted: Shares, hand: Mapping[str, int]) -> dict[str, int | None]:
    return {**asdict(granted), **hand}


def _present(tenant: Tenant) -> dict[str, int | None]:
    return {name: getattr(tenant, name) for name in BOUNDS}


def _faults(name: str, value: int) -> list[str]:
    if name not in BOUNDS:
        return [f"One of {', '.join(BOUNDS)}."]
    least, most = BOUNDS[name]
    return [] if least <= value <= most else [f"From {least} to {most}."]


def _tell(tenant: Tenant, before: Mapping[str, int | None], now: datetime) -> None:
    subject, change = Subject("tenant", tenant.pk, tenant.slug), Change(before, _present(tenant))
    record(Action.TENANT_SCALED, subject, change, tenant_id=tenant.pk)
    tenant.last_scaled_at = now
    tenant.save(update_fields=["last_scaled_at"])
    later(
        "billing.tenant_scaled",
        tenant_id=str(tenant.pk),
        scaled_at=now.isoformat(),
        statement_timeout_ms=tenant.statement_timeout_ms,
        connection_share=tenant.connection_share,
        worker_slots=tenant.worker_slots,
        storage_limit_bytes=tenant.storage_limit_bytes,
    )
    log.info("tenant.scaled", extra={"tenant_id": str(tenant.pk), **_present(tenant)})
