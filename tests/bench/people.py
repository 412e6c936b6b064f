"""The same contacts for every peer."""

from collections.abc import Iterator
from typing import Any


def contacts(rows: int) -> Iterator[dict[str, Any]]:
    """Rows of `apps.crm.models.Contact`, without ids."""
    for number in range(rows):
        yield {
            "email": f"person-{number:06d}@bench.test",
            "first_name": f"First{number % 97}",
            "last_name": f"Last{number % 89}",
            "phone": f"+1202555{number % 10_000:04d}",
        }
