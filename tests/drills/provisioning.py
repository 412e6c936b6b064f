"""The drill `provisioning`: sign-ups and refills killed with SIGKILL at random moments, and begun again."""

import os
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from billing import signup
from billing.models import Subscription
from billing.tasks import finish_sign_up
from config.needs import Meter
from quotas import ledger
from quotas.models import Grant
from tenants.engine.owner import owner_connection
from tenants.isolation import square_context, tenant_context
from tenants.models import Domain, Member, Person, ReadySchema, Tenant
from tenants.pool import fill_pool
from tenants.services import SlugTaken
from tenants.template import same_as_template
from tests import factories
from tests.drills.ground import Ground, hang_up
from tests.drills.outcome import Outcome

TENANTS = 1
_MOST_KILLS = 3
_READY = 2


def run(ground: Ground, n: int) -> Outcome:
    """`n` sign-ups, each killed one to three times; half find a ready schema, half have one cloned."""
    outcome, dice = Outcome("provisioning"), ground.chance("provisioning")
    took = {
        "ready": _unharmed(outcome, ground, "ready"),
        "dry": _unharmed(outcome, ground, "dry"),
        "filling": _seconds(partial(_fill, 1)),
    }
    expected = {kind: _facts(f"unharmed-{kind}") for kind in ("ready", "dry")}
    if expected["ready"] != expected["dry"]:
        outcome.lose(f"two ways, two outcomes: {expected}")
    killed = 0
    for number in range(n):
        kind = ("ready", "dry")[number % 2]
        killed += _one(outcome, dice, kind, f"killed-{number}", took)
        found = _facts(f"killed-{number}")
        if found != expected[kind]:
            outcome.lose(f"{kind} {number}: {_differing(found, expected[kind])}")
        outcome.n += 1
    _nothing_left_over(outcome)
    outcome.remarks.append(f"{killed} processes were killed before they were done")
    if not killed:
        outcome.vain.append("nothing was killed in time")
    _add_roles_to_drop(ground)
    return outcome


def _one(
    outcome: Outcome, dice: random.Random, kind: str, slug: str, took: dict[str, float]
) -> int:
    """Kill it, again and again; then let it end. How often it was cut off."""
    killed = 0
    if kind == "ready":
        killed += _killed(partial(_fill, _READY), dice.uniform(0, took["filling"] * _READY))
        _fill(_READY)
    else:
        _drain()
    for _ in range(dice.randint(1, _MOST_KILLS)):
        killed += _killed(partial(_sign_up, slug), dice.uniform(0, took[kind]))
    with outcome.timed():
        if dice.random() < 0.5:
            _resume_by_tasks(slug)
        _sign_up(slug)
    return killed


def _sign_up(slug: str) -> None:
    """As the form does it; who is there already signs up no more."""
    try:
        signup.sign_up(
            organisation="Killed Ltd.", slug=slug, email=f"{slug}@drill.test",
            password="a-long-Enough-1", plan="starter", now=datetime.now(UTC),
        )  # fmt: skip
    except SlugTaken:
        tenant = Tenant.objects.get(slug=slug)
        if tenant.status != Tenant.Status.ACTIVE:
            raise


def _resume_by_tasks(slug: str) -> None:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None and tenant.status == Tenant.Status.PROVISIONING:
        signup.resume_cut_off(now=datetime.now(UTC) + timedelta(minutes=5))
        finish_sign_up(tenant_id=str(tenant.pk))


def _fill(wanted: int) -> None:
    fill_pool(wanted=wanted)


def _drain() -> None:
    """Give the ready ones to nobody: the next sign-up has to clone."""
    ReadySchema.objects.filter(claimed_at=None).update(claimed_at=datetime.now(UTC))


def _killed(work: Callable[[], None], after: float) -> bool:
    """Let another process begin the work and kill it `after` seconds; whether it was in time."""
    hang_up()  # a connection is one process's
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with square_context():
                work()
            code = 0
        finally:
            os._exit(code)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError("the work failed by itself")
    return os.WIFSIGNALED(status)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _unharmed(outcome: Outcome, ground: Ground, kind: str) -> float:
    """The same without a kill: how long it takes, and what it leaves."""
    if kind == "ready":
        _fill(1)
    else:
        _drain()
    return _seconds(partial(_sign_up, f"unharmed-{kind}"))


def _facts(slug: str) -> dict[str, Any]:
    """What a sign-up leaves, without what differs between two of them."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        return {"tenant": None}
    now = datetime.now(UTC)
    with owner_connection() as owner:
        rights = owner.execute(
            "SELECT rolcanlogin, ARRAY(SELECT replace(c.relname || c.relacl::text, %(role)s, '')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %(role)s AND c.relkind IN ('r', 'S') ORDER BY 1),"
            " ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid)"
            " FROM pg_roles r WHERE rolname = %(role)s",
            {"role": tenant.schema_name},
        ).fetchall()
    found = {
        "tenants": Tenant.objects.filter(slug=slug).count(),
        "status": tenant.status,
        "version": tenant.schema_version,
        "schema": same_as_template(tenant.schema_name),
        "rights": rights,
        "domains": [domain.replace(slug, "") for domain in _domains(tenant)],
        "people": Person.objects.filter(email=f"{slug}@drill.test").count(),
        "members": list(Member.objects.filter(tenant=tenant).values_list("role", flat=True)),
        "plans": list(Subscription.objects.filter(tenant=tenant).values_list("plan", flat=True)),
        "grants": sorted(
            Grant.objects.filter(tenant_id=tenant.pk).values_list("source", flat=True)
        ),
        "seats": ledger.remaining(tenant_id=tenant.pk, meter=Meter.SEATS, now=now),
    }
    with tenant_context(tenant):
        found["writes"] = factories.ContactFactory(email="first@drill.test").email
    return found


def _domains(tenant: Tenant) -> list[str]:
    return list(Domain.objects.filter(tenant=tenant).values_list("domain", flat=True))


def _differing(found: dict[str, Any], expected: dict[str, Any]) -> str:
    return "; ".join(
        f"{name} is {str(found.get(name))[:200]}, not {str(expected.get(name))[:200]}"
        for name in expected
        if found.get(name) != expected[name]
    )


def _nothing_left_over(outcome: Outcome) -> None:
    """Every schema is a tenant's or ready, and every tenant and ready one has its schema."""
    with owner_connection() as owner:
        rows = owner.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%'"
        ).fetchall()
    schemas = {name for (name,) in rows}
    known = {tenant.schema_name for tenant in Tenant.objects.all()}
    known |= {ready.schema_name for ready in ReadySchema.objects.all()}
    for name in schemas - known:
        outcome.double(f"the schema {name} is nobody's")
    for name in known - schemas:
        outcome.lose(f"{name} has no schema")
    twice = Tenant.objects.count() - len(set(Tenant.objects.values_list("schema_name", flat=True)))
    if twice:
        outcome.double(f"{twice} tenants share a schema")


def _add_roles_to_drop(ground: Ground) -> None:
    """What was made here belongs to the drill, ready schemas too."""
    known = {tenant.pk for tenant in ground.tenants}
    ground.made_since.extend(Tenant.objects.exclude(pk__in=known))
    ground.made_since.extend(
        Tenant(id=ready.id, schema_name=ready.schema_name)
        for ready in ReadySchema.objects.exclude(id__in=Tenant.objects.values("id"))
    )
