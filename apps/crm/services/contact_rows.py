"""Contacts as they are answered: read by one prepared statement, tags and company included, without a model.

The hot endpoints read here. `serializers.people.ContactOut` describes the same shape for the API's
schema, and tests hold the two together.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db import connection, models
from django.db.models import QuerySet
from psycopg.types.numeric import Int8

from apps.crm.models import Contact
from apps.crm.services.segments.changes import WHERE_WATCHED, look_later
from config.errors import NotFound
from config.ids import new_id
from config.personal import Personal, is_personal_hidden, masked, text_without_personal
from quotas.ledger import REFUSED, Taking

# Texts are cast, so that a plan that the server keeps outlives a migration that widens a column. The company
# is asked for by row: of tables that are not analyzed yet, as after a first import, PostgreSQL joins all rows
# of both before it takes a page (125 ms for 5,000 contacts, against 3).
COLUMNS = """
contact.id::text, contact.external_id::text, contact.email::text, contact.first_name::text,
contact.last_name::text, contact.phone::text,
(SELECT name::text FROM crm_company WHERE id = contact.company_id), contact.company_id::text,
ARRAY(
    SELECT tag.name::text FROM crm_contacttag AS tagged JOIN crm_tag AS tag ON tag.id = tagged.tag_id
     WHERE tagged.contact_id = contact.id ORDER BY tag.name
),
contact.fields::text, contact.owner_id::text, contact.archived_at, contact.created_at, contact.updated_at
"""
_FROM = "FROM crm_contact AS contact"
_ORDERS = """
(SELECT json_agg(json_build_array(currency, amount, orders) ORDER BY currency) FROM (
    SELECT currency::text, sum(amount_minor) AS amount, count(*) AS orders
      FROM crm_order WHERE contact_id = contact.id GROUP BY currency
) AS sums)::text
"""
_ONE = f"SELECT {COLUMNS} {_FROM} WHERE contact.id = %s"
_DETAIL = f"SELECT {COLUMNS}, {_ORDERS} {_FROM} WHERE contact.id = %s"
_THESE = f"SELECT {COLUMNS} {_FROM} WHERE contact.id = ANY(%s::uuid[])"
# PostgreSQL does the parts of one statement together: where the unit is refused nothing is inserted,
# and where a key is taken the unit is not.
_INSERT = f"""
WITH counted AS MATERIALIZED ({{taking}}), contact AS (
    INSERT INTO crm_contact (id, external_id, email, first_name, last_name, phone, company_id, fields,
                             owner_id, archived_at, created_at, updated_at)
    SELECT %s::uuid, %s, %s, %s, %s, %s, %s::uuid, %s::jsonb, %s::uuid, NULL,
           %s::timestamptz, %s::timestamptz
      FROM counted AS counted(word) WHERE left(word, {len(REFUSED)}) <> '{REFUSED}'
    RETURNING *
), noted AS (
    INSERT INTO crm_segmentchange (id, contact_id)
    SELECT %s::uuid, contact.id FROM contact WHERE {WHERE_WATCHED} RETURNING 1
) SELECT {COLUMNS}, EXISTS (SELECT FROM noted), counted.word
    FROM counted AS counted(word) LEFT JOIN contact ON true
