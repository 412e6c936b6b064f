"""Merging checked rows into contacts and orders, a batch at a time, each set in a few statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.crm.models import Company, Contact, ContactTag, Tag
from apps.crm.services.imports.rows import RowRefused
from apps.crm.services.names import ids_of
from apps.crm.services.segments import changes
from config.ids import new_id

_WRITTEN = (
    "external_id", "email", "first_name", "last_name", "phone", "company", "fields", "updated_at",
)  # fmt: skip
# A purchase that is known already adds nothing, so that a file may come twice.
_INSERT_ORDERS = """
INSERT INTO crm_order (id, contact_id, external_id, ordered_on, quantity, amount_minor, currency,
                       occurrence, created_at)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::date[], %s::int[], %s::bigint[],
                     %s::text[], %s::int[], %s::timestamptz[])
ON CONFLICT DO NOTHING
"""


ROW_FIELDS = ("row_number", "external_id", "email", "contact", "order", "occurrence", "raw")


class WaitingRow(NamedTuple):
    """A row of ImportRow, in the order of ROW_FIELDS."""

    number: int
    external_id: str | None
    email: str | None
    contact: dict[str, Any]
    order: dict[str, Any] | None
    occurrence: int
    raw: list[str]


@dataclass(slots=True)
class Merged:
    """What a batch did. `refused` are rows whose keys belong to two contacts."""

    contacts_created: int = 0
    contacts_updated: int = 0
    orders_created: int = 0
    refused: list[tuple[WaitingRow, list[str]]] = field(default_factory=list)


class _People:
    """The contacts that a batch means: known ones locked, new ones made, found by either key."""

    def __init__(self, rows: Sequence[WaitingRow], now: datetime) -> None:
        self._now = now
        self._by_external_id: dict[str, Contact] = {}
        self._by_email: dict[str, Contact] = {}
        self.new: dict[UUID, Contact] = {}
        self.changed: dict[UUID, Contact] = {}
        external_ids = {row.external_id for row in rows if row.external_id}
        emails = {row.email for row in rows if row.email}
        known = Contact.objects.select_for_update().filter(
            Q(external_id__in=external_ids) | Q(email__in=emails)
        )
        # Locked in order, so that two imports of the same people do not wait in a circle.
        for contact in known.order_by("pk").defer("search_text"):
            self._file(contact)

    def _file(self, contact: Contact) -> None:
        if contact.external_id:
            self._by_external_id[contact.external_id] = contact
        if contact.email:
            self._by_email[contact.email] = contact

    def meant_by(self, row: WaitingRow) -> Contact:
        """The contact of the row, made when nobody has its keys. Raises RowRefused."""
        by_id = self._by_external_id.get(row.external_id or "")
        by_email = self._by_email.get(row.email or "")
        if by_id and by_email and by_id is not by_email:
            raise RowRefused([_("The e-mail address belongs to another contact.")])
        found = by_id or by_email
        if found is None:
            found = Contact(id=new_id(), created_at=self._now, updated_at=self._now, fields={})
            self.new[found.pk] = found
        elif by_id is None and row.external_id and found.external_id:
            raise RowRefused(
                [_("The e-mail address belongs to a contact with another external id.")]
            )
        return found

    def write(self, contact: Contact, row: WaitingRow, companies: dict[str, UUID]) -> None:
        """Take over what the row says; what it does not say stays."""
        values = {**row.contact, "external_id": row.external_id, "email": row.email}
        values["company_id"] = companies.get(values.pop("company", ""))
        values["fields"] = {**contact.fields, **values.get("fields", {})}
        values.pop("tags", None)
        changes = {
            name: value
            for name, value in values.items()
            if value and value != getattr(contact, name)
        }
        if not changes:
            return
        if "email" in changes and contact.email:
            self._by_email.pop(contact.email, None)
        for name, value in changes.items():
            setattr(contact, name, value)
        contact.updated_at = self._now
        self._file(contact)
        if contact.pk not in self.new:
            self.changed[contact.pk] = contact

    def save(self) -> None:
        """Raises IntegrityError when somebody else took a key meanwhile."""
        # In this order a new contact may take the address that another gives up in the same batch.
        written = [*self.changed.values(), *self.new.values()]
        if written:
            Contact.objects.bulk_create(
                written, update_conflicts=True, unique_fields=["id"], update_fields=list(_WRITTEN)
            )


def merge(rows: Sequence[WaitingRow], *, now: datetime) -> Merged:
    """Write a batch, inside the caller's transaction. The caller takes the units of new contacts."""
    merged = Merged()
    companies = ids_of(
        Company, {row.contact["company"] for row in rows if "company" in row.contact}
    )
    people = _People(rows, now)
    owners: list[tuple[WaitingRow, Contact]] = []
    for row in rows:
        try:
            contact = people.meant_by(row)
        except RowRefused as refusal:
            merged.refused.append((row, refusal.reasons))
            continue
        people.write(contact, row, companies)
        owners.append((row, contact))
    people.save()
    _tag(owners)
    merged.orders_created = _insert_orders(owners, now)
    changes.note({contact.pk for _row, contact in owners})
    merged.contacts_created = len(people.new)
    merged.contacts_updated = len(people.changed)
    return merged


def _tag(owners: Iterable[tuple[WaitingRow, Contact]]) -> None:
    pairs = {(contact.pk, name) for row, contact in owners for name in row.contact.get("tags", ())}
    if pairs:
        ids = ids_of(Tag, {name for _contact_id, name in pairs})
        ContactTag.objects.bulk_create(
            [
                ContactTag(contact_id=contact_id, tag_id=tag_id)
                for contact_id, tag_id in sorted({(owner, ids[name]) for owner, name in pairs})
            ],
            ignore_conflicts=True,
        )


def _insert_orders(owners: Iterable[tuple[WaitingRow, Contact]], now: datetime) -> int:
    records = [
        (
            new_id(),
            contact.pk,
            row.order["external_id"],
            row.order["ordered_on"],
            row.order["quantity"],
            row.order["amount_minor"],
            row.order["currency"],
            row.occurrence,
            now,
        )
        for row, contact in owners
        if row.order is not None
    ]
    if not records:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_ORDERS, [list(column) for column in zip(*records, strict=True)])
        return int(cursor.rowcount)
