"""The fleet: every schema is brought along once, in waves behind a canary, and one that fails stops nobody."""

import pytest
from django.db import ProgrammingError, connection

from tenants import fleet
from tenants.fleet import FleetOrders, NoSuchTenant
from tenants.isolation import tenant_context
from tenants.models import ReadySchema, Tenant
from tenants.pool import fill_pool
from tenants.roles import drop_role_sql
from tenants.template import code_version, same_as_template
from tests.tenants.releases import (
    ADD_MOOD,
    WORDS,
    Releases,
    ask,
    columns,
    migrate,
    noted,
    release_of_today,
    releases,
    tenants,
)
from tests.tenants.schemas import schemas, tenant_row

__all__ = ["releases"]
pytestmark = pytest.mark.django_db(transaction=True)
NO_LONG_WORDS = (
    "migrations.AddConstraint('word', models.CheckConstraint("
    "condition=models.Q(word__regex='^.{0,4}$'), name='word_is_short'))"
)


def test_the_template_then_every_tenant_and_ready_schema_gets_what_the_release_adds(
    releases: Releases,
):
    made = tenants(5)
    fill_pool(wanted=2)
    Tenant.objects.filter(pk=made[1].pk).update(status="suspended", suspended_reason="Unpaid.")
    before = code_version()
    releases.ship("0901_mood", ADD_MOOD)
    releases.ship("0902_tone", ADD_MOOD.replace("mood", "tone"))
    told: list[str] = []

    outcome = fleet.migrate(tell=told.append, orders=FleetOrders(schemas_per_commit=2, waves=(3,)))

    assert code_version() != before
    assert (outcome.migrated, outcome.ready_schemas, outcome.set_aside) == (5, 2, {})
    assert (outcome.drifted, outcome.stopped, outcome.interrupted) == ([], "", False)
    assert told[1:] == [
        f"The template is at version {code_version()}.",
        f"The canary is {made[0].slug}.",
        "Wave 1: 3 schemas.",
        "Wave 2: 3 schemas.",
    ]
    assert [same_as_template(schema) for schema in sorted(schemas())] == [[]] * 7
    assert [noted(tenant) for tenant in made] == [["0901_mood", "0902_tone"]] * 5
    assert set(Tenant.objects.values_list("schema_version", "migration_state", "half_way")) == {
        (code_version(), "steady", "")
    }
    assert set(ReadySchema.objects.values_list("version", flat=True)) == {code_version()}


def test_a_new_table_is_the_tenant_s_own_to_use_and_no_neighbour_s(releases: Releases):
    first, second, third = tenants(3)
    releases.ship("0900_word", WORDS)
    migrate()

    for tenant in (first, second, third):
        with tenant_context(tenant), connection.cursor() as cursor:
            cursor.execute("INSERT INTO content_word (word) VALUES ('own')")
    with tenant_context(second), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM content_word")
        assert cursor.fetchone() == (1,)
        with pytest.raises(ProgrammingError, match="permission denied"):
            cursor.execute(f"SELECT count(*) FROM {third.schema_name}.content_word")


def test_nothing_to_do_is_told_and_touches_nobody(releases: Releases):
    tenants(1)
    releases.ship("0901_mood", ADD_MOOD)
    migrate()
    told: list[str] = []

    outcome = fleet.migrate(tell=told.append)

    assert (outcome.migrated, told) == (
        0,
        ["The square is up to date.", "Every tenant is up to date."],
    )


def test_closed_tenants_and_those_without_a_schema_are_left_alone(releases: Releases):
    closed, closing = tenants(2)
    Tenant.objects.filter(pk=closed.pk).update(status="closed")
    Tenant.objects.filter(pk=closing.pk).update(status="closing", erase_after="2099-01-01T00:00Z")
    tenant_row()
    releases.ship("0901_mood", ADD_MOOD)

    assert migrate().migrated == 1
    assert "mood" not in columns(closed, "content_piece")
    assert "mood" in columns(closing, "content_piece")


