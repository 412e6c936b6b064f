"""What billing grants downward: a plan's entitlements and shares, and the hold of who does not pay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing import catalogue
from billing.models import Subscription
from config.needs import Meter
from quotas import entitlements
from quotas.refusals import SubscriptionPastDue
from tenants import shares

SOURCE = "plan"


def entitle(*, tenant_id: UUID, plan: str, now: datetime) -> None:
    """Grant what the plan contains, in the caller's transaction; the tenant's next request sees it.

    Shares that an operator set by hand stay (`manage.py tenant scale`).
    """
    entitlements.grant(tenant_id=tenant_id, source=SOURCE, now=now, **_contents(plan))
    shares.apply(tenant_id=tenant_id, granted=catalogue.plan(plan).shares)


def _contents(plan: str) -> dict[str, Any]:
    spec = catalogue.plan(plan)
    return {
        "plan": spec.key,
        "features": sorted(feature.value for feature in spec.features),
        "limits": {meter.value: limit for meter, limit in spec.limits.items()},
        "rates": dict(spec.rates),
        "ladder": {meter.value: catalogue.ladder(meter) for meter in Meter},
        "feature_ladder": catalogue.feature_ladder(),
    }


def is_as_catalogued(*, tenant_id: UUID, plan: str, now: datetime) -> bool:
    """Whether the tenant was granted exactly what the catalogue now says of `plan`."""
    snapshot = entitlements.snapshot(tenant_id, now=now)
    granted = next((found for found in snapshot.grants if found.source == SOURCE), None)
    if granted is None or not shares.is_applied(
        tenant_id=tenant_id, granted=catalogue.plan(plan).shares
    ):
        return False
    wanted = _contents(plan)
    return wanted == {
        "plan": granted.plan,
        "features": sorted(granted.features),
        "limits": dict(granted.limits),
        "rates": {scope: tuple(rate) for scope, rate in granted.rates.items()},
        "ladder": dict(granted.ladder),
        "feature_ladder": dict(granted.feature_ladder),
    }


def regrant(*, now: datetime) -> int:
    """Grant anew where the catalogue says otherwise than what was granted; how many that were."""
    tenants = Subscription.objects.order_by("pk").values_list("tenant_id", flat=True)
    return sum(_regrant(tenant_id, now) for tenant_id in tenants.iterator(chunk_size=1_000))


@transaction.atomic
def _regrant(tenant_id: UUID, now: datetime) -> bool:
    row = Subscription.objects.select_for_update().get(tenant_id=tenant_id)
    if is_as_catalogued(tenant_id=tenant_id, plan=row.plan, now=now):
        return False
    entitle(tenant_id=tenant_id, plan=row.plan, now=now)
    return True


def hold_or_release(row: Subscription, *, now: datetime) -> None:
    """Hold the tenant whose grace is over, release any other. Writes only what changes."""
    is_over = row.grace_ends_at is not None and row.grace_ends_at <= now
    wanted = SubscriptionPastDue.code if is_over else None
    held = entitlements.snapshot(row.tenant_id, now=now).hold
    if held != (wanted or ""):
        entitlements.hold(tenant_id=row.tenant_id, code=wanted)
