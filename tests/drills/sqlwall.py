"""The drill `sqlwall`: injected SQL, at every place of a statement and by every kind of cursor."""

from django.conf import settings
from django.db import Error, connection
from django.db.models import Q

from apps.crm.models import Contact
from config.context import Place
from tenants.isolation import tenant_context
from tests.drills import own_sign_in
from tests.drills.attacks import COLUMN, STACKED, WHOLE, Attack, attacks_at, shared_out
from tests.drills.ground import Ground, rows_of_everybody
from tests.drills.neighbour import Neighbour
from tests.drills.outcome import Outcome
from tests.drills.payloads import READING
from tests.drills.payloads_changing import ACTING
from tests.drills.payloads_counting import COUNTING
from tests.drills.walls import PlainWay, ProductWall, Told

TENANTS = 2
PLACES = (Place.STALL, Place.SQUARE, Place.LOOKUP)
# After so many payloads everybody's rows and rights are compared, and the neighbour is asked.
_LOOK_EACH = {Place.STALL: 1, Place.SQUARE: 20, Place.LOOKUP: 20}


def run(ground: Ground, n: int) -> Outcome:
    """About `n` attacks, shared out to payloads at stall, square and lookup, in an order that the seed decides."""
    outcome = Outcome("sqlwall")
    own, other = ground.tenants[:2]
    neighbour = Neighbour(other, ground.canary(other), f"mark-{ground.seed}-of-theirs")
    neighbour.plant()
    neighbour.start()
    try:
        before = rows_of_everybody()
        for place in PLACES:
            wall = ProductWall(own, place)
            groups = list(attacks_at(place, neighbour.facts))
            outcome.remarks.append(
                f"{len(groups)} payloads at the {place.value}, sign-in by {settings.PLAZA_DB_LOGIN}"
            )
            share = n // len(PLACES) // len(groups)
            attacks = shared_out(groups, share, ground.chance(f"sqlwall {place.value}"))
            _tried(outcome, wall, list(attacks), neighbour, before)
        outcome.remarks += [f"a superuser has yet to: {one}" for one in ground.lacking]
        wall = ProductWall(own)
        _as_values(outcome, neighbour.facts, wall, _secrets(neighbour, wall))
        _judge_state(outcome, "values of the ORM", neighbour, before)
        if settings.PLAZA_DB_LOGIN == "tenant":
            own_sign_in.check(outcome, wall)
    finally:
        neighbour.stop()
    _plain_way_must_leak(outcome, ground, neighbour)
    return outcome


def _tried(
    outcome: Outcome,
    wall: ProductWall,
    groups: list[list[Attack]],
    neighbour: Neighbour,
    before: dict[str, object],
) -> None:
    secrets = _secrets(neighbour, wall)
    each = _LOOK_EACH[wall.place]
    for number, attacks in enumerate(groups, start=1):
        for attack in attacks:
            outcome.n += 1
            with outcome.timed():
                told = wall.ask(
                    list(attack.statements), attack.kind, is_whole=attack.place == WHOLE
                )
            _judge(outcome, attack, told, wall, secrets)
        if number % each == 0 or number == len(groups):
            names = [some[0].payload.name for some in groups[max(0, number - each) : number]]
            _judge_state(outcome, ", ".join(names), neighbour, before)


def _secrets(neighbour: Neighbour, wall: ProductWall) -> list[str]:
    """What may not be told at the wall's place: outside of stalls everybody's rows of public may be."""
    of_public = [neighbour.square_canary, "argon2$"] if wall.place is Place.STALL else []
    return [
        *of_public,
        neighbour.canary,
        neighbour.canary.encode().hex(),
        neighbour.mark,
        "root:x:0",
        "SCRAM-SHA-256$",
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
    is_whole = attack.place == WHOLE
    if not told.error and (
        attack.payload.forbidden or (attack.payload.is_statement and not is_whole)
    ):
        outcome.leak(f"{attack}: it was done; told {told.text[:200]!r}")
    if (told.who and told.who[:2] != wall.who[:2]) or (not is_whole and told.who != wall.who):
        outcome.leak(f"{attack}: the session is {told.who}")
    if told.next_user != wall.next_user:
        changed = set(told.next_user) ^ set(wall.next_user)
        outcome.leak(f"{attack}: the next one at the {wall.place.value} finds {changed}")
    if is_whole and not wall.is_well():
        outcome.lose(f"{attack}: the tenant's own next request is not served")


def _judge_state(
    outcome: Outcome, name: str, neighbour: Neighbour, before: dict[str, object]
) -> None:
    for fault in neighbour.faults():
        outcome.leak(f"{name!r}: the neighbour: {fault}")
    after = rows_of_everybody()
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if changed:
        outcome.leak(f"{name!r} changed {changed}")
        before.clear()
        before.update(after)


def _as_values(
    outcome: Outcome, facts: dict[str, str], wall: ProductWall, secrets: list[str]
) -> None:
    """Every payload as a value and as an identifier of ours: neither may be more than that."""
    quote = connection.ops.quote_name
    for payload in (*READING, *COUNTING, *ACTING):
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


def _plain_way_must_leak(outcome: Outcome, ground: Ground, neighbour: Neighbour) -> None:
    """The same payloads where nothing holds them: a drill in which they fail there too proves nothing."""
    plain = PlainWay(ground.tenants[0])
    secrets = {neighbour.canary, neighbour.square_canary}
    counts = {payload.name for payload in COUNTING}
    payloads = leaking = counting = 0
    for attacks in attacks_at(Place.STALL, neighbour.facts):
        best = next(attack for attack in attacks if attack.place in {COLUMN, STACKED})
        if "{pid}" not in best.payload.statements[0]:  # the owner may end the neighbour's session
            payloads += 1
            told = plain.ask(list(best.statements))
            leaking += any(secret in told.text + told.error for secret in secrets)
            counting += best.payload.name in counts and neighbour.mark in told.text
    outcome.remarks.append(
        f"on django-tenants' plain way {leaking} of {payloads} payloads show its rows,"
        f" {counting} count or watch it"
    )
    if not (leaking and counting):
        outcome.vain.append("no payload leaks on django-tenants' plain way")
