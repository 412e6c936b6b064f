"""Hands for tests of the trail: record acts, and break a chain as only the owner could."""

from typing import Any
from uuid import UUID

from tenants.engine.owner import owner_connection
from tenants.isolation import tenant_context
from tenants.trail.actions import Action
from tenants.trail.models import TrailEvent
from tenants.trail.proving import broken
from tenants.trail.recording import Change, Subject, record
from tenants.trail.sealing import seal


def act(tenant: Any, *names: str, action: Action = Action.CONTACT_DELETED) -> None:
    """Record an act for each name, each in a transaction of its own."""
    with tenant_context(tenant):
        for name in names:
            record(action, Subject("contact", name), Change(before={"status": name}))


def sealed(tenant: Any, *names: str) -> list[int]:
    """Record and seal; the numbers that the trail has now."""
    act(tenant, *names)
    seal(tenant.id)
    return numbers(tenant)


def numbers(tenant: Any) -> list[int]:
    with tenant_context(tenant):
        return list(TrailEvent.objects.order_by("number").values_list("number", flat=True))


def names(tenant: Any) -> list[str]:
    """What was acted upon, in the trail's order."""
    with tenant_context(tenant):
        return list(TrailEvent.objects.order_by("number").values_list("object_id", flat=True))


def as_owner(*statements: str) -> None:
    with owner_connection() as owner:
        for statement in statements:
            owner.execute(statement.encode())


def fault_of(chain: UUID) -> str:
    with owner_connection() as owner:
        return broken(owner, chain)
