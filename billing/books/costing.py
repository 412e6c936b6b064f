"""What was used, and what that costs us, by app, member, key and campaign; and what is left of the revenue.

An event is a member's, a key's or a campaign's where its reporter said so (`properties`), or else whose the
request or the task was that wrote it (config/cause.py), or where its key names the campaign; what changes an
event falls to whom that fell. API calls are counted by who asked alone (quotas/callers.py). Costs are in the
currency of the revenue, from a table for each (`costs.toml`): nothing is converted.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from billing.catalogue.values import exact, faults_of_exact, is_text
from billing.models import Subscription
from billing.money import Money, total
from config.needs import Meter
from quotas import callers

_FILE = Path(__file__).with_name("costs.toml")
# What an event, or that which it changes, says of each; "" where nothing does.
_LABELS: dict[str, LiteralString] = {
    "app": "coalesce(said ->> 'app', nullif(source.app, ''), '')",
    "member": "coalesce(said ->> 'member', source.member_id::text, '')",
    "api_key": "coalesce(said ->> 'api_key', source.api_key_id::text, '')",
    "campaign": """coalesce(said ->> 'campaign', source.campaign_id::text,
                            substring(event.key from '^campaign:([0-9a-f-]{36})'), '')""",
}
DIMENSIONS = tuple(_LABELS)
_SHARED: LiteralString = """
SELECT {label}, event.meter, sum(CASE event.kind WHEN 'refunded' THEN -event.quantity ELSE event.quantity END)
  FROM quotas_usageevent AS event
  LEFT JOIN quotas_usageevent AS changed ON changed.tenant_id = event.tenant_id AND changed.id = event.corrects
 CROSS JOIN LATERAL (SELECT coalesce(changed.properties, event.properties) AS said,
                            coalesce(nullif(changed.app, ''), event.app) AS app,
                            coalesce(changed.member_id, event.member_id) AS member_id,
                            coalesce(changed.api_key_id, event.api_key_id) AS api_key_id,
                            coalesce(changed.campaign_id, event.campaign_id) AS campaign_id) AS source
 WHERE event.tenant_id = %(tenant)s AND {when}
 GROUP BY 1, 2 ORDER BY 1, 2
"""
_IN_TIME: LiteralString = "event.recorded_at >= %(starts_at)s AND event.recorded_at < %(ends_at)s"
OF_PERIOD: LiteralString = "event.meter = %(meter)s AND event.period_start = %(period)s"
_UNITS: LiteralString = """
SELECT tenant_id, meter, sum(CASE kind WHEN 'refunded' THEN -quantity ELSE quantity END)
  FROM quotas_usageevent
 WHERE recorded_at >= %(starts_at)s AND recorded_at < %(ends_at)s
 GROUP BY 1, 2 ORDER BY 1, 2
"""
_REVENUE: LiteralString = """
SELECT account.tenant_id, account.currency, account.kind, -sum(posting.amount_minor)
  FROM billing_journalentry AS entry
  JOIN billing_posting AS posting ON posting.entry_id = entry.id
  JOIN billing_account AS account ON account.id = posting.account_id
 WHERE entry.entered_at >= %(starts_at)s AND entry.entered_at < %(ends_at)s
   AND account.kind IN ('revenue', 'fees', 'promotions', 'bad_debt')
 GROUP BY 1, 2, 3
