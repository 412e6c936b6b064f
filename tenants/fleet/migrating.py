"""`fleet migrate`: the square, the template, then every schema that is behind, in waves."""

from collections.abc import Callable

from tenants import template
from tenants.fleet import ledger
from tenants.fleet.brake import Brake
from tenants.fleet.connections import Connections
from tenants.fleet.drift import Expected
from tenants.fleet.ledger import Laggard, Owner
from tenants.fleet.lock import one_fleet_at_a_time
from tenants.fleet.outcome import FleetOutcome
from tenants.fleet.progress import Progress, Silence
from tenants.fleet.run import Run
from tenants.fleet.square import migrate_square
from tenants.fleet.wave import Waves
from tenants.fleet.waves import FleetOrders, NoSuchTenant, canary_of, in_waves

# Tenants may get their schema while the fleet is at work; sign-ups do not outrun it for ever.
_MOST_ROUNDS = 3


def migrate(
    *,
    tell: Callable[[str], None],
    orders: FleetOrders | None = None,
    progress: Progress | None = None,
    brake: Brake | None = None,
) -> FleetOutcome:
    """Bring the square, the template, every tenant and every ready schema to the code's version.

    It may be killed at any moment and run again. Raises FleetBusy, NoSuchTenant, and what the database
    raises when the square or the template cannot be migrated; a tenant that fails is set aside.
    """
    orders, brake = orders or FleetOrders(), brake or Brake()
    with one_fleet_at_a_time(wait_seconds=orders.wait_seconds) as owner:
        tell("The square was migrated." if migrate_square() else "The square is up to date.")
        expected = Expected(owner)
        template.refresh(tell=tell)
        outcome = FleetOutcome(version=template.code_version())
        _check_names(owner, orders)
        found = _chosen(ledger.laggards(owner, version=outcome.version), orders)
        if not found:
            tell("Every tenant is up to date.")
            return outcome
        connections = Connections(orders.connections)
        brake.cancels(connections.cancel)
        run = Run(
            owner=owner, connections=connections, orders=orders, outcome=outcome,
            expected=expected, brake=brake, tell=tell, progress=progress or Silence(),
        )  # fmt: skip
        run.progress.begin(len(found))
        try:
            _rounds(run, found)
        finally:
            run.progress.end()
            connections.close()
    outcome.interrupted = brake.is_pulled()
    return outcome


def _check_names(owner: Owner, orders: FleetOrders) -> None:
    for slug in filter(None, [orders.canary, *orders.only]):
        row = owner.execute(
            "SELECT FROM public.tenants_tenant WHERE slug = %s AND status NOT IN ('provisioning', 'closed')",
            [slug],
        ).fetchone()
        if row is None:
            raise NoSuchTenant(f"There is no tenant {slug!r} that has a schema.")


def _chosen(found: list[Laggard], orders: FleetOrders) -> list[Laggard]:
    return [each for each in found if not orders.only or each.slug in orders.only]


def _rounds(run: Run, found: list[Laggard]) -> None:
    waves, seen = Waves(run), {each.id for each in found}
    if run.orders.only:
        waves.run(found)
        return
    _canary_and_waves(run, waves, found)
    for _ in range(_MOST_ROUNDS):
        if run.has_to_stop():
            return
        behind = ledger.laggards(run.owner, version=run.outcome.version)
        late = [each for each in behind if each.id not in seen]
        if not late:
            return
        seen |= {each.id for each in late}
        waves.run(late)


def _canary_and_waves(run: Run, waves: Waves, found: list[Laggard]) -> None:
    half_way = [each for each in found if each.state == "migrating"]
    if half_way:
        run.tell(f"{len(half_way)} tenants stand half-way: they go first.")
        waves.run(half_way)
        run.outcome.stopped = ""  # they are no sample
    fleet = [each for each in found if each.state != "migrating"]
    canary = canary_of(fleet, run.orders.canary)
    if canary is not None and not run.has_to_stop():
        run.tell(f"The canary is {canary.slug}.")
        waves.run([canary])
        fleet.remove(canary)
        if canary.slug in run.outcome.set_aside:
            run.outcome.stopped = "The canary failed: no other tenant was begun."
    for number, members in enumerate(in_waves(fleet, run.orders.waves), start=1):
        if run.has_to_stop():
            return
        run.tell(f"Wave {number}: {len(members)} schemas.")
        waves.run(members)
