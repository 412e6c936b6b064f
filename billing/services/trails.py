"""Audit trails are kept as long as the tenant's plan says; the operators' as long as invoices are."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings

from billing.catalogue import FREE
from billing.catalogue.retention import audit_days
from billing.models import Subscription
from tenants.models import OPERATORS, TrailHead
from tenants.trail import pruning

_DAYS_OF_A_YEAR = 366


def prune_trails(*, now: datetime) -> int:
    """Let go of the months that are too old; how many rows those were. Harmless twice. Raises NoOwner."""
    return pruning.prune_all(_kept(), now=now)


def _kept() -> Iterator[tuple[UUID, int]]:
    """Each chain, and for how many days it is kept."""
    days = audit_days()
    plans = dict(Subscription.objects.values_list("tenant_id", "plan"))
    for chain in TrailHead.objects.order_by("pk").values_list("pk", flat=True):
        if chain == OPERATORS:
            yield chain, settings.INVOICE_RETENTION_YEARS * _DAYS_OF_A_YEAR
        else:
            # A plan that is sold no more keeps what the cheapest does, at least.
            yield chain, days.get(plans.get(chain, FREE), days[FREE])
