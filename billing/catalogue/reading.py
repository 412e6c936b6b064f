"""Read a catalogue file into plans, or say what is wrong with it, by path."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from billing.catalogue import reading_extras, reading_metered
from billing.catalogue.shapes import Catalogue, PlanSpec, PriceSpec
from billing.catalogue.values import INTERVALS, UNLIMITED, faults_of_prices, is_count
from config.context import Shares
from config.needs import Feature, Meter, RateClass

# What the gate counts requests by: all of a tenant's, each credential's, and kinds of endpoints.
SCOPES = ("tenant", "credential", "concurrency", *(each.scope for each in RateClass))
# How much room a tenant has is one of its shares; as a meter it has the same limit.
STATED_METERS = tuple(meter for meter in Meter if meter is not Meter.STORAGE_BYTES)
SHARES = tuple(field.name for field in fields(Shares))
_PLAN_KEYS = frozenset(
    {"name", "trial_days", "features", "limits", "rates", "shares", "prices", "seats", "metered"}
)


class CatalogueInvalid(ImproperlyConfigured):
    """The catalogue breaks its own rules; the message names each place."""


def read(data: Mapping[str, Any]) -> Catalogue:
    """The plans of a parsed file. Raises CatalogueInvalid with every fault, not only the first."""
    faults = list(_faults_of_shape(data))
    if not faults:
        found = built(data)
        faults = list(_faults_of_ladder(found.plans))
        if not faults:
            return found
    raise CatalogueInvalid("The catalogue of plans is not valid: " + "; ".join(faults))


def built(data: Mapping[str, Any]) -> Catalogue:
    """The catalogue of a file that is known to be valid."""
    plans = tuple(_plans(data["plans"], data["endpoint_rates"]))
    return Catalogue(data["version"], plans, **reading_extras.extras(data))


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
            seats=reading_metered.seat_price(table),
            metered=reading_metered.metered_prices(table),
        )


def _endpoint_scopes(rates: Mapping[str, Any]) -> dict[str, Any]:
    return {f"endpoint:{name}": rate for name, rate in rates.items()}


def _faults_of_shape(data: Mapping[str, Any]) -> Iterator[str]:
    if not is_count(data.get("version"), least=1):
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
    yield from reading_extras.faults_of_extras(data, tables)


def _faults_of_plan(table: Mapping[str, Any], *, is_free: bool) -> Iterator[str]:
    for unknown in sorted(set(table) - _PLAN_KEYS):
        yield f"{unknown}: not a setting of a plan"
    if not isinstance(table.get("name"), str) or not table["name"].strip():
        yield "name: a text"
    if not is_count(table.get("trial_days"), least=0 if is_free else 1):
        yield "trial_days: a whole number of days"
    yield from _faults_of_features(table.get("features"))
    yield from _faults_of_limits(table.get("limits"))
    yield from _faults_of_rates(table.get("rates"))
    yield from _faults_of_shares(table.get("shares"))
    if is_free:
        for noun in sorted({"prices", "seats", "metered"} & set(table)):
            yield f"{noun}: the free plan has none"
    else:
        yield from _faults_of_prices(table.get("prices"))
        yield from reading_metered.faults_of_seats(table.get("seats"), table.get("limits"))
        yield from reading_metered.faults_of_metered(table.get("metered", {}), table.get("limits"))


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
        if limit != UNLIMITED and not is_count(limit, least=0):
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
        if not is_table or not all(is_count(value, least=1) for value in rate.values()):
            yield f"{path}.{name}: {{ requests, seconds }}, whole numbers from 1"


def _faults_of_shares(shares: object) -> Iterator[str]:
    if not isinstance(shares, dict) or set(shares) != set(SHARES):
        yield f"shares: one for each of {', '.join(SHARES)}"
        return
    for name, share in shares.items():
        if not is_count(share, least=1) and (name, share) != ("storage_limit_bytes", UNLIMITED):
            yield f"shares.{name}: a whole number from 1 (of storage also {UNLIMITED!r})"


def _faults_of_prices(prices: object) -> Iterator[str]:
    if not isinstance(prices, dict) or set(prices) != set(INTERVALS):
        yield f"prices: one table for each of {', '.join(INTERVALS)}"
        return
    yield from (f"prices.{fault}" for fault in faults_of_prices(prices))


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
    if _is_less(upper.most_seats, lower.most_seats):
        yield f"plans.{upper.key}.seats.most: less than in {lower.key}"
    for name in SHARES:
        if _is_less(getattr(upper.shares, name), getattr(lower.shares, name)):
            yield f"plans.{upper.key}.shares.{name}: less than in {lower.key}"


def _is_less(one: int | None, other: int | None) -> bool:
    """Whether `one` allows less than `other`; None is no limit."""
    return one is not None and (other is None or one < other)
