"""A trail grows by its two functions alone, in order, and whoever rewrites it is found."""

import hashlib
import json
from datetime import UTC

import pytest
from django.db import transaction

from tenants.doctor.examination import examine
from tenants.engine.owner import owner_connection
from tenants.isolation import tenant_context
from tenants.models import OperatorEvent, TrailHead, TrailPending
from tenants.trail.chain import COLUMNS
from tenants.trail.models import TrailEvent
from tenants.trail.proving import broken
from tenants.trail.sealing import seal, seal_all, waiting
from tests.tenants.trail.chains import act, as_owner, fault_of, names, numbers, sealed

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_recorded_waits_in_public_and_is_sealed_into_the_tenants_schema_in_order(acme):
    act(acme, "a", "b", "c")
    assert (numbers(acme), TrailPending.objects.filter(tenant_id=acme.id).count()) == ([], 3)

    assert (seal_all(), seal_all()) == (3, 0)

    assert numbers(acme) == [1, 2, 3]
    assert names(acme) == ["a", "b", "c"]
    assert waiting() == []
    assert fault_of(acme.id) == ""


def test_an_act_that_is_rolled_back_was_never_recorded(acme):
    with tenant_context(acme), transaction.atomic():
        act(acme, "undone")
        transaction.set_rollback(True)

    assert seal_all() == 0


def test_the_digest_can_be_made_again_by_anybody_from_the_documented_text(acme):
    sealed(acme, "größe", "b")
    with tenant_context(acme):
        rows = list(TrailEvent.objects.order_by("number"))
    previous = hashlib.sha256(f"plaza.trail:{acme.id}".encode()).hexdigest()
    for row in rows:
        values = [getattr(row, name) for name in COLUMNS]
        values[2] = row.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        told = json.dumps([previous, *values], default=str, ensure_ascii=False)
        previous = hashlib.sha256(told.encode()).hexdigest()
        assert row.digest == previous
    assert TrailHead.objects.get(pk=acme.id).digest == previous


BREAKS = {
    "changed": ("UPDATE {trail} SET object_label = 'x' WHERE number = 3", "breaks at number 3"),
    "changed in time": (
        "UPDATE {trail} SET recorded_at = recorded_at + interval '1 us' WHERE number = 2",
        "breaks at number 2",
    ),
    "changed with its digest": (
        "UPDATE {trail} SET before = '{{}}', digest = repeat('a', 64) WHERE number = 3",
        "breaks at number 3, 4",
    ),
    "missing": ("DELETE FROM {trail} WHERE number = 3", "breaks at number 4"),
    "missing at the beginning": ("DELETE FROM {trail} WHERE number = 1", "breaks at number 2"),
    "missing at the end": ("DELETE FROM {trail} WHERE number = 5", "should end at 5"),
    "all missing": ("DELETE FROM {trail}", "should end at 5"),
    "moved up": (
        "UPDATE {trail} SET number = -number; UPDATE {trail} SET number = CASE number"
        " WHEN -2 THEN 3 WHEN -3 THEN 2 ELSE -number END",
        "breaks at number 2, 3, 4",
    ),
    "closed over a gap": (
        "DELETE FROM {trail} WHERE number = 4; UPDATE {trail} SET number = 4 WHERE number = 5",
        "breaks at number 4",
    ),
    "put in behind": (
        "INSERT INTO {trail} SELECT 6, id, recorded_at, action, actor_kind, actor_id, person_id,"
        " operator_id, about_tenant_id, object_kind, object_id, object_label, address, user_agent,"
        " request_id, before, after, digest FROM {trail} WHERE number = 5",
        "rows up to 6, and ends at 5",
    ),
    "cut off, with its head": (
        "DELETE FROM {trail} WHERE number > 3;"
        " UPDATE public.tenants_trailhead SET number = 3 WHERE tenant_id = '{tenant}'",
        "is not that of its head",
    ),
    "without a head": (
        "DELETE FROM public.tenants_trailhead WHERE tenant_id = '{tenant}'",
        "rows up to 5 and no head",
    ),
}


def test_whoever_rewrites_it_as_the_owner_is_found(acme):
    sealed(acme, "a", "b", "c", "d", "e")
    trail = f"{acme.schema_name}.trail_event"
    found = {}
    with owner_connection() as owner:
        for how, (statements, _told) in BREAKS.items():
            with owner.transaction(force_rollback=True):
                for statement in statements.format(trail=trail, tenant=acme.id).split("; "):
                    owner.execute(statement.encode())
                found[how] = broken(owner, acme.id)

    assert {how: told in found[how] for how, (_, told) in BREAKS.items()} == dict.fromkeys(
        BREAKS, True
    ), found
    assert fault_of(acme.id) == ""


def test_the_doctor_names_the_tenant_whose_trail_was_rewritten_and_no_other(acme, globex, now):
    sealed(acme, "a", "b")
    sealed(globex, "c")
    as_owner(f"UPDATE {acme.schema_name}.trail_event SET object_label = 'x' WHERE number = 2")

    found = examine(now=now, codes=frozenset({"trail_broken"}))

    assert [one.fault.tenant_id for one in found] == [acme.id]
    assert "of acme cannot be proved" in found[0].fault.what
    assert "breaks at number 2" in found[0].fault.what


def test_the_operators_trail_is_proved_too(acme, now):
    from tests.factories import OperatorEventFactory

    for _ in range(3):
        OperatorEventFactory(about_tenant_id=acme.id)
    assert examine(now=now, codes=frozenset({"trail_broken"})) == []

    as_owner("UPDATE public.tenants_operatorevent SET about_tenant_id = NULL WHERE number = 2")

    [found] = examine(now=now, codes=frozenset({"trail_broken"}))
    assert "of the operators cannot be proved" in found.fault.what
    assert OperatorEvent.objects.count() == 3


def test_what_waits_for_too_long_is_told(acme, now):
    from datetime import timedelta

    act(acme, "a")
    codes = frozenset({"trail_unsealed"})
    assert examine(now=now, codes=codes) == []

    [found] = examine(now=now + timedelta(minutes=2), codes=codes)

    assert found.fault.tenant_id == acme.id


def test_a_clock_that_goes_backwards_moves_no_number(acme):
    sealed(acme, "a")
    as_owner(
        "INSERT INTO public.tenants_trailpending (id, tenant_id, recorded_at, body)"
        f" SELECT gen_random_uuid(), '{acme.id}', '2020-01-01', to_jsonb(e) || '{{\"object_id\": \"old\"}}'"
        f" FROM {acme.schema_name}.trail_event AS e WHERE number = 1"
    )

    seal(acme.id)

    assert names(acme) == ["a", "old"]
    assert fault_of(acme.id) == ""
