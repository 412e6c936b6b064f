"""Tenants whose use above the included weighs against a capped budget."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from quotas import entitlements
from quotas.caps.services import cap_spending
from quotas.caps.weights import Bend, Weight
from quotas.merging import Cap
from quotas.models import Spend
from quotas.periods import Anchor
from tests.quotas.conftest import NOON

# A tenth of a minor unit each, after 10 units more a twentieth.
TENTHS = Weight((Bend(0, 0, 2), Bend(10, 20, 1)), scale=20)
ONES = Weight((Bend(0, 0, 1),))


def weigh(
    tenant_id: UUID,
    weights: Mapping[str, Weight],
    *,
    cap: int | None = None,
    unit: str = "USD",
    anchor: Anchor | None = None,
    now: datetime = NOON,
    **limits: int | None,
) -> None:
    """Grant limits and weights, and cap the budget."""
    entitlements.grant(
        tenant_id=tenant_id, source="plan", plan="free", features=("crm",), limits=limits,
        rates={"tenant": (6_000, 60)}, ladder={}, feature_ladder={}, anchor=anchor,
        weights=weights, budget_unit=unit, now=now,
    )  # fmt: skip
    if cap is not None:
        cap_spending(tenant_id=tenant_id, cap=Cap(cap, unit), by="member:1", now=now)


def spent(tenant_id: UUID) -> int:
    """As the last writer has reckoned it."""
    return sum(Spend.objects.filter(tenant_id=tenant_id).values_list("spent", flat=True))