"""  # noqa: S608 (constants)
# What contacts are ordered by, as the fields that read a cursor's position.
_ORDERING: dict[str, models.Field[Any, Any]] = {
    "id": models.UUIDField(),
    "created_at": models.DateTimeField(),
    "updated_at": models.DateTimeField(),
}
_NO_FIELDS = msgspec.Raw(b"{}")


class ContactRow(msgspec.Struct):
    """`fields` is JSON already."""

    id: str
    external_id: str | None
    email: str | None
    first_name: str
    last_name: str
    phone: str | None
    company: str | None
    company_id: str | None
    tags: list[str]
    fields: msgspec.Raw
    owner_id: str | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Money(msgspec.Struct):
    """Minor units."""

    amount: int
    currency: str


class ContactDetail(ContactRow):
    """With what the contact has bought, summed by currency."""

    orders_count: int
    orders_total: list[Money]


def get(contact_id: UUID | str) -> ContactRow:
    """One contact with company and tags. Raises NotFound."""
    rows = fetched(_ONE, [contact_id])
    if not rows:
        raise NotFound()
    return rows[0]


def detail(contact_id: UUID) -> ContactDetail:
    """The same with the count and the sums of its orders. Raises NotFound."""
    found = _asked(_DETAIL, [contact_id])
    if not found:
        raise NotFound()
    *columns, sums = found[0]
    orders = json.loads(sums or "[]")
    totals = [Money(amount, currency) for currency, amount, _ in orders]
    made: Any = ContactDetail  # whose parent's fields come first
    detailed: ContactDetail = made(*_plain(columns), sum(count for *_, count in orders), totals)
    return detailed


def these(ids: Collection[UUID]) -> dict[UUID, ContactRow]:
    """Those of these contacts that exist. One query."""
    if not ids:
        return {}
    return {UUID(row.id): row for row in fetched(_THESE, [[str(pk) for pk in ids]])}


def insert(contact: Contact, taking: Taking) -> ContactRow:
    """Insert a new contact and take its unit. Raises QuotaExceeded, with nothing done."""
    values = [
        *(contact.pk, contact.external_id, contact.email, contact.first_name, contact.last_name),
        *(contact.phone, contact.company_id, json.dumps(contact.fields), contact.owner_id),
        *(contact.created_at, contact.updated_at, new_id()),
    ]
    statement = _INSERT.format(taking=taking.statement)
    [(*row, is_noted, word)] = _asked(statement, [*taking.parameters, *values])
    taking.settle(word)
    if is_noted:
        look_later()
    return ContactRow(*_plain(row))


def fetched(statement: str, parameters: Sequence[Any]) -> list[ContactRow]:
    """The rows of a statement that selects COLUMNS."""
    return [ContactRow(*_plain(row)) for row in _asked(statement, parameters)]


@dataclass(frozen=True, slots=True)
class ContactRows:
    """A list of contacts as `config.pages.CursorPage` asks for it: ordered, from a position on, a slice.

    Contacts that are not archived; or, given `narrowed`, those of that queryset, whose ids are asked
    for first.
    """

    narrowed: QuerySet[Contact] | None = None
    _ordering: tuple[str, ...] = ("-id",)
    _position: dict[str, Any] = field(default_factory=dict)

    def order_by(self, *names: str) -> "ContactRows":
        return replace(self, _ordering=names)

    def filter(self, **position: Any) -> "ContactRows":
        return replace(self, _position=position)

    def __getitem__(self, wanted: slice) -> list[ContactRow]:
        """Raises django's ValidationError where the position is not of its column's kind."""
        if self.narrowed is not None:
            return self._of_narrowed(self.narrowed, wanted)
        conditions, parameters = "contact.archived_at IS NULL", []
        for lookup, value in self._position.items():
            name, _, comparison = lookup.rpartition("__")
            sign = {"lt": "<", "gt": ">"}[comparison]
            conditions += f" AND contact.{_column(name)} {sign} %s"
            parameters.append(_ORDERING[name].get_prep_value(value))
        statement = f"SELECT {COLUMNS} {_FROM} WHERE {conditions} ORDER BY {self._order()}"
        # The limit stands in the text: a plan for any limit would be one for a tenth of the table.
        statement += f" LIMIT {int(wanted.stop - wanted.start)}"
        if wanted.start:
            statement += " OFFSET %s"
            parameters.append(Int8(wanted.start))
        return fetched(statement, parameters)

    def _order(self) -> str:
        return ", ".join(
            f"contact.{_column(name.lstrip('-'))} {'DESC' if name.startswith('-') else 'ASC'}"
            for name in self._ordering
        )

    def _of_narrowed(self, narrowed: QuerySet[Contact], wanted: slice) -> list[ContactRow]:
        ordered = narrowed.order_by(*self._ordering).filter(**self._position)
        ids = [str(pk) for pk in ordered.values_list("pk", flat=True)[wanted]]
        rows = {row.id: row for row in fetched(_THESE, [ids])} if ids else {}
        # One that was deleted between the two statements is left out.
        return [rows[pk] for pk in ids if pk in rows]


def _column(name: str) -> str:
    if name not in _ORDERING:
        raise ValueError(f"No column that contacts are ordered by: {name!r}.")
    return name


def _asked(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with cast("Any", connection).prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _plain(row: Iterable[Any]) -> list[Any]:
    """A row of COLUMNS with its custom fields as JSON, written as they are everywhere else.

    What is hidden from who asks is masked here, for every endpoint.
    """
    values = list(row)
    values[9] = _as_written(values[9])
    if is_personal_hidden():
        values[2] = masked(Personal.EMAIL, values[2])
        values[5] = masked(Personal.PHONE, values[5])
        values[9] = msgspec.Raw(text_without_personal(bytes(values[9]).decode()).encode())
    return values


def _as_written(stored: str) -> msgspec.Raw:
    if stored == "{}":
        return _NO_FIELDS
    written = json.dumps(json.loads(stored), ensure_ascii=False, separators=(",", ":"))
    return msgspec.Raw(written.encode())
