"""What names in a statement mean, read from the catalog of a plain PostgreSQL."""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in a statement mean: of one tenant's schema, and of everything else.

    `volatile` and `stable` are functions of which some form is; `numbered` are tenants' tables with an
    identity column or a sequence; `ours` are functions that only the coordinator has.
    """

    stall: frozenset[str]
    square: frozenset[str]
    volatile: frozenset[str]
    stable: frozenset[str]
    numbered: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()


_TABLES: LiteralString = """
SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v')
"""
_NUMBERED: LiteralString = """
SELECT DISTINCT c.relname FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
  LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')
   AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%')
"""
_FUNCTIONS: LiteralString = """
SELECT DISTINCT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE p.provolatile = %(volatility)s AND n.nspname <> ALL(%(ours)s)
"""
_OURS: LiteralString = """
SELECT DISTINCT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname = ANY(%(ours)s)
"""
_OUR_SCHEMAS = ["public", "plaza"]


def names_of(connection: psycopg.Connection[tuple[Any, ...]], *, stall: str) -> Names:
    """The names of an installation; every tenant's schema has the same, so one `stall` tells of all."""

    def ask(question: LiteralString, **facts: Any) -> frozenset[str]:
        return frozenset(name for (name,) in connection.execute(question, facts).fetchall())

    own = ask(_TABLES, schema=stall)
    return Names(
        stall=own,
        # Django keeps its list of migrations in public and in each schema.
        square=ask(_TABLES, schema="public") - own,
        volatile=ask(_FUNCTIONS, volatility="v", ours=_OUR_SCHEMAS),
        stable=ask(_FUNCTIONS, volatility="s", ours=_OUR_SCHEMAS),
        numbered=ask(_NUMBERED, schema=stall),
        ours=ask(_OURS, ours=_OUR_SCHEMAS),
    )
