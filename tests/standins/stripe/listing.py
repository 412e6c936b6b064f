"""Lists: newest first, in pages."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import dangling, invalid
from tests.standins.stripe.objects import listed
from tests.standins.stripe.params import Params

_BOUNDS: Mapping[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def page_of(
    account: Account,
    kind: str,
    params: Params,
    *,
    url: str,
    equal: tuple[str, ...] = (),
    matches: Callable[[Json], bool] | None = None,
) -> Json:
    """The page of a kind's objects that `params` asks for; `equal` names plain filters."""
    wanted = {name: _typed(params, name) for name in equal if params.text(name) is not None}

    def fits(body: Json) -> bool:
        return (
            all(body.get(name) == value for name, value in wanted.items())
            and _was_created_within(body, params)
            and (matches is None or matches(body))
        )

    return page(account.find(kind, fits)[::-1], params, url=url)


def _typed(params: Params, name: str) -> Any:
    value = params.text(name)
    return {"true": True, "false": False}.get(value or "", value)


def _was_created_within(body: Json, params: Params) -> bool:
    if "created" not in params:
        return True
    if isinstance(params.values["created"], str):
        return bool(body["created"] == params.integer("created"))
    bounds = params.inner("created")
    return all(_BOUNDS[name](body["created"], bounds.integer(name) or 0) for name in bounds)


def page(found: list[Json], params: Params, *, url: str) -> Json:
    """Cut a page out of everything found, which is in the order of the list already."""
    limit = params.integer("limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        raise invalid("This value must be between 1 and 100.", param="limit")
    if (before := params.text("ending_before")) is not None:
        end = _position(found, before, "ending_before")
        start = max(end - limit, 0)
        return listed(found[start:end], url=url, has_more=start > 0)
    after = params.text("starting_after")
    start = 0 if after is None else _position(found, after, "starting_after") + 1
    return listed(found[start : start + limit], url=url, has_more=start + limit < len(found))


def _position(found: list[Json], ident: str, param: str) -> int:
    for index, body in enumerate(found):
        if body["id"] == ident:
            return index
    raise dangling("object", ident, param=param)
