"""Old months go, proved before and anchored; what is left is proved as before, and nothing else may go."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.catalogue.retention import audit_days
from billing.services import trails
from tenants.engine.owner import owner_connection
from tenants.models import TrailHead
from tenants.trail import pruning
from tenants.trail.proving import broken_rows, head_of
from tenants.trail.sealing import seal
from tests.tenants.trail.chains import as_owner, fault_of, names, numbers

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def sealed_at(tenant, *moments: str) -> None:
    """Acts that were recorded at these moments, sealed in this order; each is named by its moment."""
    for moment in moments:
        as_owner(
            "INSERT INTO public.tenants_trailpending (id, tenant_id, recorded_at, body)"
            f" VALUES (gen_random_uuid(), '{tenant.id}', '{moment}T10:00Z', jsonb_build_object("
            "'action', 'contact.deleted', 'actor_kind', 'system', 'object_kind', 'contact',"
            f" 'object_id', '{moment}', 'object_label', '', 'address', '', 'user_agent', '',"
            " 'request_id', '', 'before', '{}'::jsonb, 'after', '{}'::jsonb))"
        )
        seal(tenant.id)


def prune(tenant, before: datetime) -> int:
    with owner_connection() as owner:
        return pruning.prune(owner, tenant.id, before=before)


def test_whole_months_go_and_the_rest_is_proved_by_the_anchor(acme):
    sealed_at(acme, "2026-03-01", "2026-03-31", "2026-04-01", "2026-05-02")

    assert prune(acme, pruning.month_of(datetime(2026, 4, 20, tzinfo=UTC))) == 2
    assert prune(acme, pruning.month_of(datetime(2026, 4, 20, tzinfo=UTC))) == 0

    assert names(acme) == ["2026-04-01", "2026-05-02"]
    head = TrailHead.objects.get(pk=acme.id)
    assert (head.number, head.pruned_number) == (4, 2)
    assert head.pruned_before == datetime(2026, 4, 1, tzinfo=UTC)
    assert fault_of(acme.id) == ""
    seal(acme.id)  # the trail tells itself that it was pruned
    assert numbers(acme) == [3, 4, 5]
    for statement in (
        "DELETE FROM {trail} WHERE number = 3",
        "UPDATE {trail} SET number = 2 WHERE number = 3",
        "UPDATE public.tenants_trailhead SET pruned_number = 3 WHERE tenant_id = '{tenant}'",
    ):
        with owner_connection() as owner, owner.transaction(force_rollback=True):
            trail = f"{acme.schema_name}.trail_event"
            owner.execute(statement.format(trail=trail, tenant=acme.id).encode())
            anchor = head_of(owner, acme.id)
            assert anchor is not None
            assert broken_rows(owner, acme.id, anchor, upto=5) != []


def test_a_row_of_a_clock_that_went_back_holds_up_no_younger_row_and_takes_none_along(acme):
    sealed_at(acme, "2026-03-01", "2026-05-02", "2026-03-02", "2026-06-01")

    assert prune(acme, datetime(2026, 4, 1, tzinfo=UTC)) == 1

    assert names(acme) == ["2026-05-02", "2026-03-02", "2026-06-01"]
    assert fault_of(acme.id) == ""


def test_all_may_go_and_the_chain_goes_on_where_it_was(acme):
    sealed_at(acme, "2026-03-01", "2026-03-02")
    assert prune(acme, datetime(2026, 4, 1, tzinfo=UTC)) == 2
    assert (numbers(acme), fault_of(acme.id)) == ([], "")

    sealed_at(acme, "2026-05-01")

    assert numbers(acme) == [3, 4]
    assert fault_of(acme.id) == ""


def test_what_is_broken_is_not_pruned_for_it_is_evidence(acme, globex):
    for tenant in (acme, globex):
        sealed_at(tenant, "2026-03-01", "2026-03-02", "2026-03-03")
    as_owner(f"DELETE FROM {acme.schema_name}.trail_event WHERE number = 2")

    gone = pruning.prune_all([(acme.id, 30), (globex.id, 30)], now=NOW)

    assert (gone, numbers(acme), numbers(globex)) == (3, [1, 3], [])
    assert fault_of(acme.id) != ""


def test_each_plan_keeps_its_own_time(acme, globex):
    assert audit_days() == {
        "free": 30, "starter": 90, "growth": 365, "scale": 730, "enterprise": 2_555,
    }  # fmt: skip
    long_ago = [(NOW - timedelta(days=days)).date().isoformat() for days in (800, 200, 20)]
    for tenant in (acme, globex):  # growth and starter
        sealed_at(tenant, *long_ago)

    trails.prune_trails(now=NOW)

    assert names(acme) == long_ago[1:]
    assert names(globex) == long_ago[2:]
