"""The end of a tenant as money sees it: nobody is charged on for what is erased."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import redis

from billing.books import forget_books
from billing.catalogue import FREE
from billing.models import Subscription
from billing.refusals import StillCollected
from billing.services.changes import change_plan
from config.errors import DomainError
from config.logs import logger
from tenants import life
from tenants.models import Tenant

log = logger(__name__)
Tell = Callable[[str], None]


def close(*, tenant_id: UUID, reason: str, by: str, now: datetime) -> Tenant:
    """Close the tenant, and end a paid subscription with its period. Restored, it is bought anew.

    Raises what life.close raises, ProviderDown and ProviderRefused; then nothing is closed.
    """
    end_charges(tenant_id=tenant_id, now=now)
    return life.close(tenant_id=tenant_id, reason=reason, by=by, now=now)


def is_charged_in_vain(tenant_id: UUID) -> bool:
    """Whether a provider collects for a closed tenant: a checkout begun before was paid after."""
    is_closing = Tenant.objects.filter(pk=tenant_id, status=Tenant.Status.CLOSING).exists()
    return is_closing and _is_charged_on(tenant_id)


def end_charges(*, tenant_id: UUID, now: datetime) -> None:
    """End a paid subscription with its period. Harmless twice. Raises ProviderDown, ProviderRefused."""
    if _is_charged_on(tenant_id):
        change_plan(tenant_id=tenant_id, plan=FREE, now=now)


def _is_charged_on(tenant_id: UUID) -> bool:
    row = Subscription.objects.filter(tenant_id=tenant_id).first()
    if row is None or not row.is_collected:
        return False
    return not row.cancels_at_period_end and row.pending_plan != FREE


def erase(
    *, tenant_id: UUID, now: datetime, tell: Tell, is_at_once: bool = False
) -> dict[str, Any]:
    """Erase the tenant; its certificate. Raises StillCollected, and what life.erase raises."""
    if _is_charged_on(tenant_id):
        raise StillCollected()
    return life.erase(tenant_id=tenant_id, now=now, tell=tell, is_at_once=is_at_once)


def erase_due(*, now: datetime) -> int:
    """Erase every tenant whose window has ended; how many those were. One's trouble is not the others'."""
    erased = 0
    for tenant_id in life.due(now=now):
        try:
            erase(tenant_id=tenant_id, now=now, tell=log.debug)
            erased += 1
        except (DomainError, psycopg.Error, redis.RedisError, OSError):
            log.exception("tenant.erasure_failed", extra={"tenant_id": str(tenant_id)})
    forget_books(now=now)
    life.forget_certificates(now=now)
    return erased
