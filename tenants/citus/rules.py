"""The rules themselves: each says why a statement is wrong on a cluster, or nothing.

What stands in «…» is Citus's own message.
"""

from collections.abc import Iterator

from tenants.citus.names import Names
from tenants.citus.reading import Call, Statement, read
from tenants.citus.words import Token, between, is_word, spelled

_MOMENTS = frozenset(
    {"current_timestamp", "current_date", "current_time", "localtimestamp", "current_user"}
)


def _stall(statement: Statement, names: Names) -> set[str]:
    return {
        name
        for schema, name in statement.relations
        if schema.startswith("t_") or (not schema and name in names.stall)
    }


def _elsewhere(statement: Statement, names: Names) -> set[str]:
    return {
        f"{schema}.{name}" if schema else name
        for schema, name in statement.relations
        if schema in {"public", "plaza", "pg_catalog", "information_schema"}
        or (not schema and name in names.square)
        or (not schema and name.startswith("pg_") and name not in names.stall)
    }


def crosses_schemas(statement: Statement, names: Names) -> str:
    """A tenant's tables and the coordinator's in one statement.

    «queries that reference a distributed table without a shard key can only reference colocated
    distributed tables or reference tables». (INSERT … SELECT between the two runs, through the coordinator.)
    """
    mine, others = _stall(statement, names), _elsewhere(statement, names)
    if mine and others and not statement.has("insert", "into"):
        return f"{min(mine)} and {min(others)} lie on different nodes"
    return ""


def two_stalls(statement: Statement, names: Names) -> str:
    """Two tenants in one statement: «found no worker with all shard placements»."""
    schemas = {schema for schema, _ in statement.relations if schema.startswith("t_")}
    return f"{' and '.join(sorted(schemas))} may lie on different nodes" if len(schemas) > 1 else ""


def volatile_in_change(statement: Statement, names: Names) -> str:
    """«functions used in UPDATE queries on distributed tables must not be VOLATILE»; so too in WHERE."""
    for call in _calls_of_change(statement, names):
        if _bare(call) in names.volatile:
            return f"{call.name}() is volatile"
    return ""


def stable_of_columns(statement: Statement, names: Names) -> str:
    """«STABLE functions used in UPDATE queries cannot be called with column references»."""
    for call in _calls_of_change(statement, names):
        if _bare(call) in names.stable - names.volatile and any(map(_is_column, call.arguments)):
            return f"{call.name}() is stable and is given a column"
    return ""


def mutable_in_case(statement: Statement, names: Names) -> str:
    """«non-IMMUTABLE functions are not allowed in CASE or COALESCE statements» of an UPDATE or DELETE."""
    if not _changes_stall(statement, names):
        return ""
    for inside in _cases(_changing(statement)):
        moment = next((t.value for t in inside if not t.is_quoted and t.value in _MOMENTS), "")
        found = moment or _mutable_call(inside, names)
        if found:
            return f"{found} stands in CASE or COALESCE"
    return ""


def mutable_in_returning(statement: Statement, names: Names) -> str:
    """«non-IMMUTABLE functions are not allowed in the RETURNING clause»."""
    at = next((n for n, t in enumerate(statement.tokens) if is_word(t, "returning")), None)
    if at is None or not _stall(statement, names):
        return ""
    found = _mutable_call(statement.tokens[at:], names)
    return f"{found} stands in RETURNING" if found else ""


def query_in_values(statement: Statement, names: Names) -> str:
    """«Subqueries within INSERT queries are not supported» (those in VALUES; INSERT … SELECT is)."""
    if statement.verb != "insert" or not _stall(statement, names):
        return ""
    at = next((n for n, t in enumerate(statement.tokens) if is_word(t, "values")), None)
    if at is None:
        return ""
    row = between(statement.tokens, at + 1)
    return "a query stands in VALUES" if any(is_word(t, "select") for t in row) else ""


