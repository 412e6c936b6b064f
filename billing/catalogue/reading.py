"""Read a catalogue file into plans, or say what is wrong with it, by path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.context import Shares
from config.needs import Feature, Meter, RateClass

CURRENCIES = ("USD", "EUR", "MXN", "CRC")
INTERVALS = ("month", "year")
UNLIMITED = "unlimited"
# What the gate counts requests by: all of a tenant's, each credential's, and kinds of endpoints.
SCOPES = ("tenant", "credential", *(each.scope for each in RateClass))
# How much room a tenant has is one of its shares; as a meter it has the same limit.
STATED_METERS = tuple(meter for meter in Meter if meter is not Meter.STORAGE_BYTES)
SHARES = tuple(field.name for field in fields(Shares))
_PLAN_KEYS = frozenset({"name", "trial_days", "features", "limits", "rates", "shares", "prices"})


class CatalogueInvalid(ImproperlyConfigured):
    """The catalogue breaks its own rules; the message names each place."""


@dataclass(frozen=True, slots=True)
class PriceSpec:
    """What one interval of a plan costs, in integer minor units of `currency`."""

    plan: str
    interval: str
    currency: str
    amount_minor: int

    @property
    def lookup_key(self) -> str:
        """The price's name at a provider."""
        return f"plaza_{self.plan}_{self.currency}_{self.interval}".lower()


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """One plan. A limit of None is unlimited; a rate is (requests, seconds)."""

    key: str
    rank: int
    name: str
    trial_days: int
    features: frozenset[Feature]
    limits: Mapping[Meter, int | None]
    rates: Mapping[str, tuple[int, int]]
    shares: Shares
    prices: tuple[PriceSpec, ...]

    @property
    def is_paid(self) -> bool:
        return bool(self.prices)

    def price(self, *, currency: str, interval: str) -> PriceSpec | None:
        for price in self.prices:
            if (price.currency, price.interval) == (currency, interval):
                return price
        return None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every plan in order of price, and the version of the file."""

    version: int
    plans: tuple[PlanSpec, ...]


def read(data: Mapping[str, Any]) -> Catalogue:
    """The plans of a parsed file. Raises CatalogueInvalid with every fault, not only the first."""
    faults = list(_faults_of_shape(data))
    if not faults:
        plans = tuple(_plans(data["plans"], data["endpoint_rates"]))
        faults = list(_faults_of_ladder(plans))
        if not faults:
            return Catalogue(version=data["version"], plans=plans)
    raise CatalogueInvalid("The catalogue of plans is not valid: " + "; ".join(faults))


def _plans(tables: Mapping[str, Any], everywhere: Mapping[str, Any]) -> Iterator[PlanSpec]:
    features: frozenset[Feature] = frozenset()
    for rank, (key, table) in enumerate(tables.items()):
        features |= {Feature(name) for name in table["features"]}
        yield PlanSpec(
            key=key,
            rank=rank,
            name=table["name"],
            trial_days=table["trial_days"],
            features=features,
            limits={
                Meter(name): None if limit == UNLIMITED else limit
                for name, limit in {
                    **table["limits"],
                    "storage_bytes": table["shares"]["storage_limit_bytes"],
                }.items()
            },
            rates={
                name: (rate["requests"], rate["seconds"])
                for name, rate in (_endpoint_scopes(everywhere) | table["rates"]).items()
            },
            shares=Shares(
                **{
                    name: None if share == UNLIMITED else share
                    for name, share in table["shares"].items()
                }
            ),
            prices=tuple(
                PriceSpec(key, interval, currency, amount)
                for interval, amounts in table.get("prices", {}).items()
                for currency, amount in amounts.items()
            ),
        )


def _endpoint_scopes(rates: Mapping[str, Any]) -> dict[str, Any]:
    return {f"endpoint:{name}": rate for name, rate in rates.items()}


def _is_count(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _faults_of_shape(data: Mapping[str, Any]) -> Iterator[str]:
    if not _is_count(data.get("version"), least=1):
        yield "version: a whole number from 1"
    yield from _faults_of_endpoint_rates(data.get("endpoint_rates"))
    tables = data.get("plans")
    if not isinstance(tables, dict) or next(iter(tables), None) != "free":
        yield "plans: a table for each plan, 'free' first"
        return
    for key, table in tables.items():
        if not isinstance(table, dict):
            yield f"plans.{key}: a table"
            continue
        for fault in _faults_of_plan(table, is_free=key == "free"):
            yield f"plans.{key}.{fault}"


def _faults_of_plan(table: Mapping[str, Any], *, is_free: bool) -> Iterator[str]:
    for unknown in sorted(set(table) - _PLAN_KEYS):
        yield f"{unknown}: not a setting of a plan"
    if not isinstance(table.get("name"), str) or not table["name"].strip():
        yield "name: a text"
    if not _is_count(table.get("trial_days"), least=0 if is_free else 1):
        yield "trial_days: a whole number of days"
    yield from _faults_of_features(table.get("features"))
    yield from _faults_of_limits(table.get("limits"))
    yield from _faults_of_rates(table.get("rates"))
    yield from _faults_of_shares(table.get("shares"))
    if is_free and "prices" in table:
        yield "prices: the free plan has none"
    elif not is_free:
        yield from _faults_of_prices(table.get("prices"))


def _faults_of_features(features: object) -> Iterator[str]:
    if not isinstance(features, list):
        yield "features: a list"
        return
    for name in features:
        if name not in set(Feature):
            yield f"features: {name!r} is none of {', '.join(Feature)}"


def _faults_of_limits(limits: object) -> Iterator[str]:
    if not isinstance(limits, dict) or set(limits) != set(STATED_METERS):
        yield f"limits: one for each of {', '.join(STATED_METERS)}"
        return
    for meter, limit in limits.items():
        if limit != UNLIMITED and not _is_count(limit, least=0):
            yield f"limits.{meter}: a whole number from 0, or {UNLIMITED!r}"


def _faults_of_rates(rates: object) -> Iterator[str]:
    if not isinstance(rates, dict) or "tenant" not in rates or not set(rates) <= set(SCOPES):
        yield f"rates: 'tenant', and no more than {', '.join(SCOPES)}"
        return
    yield from _faults_of_each_rate(rates, "rates")


def _faults_of_endpoint_rates(rates: object) -> Iterator[str]:
    """The default of each kind of endpoint; a plan may say otherwise in its own rates."""
    if not isinstance(rates, dict) or set(rates) != set(RateClass):
        yield f"endpoint_rates: one for each of {', '.join(RateClass)}"
        return
    yield from _faults_of_each_rate(rates, "endpoint_rates")


def _faults_of_each_rate(rates: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, rate in rates.items():
        is_table = isinstance(rate, dict) and set(rate) == {"requests", "seconds"}
        if not is_table or not all(_is_count(value, least=1) for value in rate.values()):
            yield f"{path}.{name}: {{ requests, seconds }}, whole numbers from 1"


def _faults_of_shares(shares: object) -> Iterator[str]:
    if not isinstance(shares, dict) or set(shares) != set(SHARES):
        yield f"shares: one for each of {', '.join(SHARES)}"
        return
    for name, share in shares.items():
        if not _is_count(share, least=1) and (name, share) != ("storage_limit_bytes", UNLIMITED):
            yield f"shares.{name}: a whole number from 1 (of storage also {UNLIMITED!r})"


def _faults_of_prices(prices: object) -> Iterator[str]:
    if not isinstance(prices, dict) or set(prices) != set(INTERVALS):
        yield f"prices: one table for each of {', '.join(INTERVALS)}"
        return
    for interval, amounts in prices.items():
        if not isinstance(amounts, dict) or set(amounts) != set(CURRENCIES):
            yield f"prices.{interval}: one amount for each of {', '.join(CURRENCIES)}"
        elif not all(_is_count(amount, least=1) for amount in amounts.values()):
            yield f"prices.{interval}: whole minor units from 1"


def _faults_of_ladder(plans: tuple[PlanSpec, ...]) -> Iterator[str]:
    """A dearer plan never allows less, else `upgrade_to` would name a plan that does not help."""
    for lower, upper in pairwise(plans):
        yield from _less_in(lower, upper)
        for price in lower.prices:
            dearer = upper.price(currency=price.currency, interval=price.interval)
            if dearer is None or dearer.amount_minor <= price.amount_minor:
                path = f"plans.{upper.key}.prices.{price.interval}.{price.currency}"
                yield f"{path}: not above {lower.key}'s"


def _less_in(lower: PlanSpec, upper: PlanSpec) -> Iterator[str]:
    for meter in STATED_METERS:
        if _is_less(upper.limits[meter], lower.limits[meter]):
            yield f"plans.{upper.key}.limits.{meter}: less than in {lower.key}"
    for name in SHARES:
        if _is_less(getattr(upper.shares, name), getattr(lower.shares, name)):
            yield f"plans.{upper.key}.shares.{name}: less than in {lower.key}"


def _is_less(one: int | None, other: int | None) -> bool:
    """Whether `one` allows less than `other`; None is no limit."""
    return one is not None and (other is None or one < other)
