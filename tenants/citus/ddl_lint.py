"""Which of our definitions a distributed schema would refuse: the template's SQL, and that of migrations.

Sources: citusdata/citus, src/test/regress/expected/create_single_shard_table.out and
schema_based_sharding.out; src/backend/distributed/commands/{schema_based_sharding,table,trigger}.c.
What is allowed there and needs no rule: EXCLUDE and UNIQUE without a distribution column, row security,
unlogged tables, GENERATED columns, CREATE INDEX CONCURRENTLY, keys to neighbours, deferrable ones too.
"""

import re
from collections.abc import Iterable

from tenants.citus.lint import Violation
from tenants.citus.reading import Statement, read
from tenants.citus.words import Token, is_word, split

_TABLES_C = "https://github.com/citusdata/citus/pull/7032"
_SCHEMAS_C = "citusdata/citus, src/backend/distributed/commands/schema_based_sharding.c"
_TRIGGERS_C = "citusdata/citus, src/backend/distributed/commands/trigger.c"
_EXPECTED = "citusdata/citus, src/test/regress/expected/create_single_shard_table.out"
_FUNCTIONS = (
    "https://learn.microsoft.com/en-us/postgresql/citus/api-udf (create_distributed_function)"
)
# (rule, source, what begins the statement, why)
_BEGINNINGS: tuple[tuple[str, str, str, str], ...] = (
    ("trigger", _TRIGGERS_C, r"create (or replace )?(constraint )?trigger", "triggers are refused unless citus.enable_unsafe_triggers is on"),
    ("rule", "https://docs.citusdata.com/en/stable/develop/reference_workarounds.html", r"create (or replace )?rule", "the rule system is not supported"),
    ("foreign-table", _SCHEMAS_C, r"create foreign table", "cannot create a foreign table in a distributed schema"),
    ("temporary-table", _EXPECTED, r"create (local |global )?temp(orary)? ", "cannot distribute a temporary table"),
    ("function", _FUNCTIONS, r"create (or replace )?(function|procedure)", "a function in a tenant's schema is not on the nodes"),
    ("materialized-view", "https://docs.citusdata.com/en/stable/develop/reference_sql.html", r"create materialized view", "it is stored on the coordinator alone"),
)  # fmt: skip
_SMALL_NUMBERS = frozenset({"serial", "smallserial", "serial2", "serial4"})
_WHOLE = frozenset({"integer", "int", "int4", "smallint", "int2"})
_UNNAMED = frozenset({"check", "unique", "references", "primary"})


def lint_definition(sql: str, *, square: Iterable[str] = ()) -> list[Violation]:
    """What is wrong with one statement of DDL in a tenant's schema; `square` are the public tables."""
    statement = read(sql)
    found = [
        (rule, source, why)
        for rule, source, beginning, why in _BEGINNINGS
        if re.match(beginning, " ".join(statement.words))
    ]
    found += _tables(statement)
    if leaving := _key_that_leaves(statement, frozenset(square)):
        found.append(("key-leaves-schema", _EXPECTED, f"a key leads to {leaving}"))
    if _adds_unnamed_constraint(statement):
        why = "ADD COLUMN with a constraint that has no name, among other subcommands"
        found.append(("unnamed-constraint", _TABLES_C, why))
    spelled = " ".join(sql.split())
    return [Violation(rule, why, source, spelled) for rule, source, why in found]


def lint_script(script: str, *, square: Iterable[str] = ()) -> list[Violation]:
    """`lint_definition` for each statement of a script."""
    tables = frozenset(square)
    return [one for sql in split(script) for one in lint_definition(sql, square=tables)]


def _tables(statement: Statement) -> list[tuple[str, str, str]]:
    if statement.words[:2] not in {("create", "table"), ("alter", "table"), ("create", "unlogged")}:
        return []
    found = []
    if statement.has("inherits") or statement.has("inherit"):
        why = "tables in a distributed schema cannot inherit or be inherited"
        found.append(("inheritance", _SCHEMAS_C, why))
    if statement.has("partition", "of") and statement.has("partition", "by"):
        why = "distributing multi-level partitioned tables is not supported"
        found.append(("partitions-of-partitions", _EXPECTED, why))
    if name := _small_number(statement.tokens):
        why = f"{name} numbers rows by less than bigint: nextval fails on a node"
        found.append(("small-sequence", _EXPECTED, why))
    return found


def _small_number(tokens: tuple[Token, ...]) -> str:
    for at, token in enumerate(tokens):
        if token.kind == "name" and token.value in _SMALL_NUMBERS:
            return tokens[at - 1].value
        if is_word(token, "identity") and at > 2:
            # name type [NOT NULL] GENERATED {BY DEFAULT | ALWAYS} AS IDENTITY
            start = max(n for n in range(at) if is_word(tokens[n], "generated"))
            kinds = [n for n in (start - 1, start - 3) if n > 0 and tokens[n].value in _WHOLE]
            if kinds:
                return tokens[kinds[0] - 1].value
    return ""


def _key_that_leaves(statement: Statement, square: frozenset[str]) -> str:
    tokens = statement.tokens
    for at, token in enumerate(tokens[:-1]):
        if is_word(token, "references"):
            qualified = at + 2 < len(tokens) and tokens[at + 2].value == "."
            schema, name = (
                (tokens[at + 1].value, tokens[at + 3].value)
                if qualified
                else ("", tokens[at + 1].value)
            )
            if schema == "public" or (not schema and name in square):
                return f"{schema or 'public'}.{name}"
    return ""


def _adds_unnamed_constraint(statement: Statement) -> bool:
    """Alone Citus gives it a name; beside other subcommands it cannot."""
    tokens = statement.tokens
    depth, commas = 0, 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.value, 0) if token.kind == "sign" else 0
        commas += token.value == "," and depth == 0
    if not commas or not statement.has("add", "column"):
        return False
    return any(
        token.value in _UNNAMED and not token.is_quoted and not _is_named(tokens, at)
        for at, token in enumerate(tokens)
        if token.kind == "name"
    )


def _is_named(tokens: tuple[Token, ...], at: int) -> bool:
    return at >= 2 and is_word(tokens[at - 2], "constraint")
