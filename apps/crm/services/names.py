"""Nouns that clients name by their name (companies, tags): found whatever their case, made when new."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from apps.crm.models import Company, Tag

# Lowered by the database on both sides: it is the database's index that makes them unique.
_FIND: dict[type[Company | Tag], str] = {
    Company: "SELECT given.name, known.id FROM unnest(%s::text[]) AS given(name)"
    " JOIN crm_company AS known ON lower(known.name) = lower(given.name)",
    Tag: "SELECT given.name, known.id FROM unnest(%s::text[]) AS given(name)"
    " JOIN crm_tag AS known ON lower(known.name) = lower(given.name)",
}


def ids_of(model: type[Company | Tag], names: Collection[str]) -> dict[str, UUID]:
    """`{name as given: id}`, the missing ones made. Two who name a new one at once get the same."""
    found = _found(model, names)
    # In order, so that two writers with the same new names do not wait for each other in a circle.
    missing = sorted(set(names) - found.keys())
    if missing:
        if model is Company:
            Company.objects.bulk_create([Company(name=n) for n in missing], ignore_conflicts=True)
        else:
            Tag.objects.bulk_create([Tag(name=n) for n in missing], ignore_conflicts=True)
        found |= _found(model, missing)
    return found


def _found(model: type[Company | Tag], names: Collection[str]) -> dict[str, UUID]:
    if not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND[model], [list(names)])
        return dict(cursor.fetchall())
