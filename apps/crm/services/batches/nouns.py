"""What a batch has to know of a noun: its columns, its keys, and how an item's values become a row."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from config.errors import DomainError
from config.needs import Meter

# A row by its columns. Names that begin with _ are notes for `finish` and `settle`, not columns.
Row = dict[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A column that no two rows share. `lowered` is compared as the database lowers it."""

    column: str
    lowered: bool = False

    def of(self, values: Values) -> str | None:
        found = values.get(self.column)
        return found.lower() if found and self.lowered else found or None


@dataclass(frozen=True, slots=True)
class Noun:
    """One declaration serves every batch of a noun.

    `columns` name what batches write, with PostgreSQL's types; `blank` is a new row's. `look_up` asks for all
    that the items refer to, in a fixed number of statements, and its answer goes to `assign`, which puts an
    item's values into a row and raises what it refuses. `finish` fills in, before the rows are written, what
    only accepted items may bring about; `settle` writes what hangs on the rows; `note` tells whom it concerns
    which rows have changed.
    """

    table: str
    columns: Mapping[str, str]
    keys: tuple[Key, ...]
    blank: Mapping[str, Any]
    taken: type[DomainError]
    assign: Callable[[Row, Values, Any], None]
    look_up: Callable[[Sequence[Values]], Any] = lambda _: None
    checked: Callable[[Values], Values] = lambda values: values
    finish: Callable[[list[Row]], None] = lambda _: None
    settle: Callable[[list[Row]], None] = lambda _: None
    note: Callable[[Collection[UUID]], None] = lambda _: None
    meter: Meter | None = None

    def key(self, column: str) -> Key | None:
        """The key of that name; None for the id."""
        return next((key for key in self.keys if key.column == column), None)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be done with the items: `key` None adds each; a key changes the row that has it.

    Where nobody has the key, `adds` says whether a row is added.
    """

    noun: Noun
    key: str | None
    adds: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an item: the row's id, and whether it is new."""

    id: UUID
    is_new: bool


Outcome = Done | DomainError


def merged(fields: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """Custom fields with those that an item names; null removes one."""
    changed = {**fields, **values.get("fields", {})}
    return {name: value for name, value in changed.items() if value is not None}
