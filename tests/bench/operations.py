"""What is asked of every peer, and by which messages."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from tests.bench import load

_serial = itertools.count()
HOT = ("list", "get", "create")
ORDINARY = (
    *("companies list", "companies get", "companies create"),
    *("tags list", "tags create", "orders list"),
)


def messages(operation: str, tenants: Any, count: int = 400) -> tuple[list[bytes], int]:
    """Raw requests in turn for each tenant, no two creations alike; and the status to expect."""
    noun, _, act = operation.rpartition(" ")
    noun = noun or "contacts"
    method, status = ("POST", 201) if act == "create" else ("GET", 200)
    made = []
    for turn in range(4_000 if act == "create" else count):
        tenant = tenants[turn % len(tenants)]
        headers = {"Authorization": tenant["authorization"], "Accept": "application/json"}
        path, body = f"/api/v1/{noun}", b""
        if act == "list":
            path += "?limit=20"
        if act == "get":
            path += f"/{tenant['ids'][noun][turn % len(tenant['ids'][noun])]}"
        if act == "create":
            headers["Content-Type"] = "application/json"
            body = json.dumps(_BODIES[noun](next(_serial))).encode()
        made.append(load.message(method, path, tenant["host"], headers, body))
    return made, status


_BODIES: dict[str, Callable[[int], dict[str, Any]]] = {
    "contacts": lambda serial: {
        "email": f"new-{serial}@bench.test",
        "first_name": "Ada",
        "last_name": "Byron",
    },
    "companies": lambda serial: {"name": f"New {serial}", "domain": "new.test", "industry": "x"},
    "tags": lambda serial: {"name": f"New {serial}"},
}