"""


class CostsInvalid(ImproperlyConfigured):
    """The table of costs breaks its own rules; the message names each place."""


@dataclass(frozen=True, slots=True)
class Allocated:
    """Units of a meter that fall to one app, member, key or campaign ("": nobody said), and their cost."""

    label: str
    meter: str
    units: int
    cost: Money


@dataclass(frozen=True, slots=True)
class Margin:
    """What a tenant brought in one currency, and what it cost: `fees` are what providers kept and what was
    given away or given up, `cost` is of what it used.
    """

    tenant_id: UUID
    revenue: Money
    fees: Money
    cost: Money

    @property
    def left(self) -> Money:
        return self.revenue - self.fees - self.cost

    def plus(self, other: "Margin") -> "Margin":
        """Both together, of one currency. Raises CurrencyMismatch."""
        return replace(
            self,
            revenue=self.revenue + other.revenue,
            fees=self.fees + other.fees,
            cost=self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True)
class _Table:
    apps: Mapping[str, str]
    costs: Mapping[str, Mapping[str, Fraction]]

    def cost(self, meter: str, units: int, currency: str) -> Money:
        """Rounded half to even, once."""
        unit = self.costs.get(meter, {}).get(currency, Fraction(0))
        return Money(round(unit * units), currency)


def allocated(
    *, tenant_id: UUID, by: str, currency: str, starts_at: datetime, ends_at: datetime
) -> list[Allocated]:
    """What the tenant used in [starts_at, ends_at), shared out `by` one of DIMENSIONS. Raises KeyError."""
    meters = used_by(by, tenant_id=tenant_id, starts_at=starts_at, ends_at=ends_at)
    found = [
        Allocated(label, meter, units[label], Money(cost, currency))
        for meter, units in meters.items()
        for label, cost in shared(
            cost_table().cost(meter, sum(units.values()), currency).amount, units
        )
    ]
    return sorted(found, key=lambda one: (one.label, one.meter))


def shared(whole: int, units: Mapping[str, int]) -> list[tuple[str, int]]:
    """`whole` minor units by each label's part of the units, by largest remainder: the parts sum to the whole.

    Where the units sum to nothing there is nothing by which to share: the first label has it all.
    """
    labels = sorted(units)
    everything = sum(units.values())
    if not everything:
        return [(label, 0 if number else whole) for number, label in enumerate(labels)]
    exact_parts = {label: Fraction(whole * units[label], everything) for label in labels}
    parts = {label: floor(part) for label, part in exact_parts.items()}
    missing = whole - sum(parts.values())
    by_remainder = sorted(labels, key=lambda label: (parts[label] - exact_parts[label], label))
    for label in by_remainder[:missing]:
        parts[label] += 1
    return list(parts.items())


def margins(*, starts_at: datetime, ends_at: datetime) -> list[Margin]:
    """Of every tenant that brought or cost something in [starts_at, ends_at), for each of its currencies.

    What was used is charged to the currency in which the tenant is billed; of one that was never billed, to USD.
    """
    facts = {"starts_at": starts_at, "ends_at": ends_at}
    brought: defaultdict[tuple[UUID, str], dict[str, int]] = defaultdict(dict)
    for tenant_id, currency, kind, amount in _rows(_REVENUE, facts):
        brought[tenant_id, currency][kind] = int(amount)
    billed_in = {
        tenant: currency for (tenant, currency), kinds in brought.items() if "revenue" in kinds
    }
    used: defaultdict[tuple[UUID, str], list[tuple[str, int]]] = defaultdict(list)
    for tenant_id, meter, units in _rows(_UNITS, facts):
        used[tenant_id, billed_in.get(tenant_id, "USD")].append((meter, int(units)))
    places = sorted({*brought, *used}, key=str)
    return [_margin(place, brought[place], used[place]) for place in places]


def by_plan(found: Iterable[Margin]) -> dict[tuple[str, str], Margin]:
    """The same, by (plan, currency); a tenant counts under the plan that it has now, "" where it is gone.

    The first tenant's id stands in each.
    """
    plans = dict(Subscription.objects.values_list("tenant_id", "plan"))
    sums: dict[tuple[str, str], Margin] = {}
    for each in found:
        key = plans.get(each.tenant_id, ""), each.revenue.currency
        before = sums.get(key)
        sums[key] = each if before is None else before.plus(each)
    return sums


def used_by(
    by: str, *, tenant_id: UUID, starts_at: datetime, ends_at: datetime
) -> dict[str, dict[str, int]]:
    """{meter: {label: units}} of what a tenant used in [starts_at, ends_at), its API calls too."""
    facts = {"tenant": tenant_id, "starts_at": starts_at, "ends_at": ends_at}
    meters = units_by(by, _IN_TIME, facts)
    calls = callers.calls_by(by, tenant_id=tenant_id, starts_at=starts_at, ends_at=ends_at)
    return meters | ({Meter.API_CALLS.value: calls} if calls else {})


def units_by(by: str, when: LiteralString, facts: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """{meter: {label: units}} of one tenant's events."""
    apps = cost_table().apps if by == "app" else {}
    meters: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for stated, meter, units in _rows(_SHARED.format(label=_LABELS[by], when=when), facts):
        meters[meter][stated or apps.get(meter, "")] += int(units)
    return {meter: dict(units) for meter, units in meters.items()}


def _margin(
    place: tuple[UUID, str], kinds: Mapping[str, int], used: list[tuple[str, int]]
) -> Margin:
    tenant_id, currency = place
    table = cost_table()
    cost = total((table.cost(meter, units, currency) for meter, units in used), currency=currency)
    fees = -sum(amount for kind, amount in kinds.items() if kind != "revenue")
    return Margin(tenant_id, Money(kinds.get("revenue", 0), currency), Money(fees, currency), cost)


def _rows(question: str, facts: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, facts)
        yield from cursor.fetchall()


@cache
def cost_table() -> _Table:
    """Raises CostsInvalid, which stops the start."""
    with _FILE.open("rb") as file:
        return read(tomllib.load(file))


def read(data: Mapping[str, Any]) -> _Table:
    """`{apps: {meter: app}, costs: {meter: {currency: exact}}}`. Raises CostsInvalid."""
    apps, costs = data.get("apps", {}), data.get("costs", {})
    faults = [f"{name}: apps or costs" for name in sorted(set(data) - {"apps", "costs"})]
    faults += [f"{name}: no meter" for name in sorted({*apps, *costs} - set(Meter))]
    faults += [f"apps.{meter}: an app's name" for meter, app in apps.items() if not is_text(app)]
    for meter, amounts in costs.items():
        faults += faults_of_exact(f"costs.{meter}", amounts)
    if faults:
        raise CostsInvalid("The table of costs is not valid: " + "; ".join(faults))
    return _Table(apps, {meter: exact(amounts) for meter, amounts in costs.items()})
