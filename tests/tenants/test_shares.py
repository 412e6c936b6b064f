"""A tenant's shares: its plan's, or those that an operator set by hand; and the workers' slots."""

import io
import json
from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from billing import catalogue
from billing.models import Scaling
from billing.services.grants import entitle, regrant
from billing.tasks import tenant_scaled
from config.context import Shares, require_tenant
from config.errors import NotFound, ValidationFailed
from config.ids import new_id
from config.models import OutboxMessage
from tenants import shares
from tenants.isolation import tenant_context
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
GROWTH = catalogue.plan("growth").shares


def shares_of(tenant) -> Shares:
    found = Tenant.objects.get(pk=tenant.pk).ref.shares
    assert found is not None
    return found


def test_a_tenant_has_its_plan_s_shares_from_the_start_and_after_each_change(acme, globex, now):
    assert shares_of(acme) == GROWTH
    assert shares_of(globex) == catalogue.plan("starter").shares
    entitle(tenant_id=acme.id, plan="enterprise", now=now)

    assert shares_of(acme) == Shares(
        statement_timeout_ms=60_000,
        connection_share=32,
        worker_slots=16,
        storage_limit_bytes=None,
    )


def test_the_tenant_in_force_knows_its_shares(acme):
    with tenant_context(Tenant.objects.get(pk=acme.pk)):
        assert require_tenant().shares == GROWTH


def test_scaling_holds_at_once_stamps_the_moment_and_tells_billing(acme, now):
    scaled = shares.scale(
        tenant_id=acme.id, by_hand={"worker_slots": 9, "connection_share": 20}, now=now
    )
    wanted = {**asdict(GROWTH), "worker_slots": 9, "connection_share": 20}

    assert asdict(shares_of(acme)) == wanted
    assert scaled.last_scaled_at == now
    promised = OutboxMessage.objects.get(task="billing.tenant_scaled")
    for _twice in range(2):
        tenant_scaled(**promised.arguments)
    kept = Scaling.objects.get()
    assert (kept.tenant_id, kept.scaled_at, kept.shares) == (acme.id, now, wanted)


def test_scaling_to_what_is_so_already_is_no_scaling(acme, now):
    for later in (0, 60):
        shares.scale(
            tenant_id=acme.id, by_hand={"worker_slots": 9}, now=now + timedelta(seconds=later)
        )

    assert Tenant.objects.get(pk=acme.pk).last_scaled_at == now
    assert OutboxMessage.objects.filter(task="billing.tenant_scaled").count() == 1


def test_what_was_set_by_hand_outlives_plans_and_a_reset_ends_it(acme, now):
    shares.scale(tenant_id=acme.id, by_hand={"worker_slots": 9}, now=now)
    entitle(tenant_id=acme.id, plan="scale", now=now)
    assert shares_of(acme).worker_slots == 9
    assert shares_of(acme).connection_share == catalogue.plan("scale").shares.connection_share
    assert regrant(now=now) == 1  # the subscription says growth
    assert asdict(shares_of(acme)) == {**asdict(GROWTH), "worker_slots": 9}
    assert regrant(now=now) == 0

    after = now + timedelta(hours=1)
    shares.reset(tenant_id=acme.id, granted=GROWTH, now=after)
    assert shares_of(acme) == GROWTH
    assert Tenant.objects.get(pk=acme.pk).last_scaled_at == after


def test_a_changed_catalogue_reaches_tenants_that_have_the_plan(acme, now):
    Tenant.objects.filter(pk=acme.pk).update(statement_timeout_ms=1)

    assert regrant(now=now) == 1
    assert shares_of(acme) == GROWTH


@pytest.mark.parametrize(
    "wish",
    [
        {"worker_slots": 0},
        {"connection_share": -1},
        {"statement_timeout_ms": 99},
        {"statement_timeout_ms": 10**9},
        {"storage_limit_bytes": 2**60},
        {"slug": 1},
    ],
)
def test_shares_out_of_bounds_are_refused_by_name(acme, now, wish):
    with pytest.raises(ValidationFailed) as refused:
        shares.scale(tenant_id=acme.id, by_hand={"worker_slots": 2} | wish, now=now)

    assert list(refused.value.facts["errors"]) == list(wish)
    assert shares_of(acme) == GROWTH


def test_a_tenant_that_there_is_not_is_not_scaled(db, now):
    with pytest.raises(NotFound):
        shares.scale(tenant_id=new_id(), by_hand={"worker_slots": 2}, now=now)


def told(*arguments: str) -> dict:
    out = io.StringIO()
    call_command("tenant", "scale", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["results"][0]


def test_the_command_scales_and_resets(acme):
    scaled = told("acme", "--worker-slots", "7", "--storage-bytes", "123", "--connections", "3")
    found = (scaled["worker_slots"], scaled["storage_limit_bytes"], scaled["connection_share"])
    assert found == (7, 123, 3)
    assert scaled["statement_timeout_ms"] == GROWTH.statement_timeout_ms
    assert scaled["last_scaled_at"]
    reset = told("acme", "--reset")
    assert {name: reset[name] for name in asdict(GROWTH)} == asdict(GROWTH)

    for wrong in ([], ["--reset", "--worker-slots", "1"]):
        with pytest.raises(CommandError, match="--reset"):
            told("acme", *wrong)
    with pytest.raises(CommandError, match="validation_failed"):
        told("acme", "--worker-slots", "0")
