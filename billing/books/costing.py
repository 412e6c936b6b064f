"""What was used, and what that costs us, by app, member, key and campaign; and what is left of the revenue.

An event is a member's, a key's or a campaign's where its reporter said so (`properties`), or where its key
names the campaign. Costs are in the currency of the revenue, from a table for each (`costs.toml`): nothing
is converted.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

from django.db import connection

from billing.catalogue.values import exact
from billing.models import Subscription
from billing.money import Money, total

_FILE = Path(__file__).with_name("costs.toml")
# What an event says of each; "" where it says nothing.
_LABELS: dict[str, LiteralString] = {
    "app": "coalesce(properties ->> 'app', '')",
    "member": "coalesce(properties ->> 'member', '')",
    "api_key": "coalesce(properties ->> 'api_key', '')",
    "campaign": "coalesce(properties ->> 'campaign', substring(key from '^campaign:([0-9a-f-]{36})'), '')",
}
DIMENSIONS = tuple(_LABELS)
_UNITS: LiteralString = """
SELECT {label}, meter, sum(CASE kind WHEN 'refunded' THEN -quantity ELSE quantity END)
  FROM quotas_usageevent
 WHERE recorded_at >= %(starts_at)s AND recorded_at < %(ends_at)s AND {whose}
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
    facts = {"tenant": tenant_id, "starts_at": starts_at, "ends_at": ends_at}
    whose: LiteralString = "tenant_id = %(tenant)s"
    rows = _rows(_UNITS.format(label=_LABELS[by], whose=whose), facts)
    table = _table()
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for stated, meter, units in rows:
        label = stated or (table.apps.get(meter, "") if by == "app" else "")
        found[label, meter] += int(units)
    return [
        Allocated(label, meter, units, table.cost(meter, units, currency))
        for (label, meter), units in sorted(found.items())
    ]


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
    for tenant_id, meter, units in _rows(_UNITS.format(label="tenant_id", whose="true"), facts):
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


def _margin(
    place: tuple[UUID, str], kinds: Mapping[str, int], used: list[tuple[str, int]]
) -> Margin:
    tenant_id, currency = place
    table = _table()
    cost = total((table.cost(meter, units, currency) for meter, units in used), currency=currency)
    fees = -sum(amount for kind, amount in kinds.items() if kind != "revenue")
    return Margin(tenant_id, Money(kinds.get("revenue", 0), currency), Money(fees, currency), cost)


def _rows(question: str, facts: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, facts)
        yield from cursor.fetchall()


@cache
def _table() -> _Table:
    with _FILE.open("rb") as file:
        data = tomllib.load(file)
    return _Table(data["apps"], {meter: exact(costs) for meter, costs in data["costs"].items()})
