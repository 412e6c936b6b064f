"""The same contacts, companies, tags and orders for every peer."""

from collections.abc import Iterator
from datetime import date
from typing import Any

_OTHERS = 400


def contacts(rows: int) -> Iterator[dict[str, Any]]:
    """Rows of `apps.crm.models.Contact`, without ids."""
    for number in range(rows):
        yield {
            "email": f"person-{number:06d}@bench.test",
            "first_name": f"First{number % 97}",
            "last_name": f"Last{number % 89}",
            "phone": f"+1202555{number % 10_000:04d}",
        }


def fill(rows: int) -> dict[str, list[str]]:
    """Write them where the connection stands; some ids of each noun."""
    from apps.crm.models import Company, Contact, ContactTag, Order, Tag

    companies = Company.objects.bulk_create(
        [Company(name=f"Company {n}", domain=f"c{n}.test", industry="x") for n in range(_OTHERS)]
    )
    tags = Tag.objects.bulk_create([Tag(name=f"Tag {number}") for number in range(_OTHERS)])
    made = Contact.objects.bulk_create([Contact(**row) for row in contacts(rows)], batch_size=1000)
    some = made[:_OTHERS]
    Order.objects.bulk_create(
        [
            Order(contact=each, ordered_on=date(2026, 1, 31), quantity=1, amount_minor=1_177,
                  currency="USD")
            for each in some
        ]
    )  # fmt: skip
    # The newest, which a list shows: a company each, and a tag or two.
    newest = made[-100:]
    Contact.objects.filter(pk__in=[each.pk for each in newest]).update(company=companies[0])
    pairs = [(each, tag) for each in newest for tag in tags[:2]]
    ContactTag.objects.bulk_create([ContactTag(contact=each, tag=tag) for each, tag in pairs])
    nouns: dict[str, list[Any]] = {"contacts": some, "companies": companies, "tags": tags}
    return {noun: [str(row.pk) for row in rows[:200]] for noun, rows in nouns.items()}
