"""Contacts in batches: as apps/crm/services/contacts.py does each alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from apps.crm.models import Company, ContactTag, Tag
from apps.crm.services import contacts, owners, phones
from apps.crm.services.batches.nouns import Key, Noun, Row, Values, merged
from apps.crm.services.names import ids_of
from apps.crm.services.segments import changes
from config.errors import ValidationFailed
from config.needs import Meter
from tenants.identity.people import members_among

_PLAIN = ("external_id", "first_name", "last_name")
_UNTAG = """
DELETE FROM crm_contacttag AS tagged
 WHERE contact_id = ANY(%s::uuid[]) AND NOT EXISTS (
    SELECT FROM unnest(%s::uuid[], %s::uuid[]) AS wanted(contact_id, tag_id)
     WHERE wanted.contact_id = tagged.contact_id AND wanted.tag_id = tagged.tag_id)
"""


@dataclass(frozen=True, slots=True)
class _Found:
    companies: Collection[UUID]
    members: Collection[UUID]


def _look_up(items: Sequence[Values]) -> _Found:
    companies = {found for values in items if (found := values.get("company_id"))}
    owned_by = {found for values in items if (found := values.get("owner_id"))}
    known = Company.objects.filter(pk__in=companies).values_list("pk", flat=True)
    return _Found(
        set(known) if companies else frozenset(), members_among(owned_by) if owned_by else ()
    )


def _checked(values: Values) -> Values:
    """With the phone as E.164."""
    if not values.get("phone"):
        return values
    phone = phones.checked(values["phone"], region=values.get("phone_region"))
    return {**values, "phone": phone}


def _assign(row: Row, values: Values, found: _Found) -> None:
    row.update((name, values[name]) for name in _PLAIN if name in values)
    row.update((name, values[name] or None) for name in ("email", "phone") if name in values)
    row["fields"] = merged(row["fields"], values)
    if "owner_id" in values:
        row["owner_id"] = owners.checked(row["owner_id"], values["owner_id"], found.members)
    _assign_company(row, values, found.companies)
    if "tags" in values:
        row["_tags"] = values["tags"]
    contacts.refuse_nobody(row)


def _assign_company(row: Row, values: Values, known: Collection[UUID]) -> None:
    if "company_id" in values:
        if values["company_id"] is not None and values["company_id"] not in known:
            raise ValidationFailed(errors={"company_id": [_("There is no such company.")]})
        row["company_id"], row["_company"] = values["company_id"], None
    elif "company" in values:
        row["company_id"], row["_company"] = None, values["company"]


def _finish(rows: list[Row]) -> None:
    """Companies by their names, the new ones made."""
    names = {name for row in rows if (name := row.get("_company"))}
    ids = ids_of(Company, names)
    for row in rows:
        if row.get("_company"):
            row["company_id"] = ids[row["_company"]]


def _settle(rows: list[Row]) -> None:
    """Each contact that an item gave tags has those and no others."""
    tagged = {row["id"]: row["_tags"] for row in rows if "_tags" in row}
    if not tagged:
        return
    ids = ids_of(Tag, {name for names in tagged.values() for name in names})
    pairs = sorted({(contact, ids[name]) for contact, names in tagged.items() for name in names})
    columns: list[Any] = [list(tagged), [c for c, _tag in pairs], [t for _contact, t in pairs]]
    with connection.cursor() as cursor:
        cursor.execute(_UNTAG, columns)
    ContactTag.objects.bulk_create(
        [ContactTag(contact_id=contact, tag_id=tag) for contact, tag in pairs],
        ignore_conflicts=True,
    )


CONTACTS = Noun(
    table="crm_contact",
    columns={
        "external_id": "text", "email": "text", "first_name": "text", "last_name": "text",
        "phone": "text", "company_id": "uuid", "fields": "jsonb", "owner_id": "uuid",
    },
    keys=(Key("email"), Key("external_id")),
    blank={
        "external_id": None, "email": None, "first_name": "", "last_name": "", "phone": None,
        "company_id": None, "fields": {}, "owner_id": None,
    },
    taken=contacts.ContactExists,
    assign=_assign,
    look_up=_look_up,
    checked=_checked,
    finish=_finish,
    settle=_settle,
    note=changes.note,
    meter=Meter.CONTACTS,
)  # fmt: skip
