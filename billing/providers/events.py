"""A webhook's body as data that PostgreSQL keeps: proven to be a provider's, it may still be odd.

What cannot be an event is a ValueError. Odd text inside one is mended instead: a provider would send
a refused event again for days, and nothing is read of it but its id, its kind and whom it is about.
"""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

LONGEST_NAME = 255
LONGEST_KIND = 100
DEEPEST = 100


def read(body: bytes) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object, nests deeper than DEEPEST, or holds no number as one."""
    try:
        found = json.loads(body, parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one error for whatever is no event
    return mended(found)


def mended(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider told, as PostgreSQL keeps it."""
    return {_mended(name, DEEPEST): _mended(value, DEEPEST) for name, value in found.items()}


def name(value: Any) -> str:
    """An event's id, or the id of what it is about. Raises ValueError for what cannot be one."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise ValueError("not a name")
    return value


def kind(value: Any) -> str:
    """An event's kind; of an endless one, which is none of ours, the beginning. Raises ValueError."""
    if not isinstance(value, str) or not value:
        raise ValueError("not a kind")
    return value[:LONGEST_KIND]


def _mended(value: Any, deeper: int) -> Any:
    """`value` without NUL and half characters, which PostgreSQL does not store."""
    if deeper == 0:
        raise ValueError("nested too deep")
    if isinstance(value, str | Decimal):  # an SDK makes numbers of what was text on the wire
        return str(value).replace("\x00", "?").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_mended(one, deeper - 1) for one in value]
    if isinstance(value, dict):
        return {_mended(key, deeper): _mended(one, deeper - 1) for key, one in value.items()}
    return value


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number without end")
    return number
