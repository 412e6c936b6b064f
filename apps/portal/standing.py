"""Where a tenant stands: plan, state, and each meter against its limit."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.text import capfirst

from apps.portal.labels import METERS, SUBSCRIPTION_STATES
from apps.portal.offers import is_of_use
from billing import catalogue
from billing.catalogue import PlanSpec
from billing.models import Subscription
from billing.rating.terms import Terms
from billing.services.subscriptions import subscription_of
from billing.services.terms import present_terms
from config.needs import Meter
from quotas import entitlements, ledger
from quotas.alerts.outlook import Outlook, outlooks
from quotas.words import pace
from tenants.isolation import on_square

_NEAR_RATIO = 0.8


@dataclass(frozen=True, slots=True)
class Standing:
    """`trial_ends_at` only while on trial; `terms` are what is billed, None where nothing is; `hold` is the code of billing's restriction, or empty."""

    plan: PlanSpec
    status: Promise
    currency: str
    trial_ends_at: datetime | None
    pending_plan: str
    is_collected: bool
    terms: Terms | None
    hold: str

    @property
    def paid_plan(self) -> str:
        """The key of the plan that a provider collects for, or empty."""
        return self.plan.key if self.is_collected else ""


@dataclass(frozen=True, slots=True)
class MeterRow:
    """One meter for a bar. `level` is empty, near (80 % and more) or full; `pace` a sentence or empty."""

    key: str
    name: str
    used: int
    limit: int | None
    remaining: int | None
    resets_at: datetime | None
    level: str
    pace: str

    @property
    def longest(self) -> int:
        """The bar's length; a bar of length 0 is not valid HTML."""
        return max(self.limit or 0, 1)


def standing_of(tenant_id: UUID, *, now: datetime) -> Standing:
    """Raises NotFound for a tenant without a subscription."""
    with on_square():
        row = subscription_of(tenant_id)
        terms = present_terms(row) if row.billed_until else None
    is_trial = row.status == Subscription.Status.TRIALING
    return Standing(
        plan=catalogue.plan(row.plan),
        status=SUBSCRIPTION_STATES[row.status],
        currency=row.currency,
        trial_ends_at=row.trial_ends_at if is_trial else None,
        pending_plan=row.pending_plan,
        is_collected=row.is_collected,
        terms=terms,
        hold=entitlements.snapshot(tenant_id, now=now).hold,
    )


def meter_rows(tenant_id: UUID, *, now: datetime) -> list[MeterRow]:
    """Every meter of which the tenant's plan allows something, as bars."""
    snapshot = entitlements.snapshot(tenant_id, now=now)
    usage = [
        found
        for found in ledger.usage_under(snapshot, now=now)
        if is_of_use(found.meter, features=snapshot.features, limit=found.limit)
    ]
    return [_row(found) for found in outlooks(tenant_id, usage, now=now)]


def used_of(tenant_id: UUID, meter: Meter, *, now: datetime) -> int:
    """Units of one meter in use."""
    rows = ledger.usage(tenant_id=tenant_id, now=now)
    return next(found.used for found in rows if found.meter is meter)


def _row(outlook: Outlook) -> MeterRow:
    found = outlook.usage
    return MeterRow(
        key=found.meter.value,
        name=capfirst(str(METERS[found.meter])),
        used=found.used,
        limit=found.limit,
        remaining=found.remaining,
        resets_at=found.resets_at,
        level=level_of(found.used, found.limit),
        pace=_pace(outlook),
    )


def _pace(outlook: Outlook) -> str:
    """Said while there is something left to run out of."""
    found, usage = outlook.forecast, outlook.usage
    if found is None or usage.limit is None or usage.used >= usage.limit:
        return ""
    return pace(runs_out=found.runs_out_on, earliest=found.earliest_on, latest=found.latest_on)


def level_of(used: int, limit: int | None) -> str:
    """Empty, near (80 % and more) or full."""
    if limit is None:
        return ""
    if used >= limit:
        return "full"
    return "near" if used >= limit * _NEAR_RATIO else ""
