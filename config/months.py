"""Tables of public in parts by month (UTC), so that retention drops a file instead of deleting rows.

`partition_by_month` makes one of a plain table, in a migration; `make_months` makes parts ahead, and
`months_before` finds those to drop. A row whose month has no part goes into the part `…_rest`, so that
no insert ever fails for lack of one; `make_months` moves it into its month.

PostgreSQL keeps no uniqueness across parts unless the key holds the month's column: a table with another
unique key needs a table of keys beside it (quotas' ledger has one), or stays whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

_NAME = re.compile(r"[a-z][a-z0-9_]{0,50}")
_PART = re.compile(r"_y(\d{4})m(\d{2})$")
_UNIQUE_WITHOUT = """
SELECT i.indexrelid::regclass::text FROM pg_index i
 WHERE i.indrelid = %s::regclass AND i.indisunique AND NOT i.indisprimary
   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
                      AND a.attname = %s AND a.attnum = ANY(i.indkey))
"""
_KEY = """
SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
   AND a.attnum = ANY(i.indkey)
 WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY array_position(i.indkey::int[], a.attnum::int)
"""
_INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index
 WHERE indrelid = %s::regclass AND NOT indisprimary ORDER BY indexrelid
"""
_PARTS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"
)


class Cursor(Protocol):
    """Of the owner, inside a transaction."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class MonthlyTable:
    """A table of public, and the moment (not null) by whose month its rows are parted."""

    table: str
    column: str

    def __post_init__(self) -> None:
        for name in (self.table, self.column):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of ours.")

    @property
    def path(self) -> str:
        return f"public.{self.table}"

    def part(self, month: datetime) -> str:
        return f"{self.table}_y{month:%Y}m{month:%m}"


def partition_by_month(cursor: Cursor, monthly: MonthlyTable, *, now: datetime) -> int:
    """Make the plain table a partitioned one, with its rows and indexes; how many rows that were.

    Its primary key gains the column. Row security and grants come with the next `prepare_rights`.
    Raises ValueError where another unique key would lose its meaning, or rows got lost.
    """
    lost = _rows(cursor, _UNIQUE_WITHOUT, [monthly.path, monthly.column])
    if lost:
        raise ValueError(f"{', '.join(lost)} would be unique within each month only.")
    key = _rows(cursor, _KEY, [monthly.path])
    columns = ", ".join(f'"{name}"' for name in dict.fromkeys([*key, monthly.column]))
    indexes = _rows(cursor, _INDEXES, [monthly.path])
    plain = f"{monthly.table}_plain"
    cursor.execute(f"ALTER TABLE {monthly.path} RENAME TO {plain}")
    cursor.execute(
        f"CREATE TABLE {monthly.path} (LIKE public.{plain} INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
        f" INCLUDING GENERATED INCLUDING STORAGE) PARTITION BY RANGE ({monthly.column})"
    )
    cursor.execute(f"CREATE TABLE {monthly.path}_rest PARTITION OF {monthly.path} DEFAULT")
    cursor.execute(f"SELECT min({monthly.column}) FROM public.{plain}")  # noqa: S608 - checked names
    first = cursor.fetchone()[0]
    make_months(cursor, monthly, first=first or now, now=now)
    moved = f"INSERT INTO {monthly.path} SELECT * FROM public.{plain}"  # noqa: S608
    cursor.execute(moved)
    cursor.execute(
        f"SELECT (SELECT count(*) FROM {monthly.path}), (SELECT count(*) FROM public.{plain})"  # noqa: S608
    )
    here, there = cursor.fetchone()
    if here != there:
        raise ValueError(f"Of {there} rows of {monthly.table} only {here} came.")
    cursor.execute(f"DROP TABLE public.{plain}")
    cursor.execute(f"ALTER TABLE {monthly.path} ADD PRIMARY KEY ({columns})")
    for definition in indexes:
        cursor.execute(definition)
    return int(here)


def make_months(
    cursor: Cursor,
    monthly: MonthlyTable,
    *,
    now: datetime,
    first: datetime | None = None,
    ahead: int = 3,
) -> list[str]:
    """Make the parts of every month from `first` (now, or the oldest row without a month) to so many
    ahead of now; the names of those that were made. Moves rows out of `…_rest`. Harmless twice.
    """
    oldest = _oldest_of_the_rest(cursor, monthly)
    begin = min(moment for moment in (first, oldest, now) if moment is not None)
    known = set(_parts(cursor, monthly))
    month, made = _month(begin), []
    last = now
    for _ in range(ahead):
        last = _next(_month(last))
    while month <= last:
        name = monthly.part(month)
        if name not in known:
            _make(cursor, monthly, month)
            made.append(name)
        month = _next(month)
    return made


def months_before(cursor: Cursor, monthly: MonthlyTable, moment: datetime) -> list[str]:
    """The parts all of whose rows are older than `moment`, the oldest first."""
    found = []
    for name in _parts(cursor, monthly):
        told = _PART.search(name)
        if told:
            month = datetime(int(told[1]), int(told[2]), 1, tzinfo=UTC)
            if _next(month) <= moment:
                found.append(name)
    return found


def _make(cursor: Cursor, monthly: MonthlyTable, month: datetime) -> None:
    """Filled before it is attached: the rest may hold rows of this month."""
    name, rest = f"public.{monthly.part(month)}", f"{monthly.path}_rest"
    begin, end = month.isoformat(), _next(month).isoformat()
    cursor.execute(f"LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE")
    cursor.execute(f"CREATE TABLE {name} (LIKE {monthly.path} INCLUDING ALL)")
    cursor.execute(
        f"WITH moved AS (DELETE FROM {rest} WHERE {monthly.column} >= %s AND {monthly.column} < %s"  # noqa: S608
        f" RETURNING *) INSERT INTO {name} SELECT * FROM moved",
        [begin, end],
    )
    cursor.execute(
        f"ALTER TABLE {monthly.path} ATTACH PARTITION {name}"
        f" FOR VALUES FROM ('{begin}') TO ('{end}')"
    )


def _oldest_of_the_rest(cursor: Cursor, monthly: MonthlyTable) -> datetime | None:
    cursor.execute(f"SELECT min({monthly.column}) FROM {monthly.path}_rest")  # noqa: S608
    found: datetime | None = cursor.fetchone()[0]
    return found


def _parts(cursor: Cursor, monthly: MonthlyTable) -> list[str]:
    return [name.split(".")[-1].strip('"') for name in _rows(cursor, _PARTS, [monthly.path])]


def _rows(cursor: Cursor, query: str, parameters: Sequence[str]) -> list[str]:
    cursor.execute(query, parameters)
    return [row[0] for row in cursor.fetchall()]


def _month(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)