def test_who_fails_is_set_aside_with_the_reason_and_the_next_run_tries_again(releases: Releases):
    made = release_of_today(releases, 6)
    ask(made[3], "INSERT INTO content_word (word) VALUES ('abandonment')")
    old = code_version()
    releases.ship("0901_short", NO_LONG_WORDS, ADD_MOOD)

    outcome = migrate(schemas_per_commit=5)

    failed = Tenant.objects.get(pk=made[3].pk)
    assert list(outcome.set_aside) == [failed.slug]
    assert (outcome.migrated, outcome.stopped) == (5, "")
    assert (failed.schema_version, failed.migration_state) == (old, "set_aside")
    assert "word_is_short" in failed.migration_error
    assert ("mood" in columns(failed, "content_piece"), noted(failed)) == (False, ["0900_word"])
    assert [noted(tenant)[-1] for tenant in made if tenant.pk != failed.pk] == ["0901_short"] * 5

    assert migrate().set_aside.keys() == {failed.slug}
    ask(failed, "DELETE FROM content_word")
    assert (migrate().migrated, same_as_template(failed.schema_name)) == (1, [])
    failed.refresh_from_db()
    assert (failed.schema_version, failed.migration_state, failed.migration_error) == (
        code_version(),
        "steady",
        "",
    )


def test_a_canary_that_fails_stops_all_and_another_goes_first_the_next_time(releases: Releases):
    made = release_of_today(releases, 3)
    Tenant.objects.filter(pk=made[1].pk).update(is_demo=True)
    ask(made[1], "INSERT INTO content_word (word) VALUES ('abandonment')")
    releases.ship("0901_short", NO_LONG_WORDS)

    outcome = migrate()

    assert (list(outcome.set_aside), outcome.migrated) == ([made[1].slug], 0)
    assert outcome.stopped == "The canary failed: no other tenant was begun."
    assert [noted(tenant)[-1] for tenant in made] == ["0900_word"] * 3
    outcome = migrate()
    assert (outcome.migrated, list(outcome.set_aside), outcome.stopped) == (2, [made[1].slug], "")


def test_the_canary_may_be_named_and_an_unknown_one_is_refused(releases: Releases):
    made = tenants(2)
    releases.ship("0901_mood", ADD_MOOD)
    told: list[str] = []

    with pytest.raises(NoSuchTenant, match="nobody"):
        fleet.migrate(tell=told.append, orders=FleetOrders(canary="nobody"))
    fleet.migrate(tell=told.append, orders=FleetOrders(canary=made[1].slug))

    assert f"The canary is {made[1].slug}." in told


def test_no_further_wave_begins_when_too_many_of_one_fail(releases: Releases):
    made = release_of_today(releases, 8)
    for tenant in made[1:4]:
        ask(tenant, "INSERT INTO content_word (word) VALUES ('abandonment')")
    releases.ship("0901_short", NO_LONG_WORDS)

    outcome = migrate(waves=(4,), stop_at=0.5)

    assert outcome.stopped == "3 of 4 schemas of this wave failed: no further wave."
    assert (outcome.migrated, len(outcome.set_aside)) == (2, 3)
    assert [noted(tenant)[-1] for tenant in made[5:]] == ["0900_word"] * 3
    # Those are known to fail now: they are tried last, and do not stop the others again.
    outcome = migrate(waves=(4,), stop_at=0.5)
    assert (outcome.migrated, len(outcome.set_aside), outcome.stopped) == (3, 3, "")


def test_only_the_named_tenant_is_migrated(releases: Releases):
    made = tenants(3)
    releases.ship("0901_mood", ADD_MOOD)

    assert migrate(only=(made[2].slug,)).migrated == 1
    assert ["mood" in columns(tenant, "content_piece") for tenant in made] == [False, False, True]


def test_a_tenant_whose_schema_is_gone_is_set_aside(releases: Releases):
    made = tenants(3)
    ask(made[2], f"DROP SCHEMA {made[2].schema_name} CASCADE")
    ask(made[2], drop_role_sql(made[2].schema_name))
    releases.ship("0901_mood", ADD_MOOD)

    outcome = migrate()

    assert outcome.migrated == 2
    assert outcome.set_aside == {
        made[2].slug: f"NoSchema: {made[2].schema_name} has no list of migrations."
    }


def test_a_ready_schema_that_fails_is_discarded_with_its_role(releases: Releases):
    release_of_today(releases, 1)
    fill_pool(wanted=2)
    bad, good = ReadySchema.objects.order_by("made_at")
    ask(bad, "INSERT INTO content_word (word) VALUES ('abandonment')")  # type: ignore[arg-type]
    releases.ship("0901_short", NO_LONG_WORDS)

    outcome = migrate(stop_at=1)

    assert (list(outcome.discarded), outcome.ready_schemas) == ([bad.schema_name], 1)
    assert bad.schema_name not in schemas()
    assert list(ReadySchema.objects.values_list("id", "version")) == [(good.id, code_version())]
    gone = f"SELECT count(*) FROM pg_roles WHERE rolname = '{bad.schema_name}'"
    assert ask(good, gone) == [(0,)]  # type: ignore[arg-type]
