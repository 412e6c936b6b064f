"""The attacks of the drill `sqlwall`: each payload at every place of a statement of ours, by every kind of cursor."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from config.context import Place
from tenants.engine.owner import owner_connection
from tests.drills.payloads import PUBLIC_ROWS, READING, WHOEVER_WAS_HERE, Payload, reading
from tests.drills.payloads_changing import ACTING
from tests.drills.payloads_counting import COUNTING
from tests.drills.walls import KINDS

COLUMN, STACKED, WHOLE = "a column", "stacked", "whole statements"
# A statement of ours at each place: (its beginning with two columns of text, a column to compare).
_STATEMENTS = {
    Place.STALL: ("SELECT id::text, first_name FROM crm_contact", "email"),
    Place.SQUARE: ("SELECT id::text, slug FROM public.tenants_tenant", "slug"),
    Place.LOOKUP: ("SELECT id::text, slug FROM public.tenants_tenant", "slug"),
}


@dataclass(frozen=True, slots=True)
class Attack:
    """A payload at one place of a statement, sent by one kind of cursor."""

    payload: Payload
    place: str
    kind: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.payload.name!r} as {self.place}, {self.kind}"


def attacks_at(place: Place, facts: dict[str, str]) -> Iterator[list[Attack]]:
    """Each payload's attacks at a stall, or where every tenant's public rows are read anyway."""
    for payload in _payloads(place, facts):
        statements = payload.filled(facts)
        made = [
            Attack(payload, part, kind, (text,))
            for part, text in _parts(place, payload, statements)
            for kind in KINDS
        ]
        # The square's sign-in is no tenant's: there the claim is about fragments.
        if settings.PLAZA_DB_LOGIN == "tenant" and place is not Place.SQUARE:
            whole = statements if payload.is_statement else (f"SELECT ({statements[0]})::text",)
            made.append(Attack(payload, WHOLE, "execute", whole))
        yield made


def shared_out(
    groups: list[list[Attack]], share: int, dice: random.Random
) -> Iterator[list[Attack]]:
    """Of each payload `share` attacks, at least one, in an order of chance; whole statements always."""
    dice.shuffle(groups)
    for attacks in groups:
        whole = [attack for attack in attacks if attack.place == WHOLE]
        others = [attack for attack in attacks if attack.place != WHOLE]
        yield whole + dice.sample(others, k=min(max(1, share), len(others)))


def _payloads(place: Place, facts: dict[str, str]) -> Iterator[Payload]:
    if place is Place.STALL:
        yield from (*READING, *COUNTING, *_of_public_tables())
    else:
        others = (*PUBLIC_ROWS, *(WHOEVER_WAS_HERE if place is Place.SQUARE else ()))
        yield from (payload for payload in READING if payload not in others)
    if place is Place.LOOKUP:
        yield from COUNTING
    yield from (*_of_sealed_functions(facts), *ACTING)


def _parts(
    place: Place, payload: Payload, statements: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """The statements of ours in which the payload is a fragment."""
    rows, column = _STATEMENTS[place]
    if payload.is_statement:
        joined = "; ".join(statements)
        yield "a value", f"{rows} WHERE {column} = 'x'; {joined}; --'"
        yield "an order", f"{rows} ORDER BY 1; {joined} --"
        yield STACKED, f"SELECT 1; {joined}"
        return
    expression = statements[0]
    table = rows.rpartition(" ")[2]
    yield "a value", f"{rows} WHERE {column} = '' UNION ALL SELECT '', ({expression})::text --'"
    yield "an order", f"{rows} ORDER BY (SELECT (({expression})::text)::integer)"
    yield COLUMN, f"SELECT id::text, ({expression})::text AS first_name FROM {table}"
    yield STACKED, f"SELECT 1; SELECT ({expression})::text"


def _of_public_tables() -> Iterator[Payload]:
    with owner_connection() as owner:
        tables = owner.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables"
            " WHERE schemaname IN ('public', 'plaza') ORDER BY 1"
        ).fetchall()
    for (table,) in tables:
        yield reading(f"all of {table}", f"(SELECT string_agg(t::text, ',') FROM {table} t)")


def _of_sealed_functions(facts: dict[str, str]) -> Iterator[Payload]:
    """Every function that runs with its owner's rights, with seals that are missing, empty or invented."""
    with owner_connection() as owner:
        functions = owner.execute(
            "SELECT oid::regproc::text, proargtypes::regtype[]::text[] FROM pg_proc"
            " WHERE prosecdef AND pronamespace::regnamespace::text NOT LIKE 'pg\\_%' ORDER BY 1"
        ).fetchall()
    for name, types in functions:
        for seal in ("NULL", "''", f"'{'0' * 64}'"):
            given = [_argument(kind, facts) for kind in types[:-1]] + [f"{seal}::{types[-1]}"]
            call = f"{name}({', '.join(given)})::text"
            yield reading(f"{name} sealed with {seal[:6]}", call, forbidden=True)


def _argument(kind: str, facts: dict[str, str]) -> str:
    known = {"uuid": f"'{facts['id']}'", "jsonb": "'{{}}'", "timestamp with time zone": "now()"}
    return known.get(kind, "'1'") + f"::{kind}"
