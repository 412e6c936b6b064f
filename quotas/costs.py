"""What a request costs: of the API calls by how much it does, of the rates by how often it comes.

The whole price is reserved before the work, and what was not done is given back with the answer:
a request that failed through us (5xx), or that a quota of the ledger refused (402), costs nothing; of a
batch each such item costs nothing, and one that is refused whole costs what one refused request does;
an answer that is told again (`Idempotency-Key`) costs nothing. Whatever tells clients of their own
mistake counts. Rates count requests, whatever becomes of them.
"""

import json
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from config.api import BATCH_LIMIT
from config.needs import Needs

# `/contacts/batch`, `/contacts/batch/update`: its own segment, and the last or the last but one.
_BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Cost:
    """Units of the month's API calls, and of each rate. Bulk work waits first (quotas/waiting_room.py).

    `each` is what one item of a batch takes of the calls; 0 where the request is no batch.
    """

    calls: int = 1
    rate: int = 1
    each: int = 0
    is_bulk: bool = False


ONE_UNIT = Cost()


def cost_of(request: HttpRequest, needs: Needs) -> Cost:
    """A search costs more than a read, a batch as much as its items one by one; by rate it is one request."""
    cost = needs.cost + (needs.search_cost if request.GET.get("search") else 0)
    if request.method == "POST" and _BATCH in request.path_info.split("/")[-2:]:
        each = needs.cost
        return Cost(calls=each * _items(request), rate=cost, each=each, is_bulk=True)
    return Cost(calls=cost, rate=cost, is_bulk=needs.deferrable)


def calls_kept(response: HttpResponse, cost: Cost) -> int:
    """How many of the reserved calls stay counted, now that the answer is known."""
    if getattr(response, "is_replayed", False) or _is_given_back(response.status_code):
        return 0
    if not cost.each:
        return cost.calls
    if response.status_code >= 400:
        return min(cost.each, cost.calls)
    refused = getattr(response, "refusals", None) or {}
    undone = sum(_is_given_back(error.status) for error in refused.values())
    return max(0, cost.calls - cost.each * undone)


def _is_given_back(status: int) -> bool:
    return status >= 500 or status == 402


def _items(request: HttpRequest) -> int:
    """How many items the body holds; 1 where it cannot be read, holds none or too many: the view refuses it."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError, RequestDataTooBig):
        return 1
    items = body.get("items") if isinstance(body, dict) else None
    return len(items) if isinstance(items, list) and 1 <= len(items) <= BATCH_LIMIT else 1
