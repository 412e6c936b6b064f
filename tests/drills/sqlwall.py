"""The drill `sqlwall`: injected SQL, at every place of a statement and by every kind of cursor."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connection
from django.db.models import Q

from apps.crm.models import Contact
from tenants.engine.owner import owner_connection
from tenants.isolation import tenant_context
from tests.drills import own_sign_in
from tests.drills.ground import Ground, rows_of_everybody
from tests.drills.neighbour import Neighbour
from tests.drills.outcome import Outcome
from tests.drills.payloads import READING, Payload, reading
from tests.drills.payloads_changing import ACTING
from tests.drills.walls import KINDS, PlainWay, ProductWall, Told

TENANTS = 2
_COLUMN, _STACKED, _WHOLE = "a column", "stacked", "whole statements"
_CONTACTS = "SELECT id::text, first_name FROM crm_contact"


@dataclass(frozen=True, slots=True)
class Attack:
    """A payload at one place, sent by one kind of cursor."""

    payload: Payload
    place: str
    kind: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.payload.name!r} as {self.place}, {self.kind}"


def run(ground: Ground, n: int) -> Outcome:
    """About `n` attacks, shared out to the payloads, in an order that the seed decides; all, if `n` is enough."""
    outcome = Outcome("sqlwall")
    own, other = ground.tenants[:2]
    neighbour = Neighbour(other, ground.canary(other), f"mark-{ground.seed}-of-theirs")
    neighbour.plant()
    neighbour.start()
    try:
        wall = ProductWall(own)
        secrets = _secrets(neighbour)
        groups = _shared_out(list(_attacks(neighbour.facts)), n, ground.chance("sqlwall"))
        outcome.remarks.append(f"{len(groups)} payloads, sign-in by {settings.PLAZA_DB_LOGIN}")
        outcome.remarks += [f"a superuser has yet to: {one}" for one in ground.lacking]
        before = rows_of_everybody()
        for attacks in groups:
            for attack in attacks:
                outcome.n += 1
                with outcome.timed():
                    told = wall.ask(
                        list(attack.statements), attack.kind, is_whole=attack.place == _WHOLE
                    )
                _judge(outcome, attack, told, wall, secrets)
            _judge_state(outcome, attacks[0].payload, neighbour, before)
        _as_values(outcome, neighbour.facts, wall, secrets)
        _judge_state(outcome, attacks[0].payload, neighbour, before)
        if settings.PLAZA_DB_LOGIN == "tenant":
            own_sign_in.check(outcome, wall)
    finally:
        neighbour.stop()
    _plain_way_must_leak(outcome, ground, neighbour.facts, neighbour.canary)
    return outcome


def _shared_out(groups: list[list[Attack]], n: int, dice: random.Random) -> list[list[Attack]]:
    """Of each payload as many attacks as `n` allows, at least one; whole statements always."""
    share = max(1, n // len(groups))
    dice.shuffle(groups)
    shared = []
    for attacks in groups:
        whole = [attack for attack in attacks if attack.place == _WHOLE]
        others = [attack for attack in attacks if attack.place != _WHOLE]
        shared.append(whole + dice.sample(others, k=min(share, len(others))))
    return shared


def _attacks(facts: dict[str, str]) -> Iterator[list[Attack]]:
    """Each payload's attacks."""
    for payload in (*READING, *_of_public_tables(), *_of_sealed_functions(facts), *ACTING):
        statements = payload.filled(facts)
        made = [
            Attack(payload, place, kind, (text,))
            for place, text in _places(payload, statements)
            for kind in KINDS
        ]
        if settings.PLAZA_DB_LOGIN == "tenant":
            whole = statements if payload.is_statement else (f"SELECT ({statements[0]})::text",)
            made.append(Attack(payload, _WHOLE, "execute", whole))
        yield made