def numbers_from_own_rows(statement: Statement, names: Names) -> str:
    """«Sequences cannot be used in router queries»: INSERT … SELECT into a numbered table from its neighbours."""
    if statement.verb != "insert" or not statement.has("select"):
        return ""
    mine = _stall(statement, names)
    target = next((name for name in _targets(statement) if name in names.numbered), "")
    return f"{target} numbers its rows by itself" if target and len(mine - {target}) else ""


def ours_with_rows(statement: Statement, names: Names) -> str:
    """A function that only the coordinator has, in a statement that is sent to a node."""
    if not _stall(statement, names):
        return ""
    for call in statement.calls:
        if call.name.startswith(("plaza.", "public.")) or _bare(call) in names.ours:
            return f"{call.name}() is not on the nodes"
    return ""


def lock_with_rows(statement: Statement, names: Names) -> str:
    """An advisory lock belongs to the node that runs the statement; alone it is the coordinator's, as meant."""
    if not _stall(statement, names):
        return ""
    return next(
        (f"{c.name}() locks on the node" for c in statement.calls if "advisory" in c.name), ""
    )


def temporary(statement: Statement, names: Names) -> str:
    """«cannot distribute a temporary table», so it joins with no tenant's table; TEMP is revoked besides."""
    return "temporary table" if {"temp", "temporary"} & set(statement.words[:4]) else ""


def isolation_level(statement: Statement, names: Names) -> str:
    """A snapshot is one node's: a level above READ COMMITTED holds for no transaction over nodes."""
    for level in (("serializable",), ("repeatable", "read")):
        if statement.verb in {"set", "begin", "start"} and statement.has(
            "isolation", "level", *level
        ):
            return " ".join(level)
    return ""


def local_setting(statement: Statement, names: Names) -> str:
    """SET LOCAL reaches the nodes only with citus.propagate_set_commands = 'local' (deploy/citus.md has it)."""
    return statement.words[2] if statement.words[:2] == ("set", "local") else ""


def _changes_stall(statement: Statement, names: Names) -> bool:
    is_upsert = statement.verb == "insert" and statement.has("do", "update")
    return (statement.verb in {"update", "delete", "merge"} or is_upsert) and bool(
        _stall(statement, names)
    )


def _calls_of_change(statement: Statement, names: Names) -> Iterator[Call]:
    """The calls that UPDATE, DELETE or DO UPDATE make; those in VALUES run on the coordinator before."""
    if not _changes_stall(statement, names):
        return
    yield from read(" ".join(spelled(t) for t in _changing(statement))).calls


def _changing(statement: Statement) -> tuple[Token, ...]:
    """Of an upsert the part behind ON CONFLICT: what stands before is reckoned on the coordinator."""
    tokens = statement.tokens
    if statement.verb != "insert":
        return tokens
    return tokens[next((n for n, t in enumerate(tokens) if is_word(t, "conflict")), len(tokens)) :]


def _targets(statement: Statement) -> Iterator[str]:
    for at, token in enumerate(statement.tokens[:-1]):
        if is_word(token, "into"):
            yield statement.tokens[at + 1].value


def _cases(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, ...]]:
    """What stands in each CASE … END and COALESCE(…)."""
    for at, token in enumerate(tokens):
        if is_word(token, "coalesce"):
            yield between(tokens, at + 1)
        elif is_word(token, "case"):
            end = next(
                (n for n in range(at, len(tokens)) if is_word(tokens[n], "end")), len(tokens)
            )
            yield tokens[at:end]


def _mutable_call(tokens: tuple[Token, ...], names: Names) -> str:
    for call in read(" ".join(spelled(t) for t in tokens)).calls:
        if _bare(call) in names.volatile | names.stable:
            return f"{call.name}()"
    return ""


def _bare(call: Call) -> str:
    return call.name.rpartition(".")[2]


def _is_column(token: Token) -> bool:
    return token.kind == "name" and (token.is_quoted or token.value not in _MOMENTS)
