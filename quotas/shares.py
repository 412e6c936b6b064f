"""What a tenant uses of its shares of the machine, as far as that is a number at one moment."""

from dataclasses import dataclass

from config.context import Shares, TenantRef
from quotas import storage
from tenants import slots


@dataclass(frozen=True, slots=True)
class ShareUsage:
    """One share. `limit` None is no limit; `used` None is not known now (Redis is away)."""

    share: str
    unit: str
    limit: int | None
    used: int | None


def shares_used(tenant: TenantRef) -> list[ShareUsage]:
    """Worker slots (tasks that run at this moment), and storage (by the last reading). One query."""
    granted = tenant.shares or Shares()
    return [
        ShareUsage("worker_slots", "slot", granted.worker_slots, slots.in_use(tenant.id)),
        ShareUsage("storage", "byte", granted.storage_limit_bytes, storage.used(tenant.id)),
    ]
