"""A version of the catalogue that is no longer the present one: read it, and tell what changed since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from billing.catalogue import reading
from billing.catalogue.shapes import Catalogue
from config.context import Shares
from config.needs import Feature, Meter, RateClass

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One value, by its path in the file. `before` None: it is new; `after` None: it is gone."""

    path: str
    before: Any
    after: Any


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str = ""
) -> Iterator[Change]:
    """What differs between two files, in the order of the newer one; lists are compared whole."""
    for key in {**after, **before}:
        old, new = before.get(key, _MISSING), after.get(key, _MISSING)
        where = f"{path}.{key}" if path else key
        if isinstance(old, dict) and isinstance(new, dict):
            yield from changes(old, new, where)
        elif old != new:
            yield Change(where, *(None if side is _MISSING else side for side in (old, new)))


def read_stored(contents: Mapping[str, Any], *, present: Mapping[str, Any]) -> Catalogue:
    """A version that was valid when it was stored; what is counted only since, is as in `present`.

    Meters, features and shares that are no longer known are left out.
    """
    rates = {**present["endpoint_rates"], **contents["endpoint_rates"]}
    plans = {
        key: _completed(table, present["plans"].get(key, table))
        for key, table in contents["plans"].items()
    }
    known = {name: rates[name] for name in RateClass}
    return reading.built({**contents, "endpoint_rates": known, "plans": plans})


def _completed(table: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    limits = dict.fromkeys(reading.STATED_METERS, 0) | present["limits"] | table["limits"]
    shares = present["shares"] | table["shares"]
    return {
        **table,
        "features": [name for name in table["features"] if name in set(Feature)],
        "limits": {name: limits[name] for name in reading.STATED_METERS},
        "shares": {each.name: shares[each.name] for each in fields(Shares)},
        "metered": {
            name: price for name, price in table.get("metered", {}).items() if name in set(Meter)
        },
    }
