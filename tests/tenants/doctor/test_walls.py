"""Walls, keys, versions and the life of a tenant: each fault is planted, found, and mended where claimed."""

from datetime import UTC, datetime

import pytest

pytestmark = pytest.mark.django_db
S = '"{stall}"'
BY_HAND = {
    "schema_drifted": (
        f"ALTER TABLE {S}.crm_contact ADD COLUMN shoe_size int",
        f"ALTER TABLE {S}.crm_contact DROP COLUMN shoe_size",
        "has column crm_contact.shoe_size integer",
    ),
    "table_in_both": (
        "CREATE TABLE public.crm_contact (id int)",
        "DROP TABLE public.crm_contact",
        "public.crm_contact",
    ),
    "set_aside": (
        "UPDATE public.tenants_tenant SET migration_state = 'set_aside', migration_error = 'lock timeout'"
        " WHERE id = '{id}'",
        "UPDATE public.tenants_tenant SET migration_state = 'steady' WHERE id = '{id}'",
        "lock timeout",
    ),
    "rule_undeclared": (
        f"CREATE RULE spy AS ON DELETE TO {S}.crm_contact DO INSTEAD NOTHING",
        f"DROP RULE spy ON {S}.crm_contact",
        "Nobody declares the rule spy on",
    ),
    "erasure_overdue": (
        "UPDATE public.tenants_tenant SET status = 'closing', erase_after = now() - interval '2 h'"
        " WHERE id = '{id}'",
        "UPDATE public.tenants_tenant SET status = 'active', erase_after = NULL WHERE id = '{id}'",
        "was to be erased",
    ),
    "version_behind": (
        "INSERT INTO public.tenants_template SELECT (jsonb_populate_record(NULL::public.tenants_template,"
        ' \'{"version": "newer", "sql": "", "tables": [], "shape": {}, "made_at": "2999-01-01"}\')).*;'
        " UPDATE public.tenants_tenant SET schema_version = 'newer' WHERE id <> '{id}'",
        "UPDATE public.tenants_tenant AS t SET schema_version = one.schema_version"
        " FROM public.tenants_tenant AS one WHERE one.id = '{id}';"
        " DELETE FROM public.tenants_template WHERE version = 'newer'",
        "not on the template's",
    ),
    "definer_loose": (
        "CREATE FUNCTION public.loose() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
        " GRANT plaza_keeper TO CURRENT_USER; GRANT CREATE ON SCHEMA public TO plaza_keeper;"
        " ALTER FUNCTION public.loose() OWNER TO plaza_keeper;"
        " REVOKE CREATE ON SCHEMA public FROM plaza_keeper",
        "DROP FUNCTION public.loose()",
        "no search path of its own",
    ),
    "row_security_off": (
        "CREATE TABLE public.naked (tenant_id uuid)",
        "DROP TABLE public.naked",
        "public.naked has no policy",
    ),
}


@pytest.mark.parametrize("code", BY_HAND)
def test_a_fault_that_only_a_person_may_mend_is_found_and_left_alone(ward, code):
    plant, undo, said = BY_HAND[code]
    with ward.planted(plant, undo):
        found = [one for one in ward.found() if one.code != "table_in_both" or code == one.code]
        assert [one.code for one in found] == [code]
        assert said in found[0].fault.what
        assert ward.mend().mended == []
    assert ward.codes() == []


def test_a_missing_index_a_changed_default_and_a_dropped_constraint_are_drift(ward):
    [index] = ward.owner.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisprimary"
        " AND indrelid = format('%%I.crm_contact', %s::text)::regclass"
        " AND indexrelid NOT IN (SELECT conindid FROM pg_constraint) LIMIT 1",
        [ward.stall],
    ).fetchone()
    [definition] = ward.owner.execute("SELECT pg_get_indexdef(%s::regclass)", [index]).fetchone()
    with ward.planted(f"DROP INDEX {index}", definition):
        [finding] = ward.found()
    assert finding.code == "schema_drifted"
    assert "lacks index CREATE" in finding.fault.what
    assert ward.codes() == []


def test_a_foreign_key_out_of_the_schema_is_found(ward):
    plant = (
        f"CREATE TABLE {S}.key_out (tenant_id uuid CONSTRAINT leaves REFERENCES public.tenants_tenant);"
        f" GRANT SELECT ON {S}.key_out TO {S}"
    )
    with ward.planted(plant, f"DROP TABLE {S}.key_out"):
        found = {one.code: one.fault for one in ward.found()}
    assert set(found) == {"schema_drifted", "key_leaves_schema"}
    assert "leaves" in found["key_leaves_schema"].what


def test_row_security_that_is_not_forced_is_found_and_mended(ward):
    [table] = ward.owner.execute(
        "SELECT relname FROM pg_class WHERE relforcerowsecurity"
        " AND relnamespace = 'public'::regnamespace ORDER BY 1 LIMIT 1"
    ).fetchone()
    force = f"ALTER TABLE public.{table} FORCE ROW LEVEL SECURITY"
    with ward.planted(f"ALTER TABLE public.{table} NO FORCE ROW LEVEL SECURITY", force):
        [finding] = ward.found()
        assert (finding.code, finding.fault.what) == (
            "row_security_off",
            f"Row security of public.{table} is not forced.",
        )
        assert len(ward.mend().mended) == 1
        assert ward.codes() == []


def test_on_citus_a_schema_that_stayed_on_the_coordinator_is_found(ward, settings):
    from tenants.doctor.examination import examine

    settings.PLAZA_CITUS = True
    # Citus's own catalog, as far as the question reads it.
    catalog = (
        "CREATE TABLE public.pg_dist_schema AS SELECT oid AS schemaid FROM pg_namespace"
        " WHERE nspname <> '{stall}'"
    )
    with ward.planted(catalog, "DROP TABLE public.pg_dist_schema"):
        found = examine(now=datetime.now(UTC), codes=frozenset({"schema_not_distributed"}))

    assert [one.fault.tenant_id for one in found] == [ward.sick.id]
    assert found[0].fault.cure == f"SELECT citus_schema_distribute('{ward.stall}'::regnamespace);"


def test_without_a_template_a_schema_is_compared_with_what_most_have(ward):
    plant = f"ALTER SCHEMA template RENAME TO elsewhere; ALTER TABLE {S}.crm_tag ADD COLUMN odd int"
    undo = f"ALTER SCHEMA elsewhere RENAME TO template; ALTER TABLE {S}.crm_tag DROP COLUMN odd"
    with ward.planted(plant, undo):
        [finding] = ward.found()
    assert (finding.code, finding.fault.tenant_id) == ("schema_drifted", ward.sick.id)
    assert "has column crm_tag.odd integer" in finding.fault.what
