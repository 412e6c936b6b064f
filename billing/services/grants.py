"""What billing grants downward: a plan's entitlements and shares.

Allowances when a plan changes in the middle of a period (usage is never dropped, one more never):
- the period goes on: a change of plan renews no allowance, and what was used stays used;
- up: the whole new limit holds from the next request on, not a share of it by days;
- down: the new limit holds from the period's end on, as what is paid is paid. Nothing is taken away;
  a meter above its new limit refuses more until its period ends or it is below;
- by the year instead of by the month, or back: a new period begins, with all its allowance, as the
  provider begins and bills one; so does the first paid period after a trial;
- who ends a subscription keeps its periods: going back to free renews nothing either.

What a plan prices above its limit (the catalogue's `metered`) is granted as weights: while the plan is
paid for, such a meter goes on above its limit and is billed, as far as the tenant's spend cap allows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery

from billing import catalogue
from billing.catalogue import Catalogue, PlanSpec
from billing.catalogue.weights import weights_of
from billing.models import Subscription, SubscriptionSpan
from billing.rating.terms import Terms
from billing.services.catalogues import catalogue_of
from billing.services.terms import spec_of
from config.needs import Meter
from quotas import entitlements
from quotas.caps.carrying import carry
from quotas.caps.weights import Weight
from quotas.merging import GrantInForce, Rate
from quotas.meters import METERS, Aggregation
from quotas.periods import MONTHS_IN, Anchor, Window
from tenants import shares

SOURCE = "plan"


def entitle(*, tenant_id: UUID, plan: str, now: datetime) -> None:
    """Grant what the plan contains, in the caller's transaction; the tenant's next request sees it.

    Shares that an operator set by hand stay (`manage.py tenant scale`).
    """
    held = _held(tenant_id)
    spec = held.offer.plan(plan)
    if held.has_changed_terms_within(now):
        carry(tenant_id=tenant_id, now=now)
    contents = _contents(spec, held)
    entitlements.grant(tenant_id=tenant_id, source=SOURCE, now=now, **contents)
    shares.apply(tenant_id=tenant_id, granted=spec.shares)


def as_granted(*, tenant_id: UUID, plan: str) -> GrantInForce:
    """What `entitle` would grant, without granting it."""
    held = _held(tenant_id)
    facts = _contents(held.offer.plan(plan), held)
    features = frozenset(facts.pop("features"))
    rates = {scope: Rate(*rate) for scope, rate in facts.pop("rates").items()}
    return GrantInForce(
        source=SOURCE,
        priority=0,
        expires_at=None,
        features=features,
        rates=rates,
        **facts,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """What holds for a tenant: where its billing periods begin (None before it has a subscription), its
    catalogue, its currency, and the terms that are paid for, and since when (None on trial and for free).
    """

    offer: Catalogue
    anchor: Anchor | None = None
    currency: str = ""
    terms: Terms | None = None
    since: datetime | None = None

    def has_changed_terms_within(self, at: datetime) -> bool:
        """Whether the present terms began within a period: what was used before is billed as it was."""
        if self.since is None or self.anchor is None:
            return False
        return self.since > self.anchor.around(at)[0]


def _held(tenant_id: UUID) -> _Held:
    """One query."""
    paid = SubscriptionSpan.objects.filter(subscription=OuterRef("pk"), ends_at=None)
    row = (
        Subscription.objects.filter(tenant_id=tenant_id)
        .annotate(terms=Subquery(paid.values("terms")), since=Subquery(paid.values("starts_at")))
        .values("catalogue_version", "anchored_at", "interval", "currency", "terms", "since")
        .first()
    )
    if row is None:
        return _Held(catalogue.load())
    return _Held(
        offer=catalogue_of(row["catalogue_version"]),
        anchor=Anchor(row["anchored_at"], row["interval"]) if row["anchored_at"] else None,
        currency=row["currency"],
        terms=Terms.read(row["terms"]) if row["terms"] else None,
        since=row["since"],
    )


def _contents(spec: PlanSpec, held: _Held) -> dict[str, Any]:
    """The catalogue's limits are a month's: a period of a year has twelve times as much, at once."""
    months = MONTHS_IN[held.anchor.interval] if held.anchor else 1
    return {
        "plan": spec.key,
        "features": sorted(feature.value for feature in spec.features),
        "limits": {
            meter.value: in_period(meter, limit, months) for meter, limit in spec.limits.items()
        },
        "rates": dict(spec.rates),
        "ladder": {
            meter.value: tuple(
                (step, in_period(meter, limit, months)) for step, limit in held.offer.ladder(meter)
            )
            for meter in Meter
        },
        "feature_ladder": held.offer.feature_ladder(),
        "anchor": held.anchor,
        "weights": _weights(spec, held),
        "budget_unit": held.currency,
    }


def _weights(spec: PlanSpec, held: _Held) -> dict[str, Weight]:
    """What use above the limits costs. Where nothing is paid for nothing is owed: there the limits refuse.

    By the terms' own version of the catalogue, as rating has it.
    """
    terms = held.terms
    if terms is None:
        return {}
    priced = spec_of(terms) if terms.plan == spec.key else spec
    weights = weights_of(priced, currency=terms.currency, interval=terms.interval)
    return {meter.value: weight for meter, weight in weights.items()}


def in_period(meter: Meter, limit: int | None, months: int) -> int | None:
    """A month's limit for so many months, where the meter starts anew with the billing period.

    The most at the same time, and how many different people, do not grow with the period.
    """
    spec = METERS[meter]
    grows = spec.window is Window.BILLING_PERIOD and spec.aggregation is Aggregation.SUM
    return limit * months if limit is not None and grows else limit


def is_as_catalogued(*, tenant_id: UUID, plan: str, now: datetime) -> bool:
    """Whether the tenant was granted exactly what its version of the catalogue says of `plan`."""
    held = _held(tenant_id)
    spec = held.offer.plan(plan)
    snapshot = entitlements.snapshot(tenant_id, now=now)
    granted = next((found for found in snapshot.grants if found.source == SOURCE), None)
    if granted is None or not shares.is_applied(tenant_id=tenant_id, granted=spec.shares):
        return False
    return _contents(spec, held) == {
        "anchor": granted.anchor,
        "weights": dict(granted.weights),
        "budget_unit": granted.budget_unit,
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
