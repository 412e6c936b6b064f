"""Reading one statement as far as the lint needs: words, relations, function calls, and what stands in them."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenants.citus.words import Token, between, tokens_of

# What a relation's name may follow.
_BEFORE_RELATION = frozenset(
    {"from", "join", "into", "update", "using", "only", "copy", "table", "references"}
)
# In these calls FROM is no clause: extract(epoch FROM x).
_FROM_INSIDE = frozenset({"extract", "substring", "trim", "overlay", "position"})
_NO_CALLS = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "any",
        "all",
        "some",
        "exists",
        "values",
        "as",
        "on",
        "from",
        "where",
        "join",
        "over",
        "filter",
        "within",
        "array",
        "row",
        "select",
        "into",
        "using",
        "set",
        "when",
        "then",
        "else",
        "case",
        "between",
        "like",
        "ilike",
        "is",
        "distinct",
        "conflict",
        "partition",
        "by",
        "returning",
        "union",
        "except",
        "intersect",
        "limit",
        "offset",
        "having",
        "group",
        "order",
        "with",
        "lateral",
        "interval",
        "check",
        "unique",
        "key",
        "index",
        "foreign",
        "primary",
        "references",
        "default",
        "exclude",
        "include",
        "column",
        "add",
    ]
)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call: its name, qualified where it was, and the tokens between its brackets."""

    name: str
    arguments: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """`relations` are (schema or "", name), without the names of its own WITH queries."""

    sql: str
    tokens: tuple[Token, ...]
    verb: str
    relations: frozenset[tuple[str, str]]
    calls: tuple[Call, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Keywords and bare names, in order."""
        return tuple(t.value for t in self.tokens if t.kind == "name" and not t.is_quoted)

    def has(self, *words: str) -> bool:
        """Whether these words follow one another."""
        mine = self.words
        return any(mine[at : at + len(words)] == words for at in range(len(mine)))


def read(sql: str) -> Statement:
    """Read one statement. It understands our SQL and Django's, not every SQL there is."""
    tokens = tuple(tokens_of(sql))
    words = [t.value for t in tokens if t.kind == "name"]
    verb = words[0] if words else ""
    if verb in {"with", "explain"}:
        main = [word for word in words if word in {"select", "insert", "update", "delete", "merge"}]
        writing = [word for word in main if word != "select"]
        verb = (writing or main or [verb])[0]
    return Statement(
        sql=sql,
        tokens=tokens,
        verb=verb,
        relations=frozenset(_relations(tokens)),
        calls=tuple(_calls(tokens)),
    )


def _relations(tokens: tuple[Token, ...]) -> Iterator[tuple[str, str]]:
    own = _own_names(tokens)
    for at, token in enumerate(tokens):
        if token.kind != "name" or token.is_quoted or token.value not in _BEFORE_RELATION:
            continue
        if token.value == "from" and _is_inside_call(tokens, at):
            continue
        # FOR UPDATE, DO UPDATE, ON UPDATE name no table.
        if token.value == "update" and at and tokens[at - 1].value in {"for", "do", "on"}:
            continue
        for schema, name in _names_after(tokens, at + 1, many=token.value in {"from", "using"}):
            if schema or name not in own:
                yield schema, name


def _names_after(tokens: tuple[Token, ...], at: int, *, many: bool) -> Iterator[tuple[str, str]]:
    """The relation at `at`; after FROM and USING those behind commas too."""
    while True:
        while at < len(tokens) and tokens[at].value in {"only", "lateral", "if", "not", "exists"}:
            at += 1
        if at >= len(tokens) or tokens[at].kind != "name":
            return
        parts = [tokens[at].value]
        while at + 2 < len(tokens) and tokens[at + 1].value == ".":
            parts.append(tokens[at + 2].value)
            at += 2
        is_call = at + 1 < len(tokens) and tokens[at + 1].value == "("
        if not is_call or not many:
            yield (parts[-2] if len(parts) > 1 else ""), parts[-1]
        at = _after_alias(tokens, at + 1)
        if not many or at >= len(tokens) or tokens[at].value != ",":
            return
        at += 1


def _after_alias(tokens: tuple[Token, ...], at: int) -> int:
    while (
        at < len(tokens)
        and tokens[at].kind == "name"
        and tokens[at].value not in _NO_CALLS - {"as"}
    ):
        at += 1
    return at


def _is_inside_call(tokens: tuple[Token, ...], at: int) -> bool:
    depth = 0
    for back in range(at - 1, -1, -1):
        if tokens[back].kind == "sign" and tokens[back].value in "()":
            depth += 1 if tokens[back].value == ")" else -1
            if depth < 0:
                return back > 0 and tokens[back - 1].value in _FROM_INSIDE
    return False


def _own_names(tokens: tuple[Token, ...]) -> set[str]:
    """Names that WITH gives: `name AS (` or `name (columns) AS (`."""
    if not any(t.value == "with" and not t.is_quoted for t in tokens):
        return set()
    found = set()
    for at, token in enumerate(tokens):
        if token.kind == "name" and token.value == "as" and at + 1 < len(tokens):
            opens = at + 1
            while opens < len(tokens) and tokens[opens].value in {"not", "materialized"}:
                opens += 1
            if opens < len(tokens) and tokens[opens].value == "(" and at > 0:
                found.add(tokens[at - 1].value)
    return found


def _calls(tokens: tuple[Token, ...]) -> Iterator[Call]:
    for at, token in enumerate(tokens[:-1]):
        if token.kind != "name" or tokens[at + 1].value != "(" or token.value in _NO_CALLS:
            continue
        # INSERT INTO table (columns) calls nothing.
        if at and tokens[at - 1].value in {"into", "table", "references"}:
            continue
        name = token.value
        if at >= 2 and tokens[at - 1].value == "." and tokens[at - 2].kind == "name":
            name = f"{tokens[at - 2].value}.{name}"
        yield Call(name, between(tokens, at + 1))