def _places(payload: Payload, statements: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The statements of ours in which the payload is a fragment."""
    if payload.is_statement:
        joined = "; ".join(statements)
        yield "a value", f"{_CONTACTS} WHERE email = 'x'; {joined}; --'"
        yield "an order", f"{_CONTACTS} ORDER BY 1; {joined} --"
        yield _STACKED, f"SELECT 1; {joined}"
        return
    expression = statements[0]
    yield "a value", f"{_CONTACTS} WHERE email = '' UNION ALL SELECT '', ({expression})::text --'"
    yield "an order", f"{_CONTACTS} ORDER BY (SELECT (({expression})::text)::integer)"
    yield _COLUMN, f"SELECT id::text, ({expression})::text AS first_name FROM crm_contact"
    yield _STACKED, f"SELECT 1; SELECT ({expression})::text"


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


def _secrets(neighbour: Neighbour) -> list[str]:
    return [
        neighbour.canary,
        neighbour.canary.encode().hex(),
        neighbour.mark,
        "root:x:0",
        "SCRAM-SHA-256$",
        "argon2$",
        "700777",
        settings.PLAZA_DB_KEY,
    ]


def _judge(
    outcome: Outcome, attack: Attack, told: Told, wall: ProductWall, secrets: list[str]
) -> None:
    """No secret in rows or errors, the session as it was, and nothing forbidden done."""
    heard = told.text + told.error
    # An error repeats the statement, so what the attacker wrote counts among the rows alone.
    shown = [
        secret
        for secret in secrets
        if secret in (told.text if secret in str(attack.statements) else heard)
    ]
    if shown:
        outcome.leak(f"{attack}: {shown[0]!r} in {heard[:200]!r}")
    is_whole = attack.place == _WHOLE
    if not told.error and (
        attack.payload.forbidden or (attack.payload.is_statement and not is_whole)
    ):
        outcome.leak(f"{attack}: it was done; told {told.text[:200]!r}")
    if (told.who and told.who[:2] != wall.who[:2]) or (not is_whole and told.who != wall.who):
        outcome.leak(f"{attack}: the session is {told.who}")
    if is_whole and not wall.is_well():
        outcome.lose(f"{attack}: the tenant's own next request is not served")


def _judge_state(
    outcome: Outcome, payload: Payload, neighbour: Neighbour, before: dict[str, object]
) -> None:
    for fault in neighbour.faults():
        outcome.leak(f"{payload.name!r}: the neighbour: {fault}")
    after = rows_of_everybody()
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if changed:
        outcome.leak(f"{payload.name!r} changed {changed}")
        before.clear()
        before.update(after)


def _as_values(
    outcome: Outcome, facts: dict[str, str], wall: ProductWall, secrets: list[str]
) -> None:
    """Every payload as a value and as an identifier of ours: neither may be more than that."""
    quote = connection.ops.quote_name
    for payload in (*READING, *ACTING):
        text = "; ".join(payload.filled(facts))
        for value in (text, f"' OR 1=1; {text} --", f"' UNION SELECT ({text}) --"):
            outcome.n += 1
            if _finds_somebody(wall, value):
                outcome.leak(f"{payload.name!r} as a value of the ORM")
        for name in (text, f'first_name" FROM crm_contact; {text} --'):
            attack = Attack(payload, "an identifier", "execute", (f"SELECT {quote(name)}",))
            outcome.n += 1
            _judge(outcome, attack, wall.ask(list(attack.statements), "execute"), wall, secrets)


def _finds_somebody(wall: ProductWall, value: str) -> bool:
    """No contact has such an address, number or name, so whoever is found was found by more than a value."""
    asked = Q(email=value) | Q(first_name__icontains=value) | Q(last_name__in=[value, value + "'"])
    with tenant_context(wall.attacker):
        try:
            return Contact.objects.filter(asked).exclude(phone=value).order_by("id").exists()
        except Error:
            return True
        finally:
            connection.close()


def _plain_way_must_leak(
    outcome: Outcome, ground: Ground, facts: dict[str, str], canary: str
) -> None:
    """The same payloads where nothing holds them: a drill in which they fail there too proves nothing."""
    plain = PlainWay(ground.tenants[0])
    payloads = leaking = 0
    for attacks in _attacks(facts):
        best = next(attack for attack in attacks if attack.place in {_COLUMN, _STACKED})
        if "{pid}" not in best.payload.statements[0]:  # the owner may end the neighbour's session
            payloads += 1
            told = plain.ask(list(best.statements))
            leaking += canary in told.text + told.error
    outcome.remarks.append(f"on django-tenants' plain way {leaking} of {payloads} payloads show it")
    if not leaking:
        outcome.vain.append("no payload leaks on django-tenants' plain way")
