"""The plan of a batch: item after item, as if each were done before the next, without a statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.crm.services.batches.nouns import Batch, Done, Outcome, Row, Values
from config.errors import DomainError, NotFound, ValidationFailed
from config.ids import new_id


@dataclass(frozen=True, slots=True)
class Room:
    """How many rows may be added, and what is told of those that may not."""

    rows: int
    refusal: DomainError


class Plan:
    """`new` and `changed` are the rows to write, by id, once every item has been taken."""

    def __init__(self, batch: Batch, known: Iterable[Row], found: Any, room: Room | None) -> None:
        self.new: dict[UUID, Row] = {}
        self.changed: dict[UUID, Row] = {}
        self._batch, self._found, self._room = batch, found, room
        self._by_id: dict[UUID, Row] = {}
        self._holders: dict[str, dict[str, UUID]] = {key.column: {} for key in batch.noun.keys}
        for row in known:
            self._put(row)

    def take(self, values: Values) -> Outcome:
        """Plan one item. What is refused changes nothing of the plan."""
        try:
            return self._taken(values)
        except DomainError as refusal:
            return refusal

    def _taken(self, values: Values) -> Done:
        former = self._meant_by(values)
        row = dict(former) if former else self._blank()
        row["updated_at"] = self._batch.now
        self._batch.noun.assign(row, values, self._found)
        self._refuse_taken(row)
        if former is None and self._room is not None and len(self.new) >= self._room.rows:
            raise self._room.refusal
        if former is not None:
            self._forget(former)
        self._put(row)
        is_new = former is None
        (self.new if is_new or row["id"] in self.new else self.changed)[row["id"]] = row
        return Done(row["id"], is_new)

    def _meant_by(self, values: Values) -> Row | None:
        """The row that the item changes; None adds one. Raises NotFound and ValidationFailed."""
        batch = self._batch
        if batch.key is None:
            return None
        key = batch.noun.key(batch.key)
        wanted = key.of(values) if key else values.get("id")
        if not wanted:
            raise ValidationFailed(errors={batch.key: [_("The key of an upsert is needed.")]})
        holder = self._holders[key.column].get(str(wanted)) if key else wanted
        row = self._by_id.get(holder) if isinstance(holder, UUID) else None
        if row is None and not batch.adds:
            raise NotFound()
        return row

    def _blank(self) -> Row:
        return {"id": new_id(), "created_at": self._batch.now, **self._batch.noun.blank}

    def _refuse_taken(self, row: Row) -> None:
        for key in self._batch.noun.keys:
            value = key.of(row)
            holder = self._holders[key.column].get(value) if value else None
            if holder is not None and holder != row["id"]:
                raise self._batch.noun.taken(id=str(holder), field=key.column)

    def _put(self, row: Row) -> None:
        self._by_id[row["id"]] = row
        for key in self._batch.noun.keys:
            if value := key.of(row):
                self._holders[key.column][value] = row["id"]

    def _forget(self, row: Row) -> None:
        for key in self._batch.noun.keys:
            if value := key.of(row):
                self._holders[key.column].pop(value, None)
