"""What a request costs: of the API calls by how much it does, of the rates by how often it comes."""

import json
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from config.api import BATCH_LIMIT
from config.needs import Needs

_BATCH_PATH = "/batch"


@dataclass(frozen=True, slots=True)
class Cost:
    """Units of the month's API calls, and of each rate. Bulk work waits first (quotas/waiting_room.py)."""

    calls: int = 1
    rate: int = 1
    is_bulk: bool = False


ONE_UNIT = Cost()


def cost_of(request: HttpRequest, needs: Needs) -> Cost:
    """A search costs more than a read, a batch as much as its items one by one; by rate it is one request."""
    cost = needs.cost + (needs.search_cost if request.GET.get("search") else 0)
    if request.method == "POST" and request.path_info.endswith(_BATCH_PATH):
        return Cost(calls=needs.cost * _items(request), rate=cost, is_bulk=True)
    return Cost(calls=cost, rate=cost, is_bulk=needs.deferrable)


def _items(request: HttpRequest) -> int:
    """How many items the body holds, from 1; what cannot be read, or is too many, the view refuses."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError, RequestDataTooBig):
        return 1
    items = body.get("items") if isinstance(body, dict) else None
    return min(max(1, len(items)), BATCH_LIMIT) if isinstance(items, list) else 1
