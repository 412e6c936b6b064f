"""A tenant that pays, without a provider: what happens between its provider's words is ours alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from billing.models import Invoice, Subscription
from billing.services import charging
from billing.services.grants import entitle
from billing.services.terms import plain_terms
from config.needs import Meter
from quotas import ledger
from tenants.models import Tenant

JAN_31 = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
FEB_28 = datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
MAR_31 = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@transaction.atomic
def paying(
    tenant: Tenant,
    *,
    plan: str = "growth",
    at: datetime = JAN_31,
    interval: str = "month",
    currency: str = "USD",
) -> Subscription:
    """The tenant's subscription, paid from `at` on."""
    row = Subscription.objects.select_for_update().get(tenant=tenant)
    row.plan, row.status, row.interval, row.currency = plan, "active", interval, currency
    row.anchored_at, row.trial_ends_at = at, None
    charge = charging.begin(row, terms=plain_terms(row, plan=plan), at=at, now=at)
    row.save()
    entitle(tenant_id=tenant.id, plan=plan, now=at)
    charging.issue(row, charge, now=at)
    return row


def use(tenant: Tenant, units: int, *, at: datetime, key: str, meter: Meter = Meter.TOKENS) -> None:
    with transaction.atomic():
        ledger.consume(tenant_id=tenant.id, meter=meter, quantity=units, key=key, now=at)


def invoices(tenant: Tenant) -> list[Invoice]:
    """In order of issue."""
    return list(Invoice.objects.filter(tenant_id=tenant.id).order_by("issuer", "number"))


def told(invoice: Invoice) -> dict[str, Any]:
    """Its kind, its lines as (kind, quantity, amount), and its total."""
    lines = invoice.lines.order_by("position")
    return {
        "kind": invoice.kind,
        "lines": [(line.kind, line.quantity, line.amount_minor) for line in lines],
        "total": invoice.total_minor,
    }
