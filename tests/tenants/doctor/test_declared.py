"""Walls against what the packages declare: each is broken for real, told by code and object, mended, and gone."""

from contextlib import ExitStack

import pytest

from tenants.doctor.examination import examine
from tests.tenants.doctor.breaks_of_grants import GRANTS
from tests.tenants.doctor.breaks_of_walls import WALLS

pytestmark = pytest.mark.django_db
MENDED = GRANTS | WALLS


def test_each_break_of_what_is_declared_is_told_once_mended_and_gone(ward):
    expected = sorted((code, ward.filled(said)) for code, _, said in MENDED.values())
    with ExitStack() as otherwise:
        otherwise.callback(ward.run, "DROP SCHEMA IF EXISTS odd CASCADE")
        otherwise.callback(ward.mend)
        for _, plant, _ in MENDED.values():
            ward.run(plant)
        found = sorted((one.code, one.fault.what) for one in ward.found())
        shown = [
            (code, next((said for _, said in expected if what.startswith(said)), what))
            for code, what in found
        ]
        assert sorted(shown) == expected
        outcome = ward.mend()
        assert (outcome.refused, len(outcome.mended)) == ([], len(expected))
        assert ward.told() == []


BY_HAND = {
    "a stranger's right": (
        "grant_undeclared",
        "CREATE ROLE plaza_doctors_test; GRANT SELECT ON public.tenants_person TO plaza_doctors_test",
        "REVOKE ALL ON public.tenants_person FROM plaza_doctors_test; DROP ROLE plaza_doctors_test",
        "plaza_doctors_test has SELECT on TABLE public.tenants_person,",
    ),
    "a function beside the sealed ones": (
        "function_undeclared",
        "CREATE FUNCTION plaza.consume(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION plaza.consume(text)",
        "Nobody declares the function plaza.consume(pg_catalog.text).",
    ),
    "a function on everybody's path": (
        "function_undeclared",
        "CREATE FUNCTION public.lower(uuid) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION public.lower(uuid)",
        "Nobody declares the function public.lower(pg_catalog.uuid).",
    ),
    "a view past row security": (
        "view_undeclared",
        "CREATE VIEW public.everybody AS SELECT * FROM public.tenants_member;"
        " GRANT SELECT ON public.everybody TO plaza_tenants",
        "DROP VIEW public.everybody",
        "Nobody declares the view public.everybody: it reads as plaza_owner, for plaza_tenants.",
    ),
    "a copy of rows": (
        "view_undeclared",
        "CREATE MATERIALIZED VIEW public.copied AS SELECT * FROM public.tenants_member",
        "DROP MATERIALIZED VIEW public.copied",
        "Nobody declares the materialized view public.copied: it reads as plaza_owner, for nobody else.",
    ),
    "a trigger": (
        "trigger_undeclared",
        "CREATE TRIGGER spy BEFORE UPDATE ON public.quotas_grant FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "DROP TRIGGER spy ON public.quotas_grant",
        "Nobody declares the trigger spy on public.quotas_grant:",
    ),
    "a rule": (
        "rule_undeclared",
        "CREATE RULE spy AS ON DELETE TO public.quotas_grant DO INSTEAD NOTHING",
        "DROP RULE spy ON public.quotas_grant",
        "Nobody declares the rule spy on quotas_grant:",
    ),
}


def test_what_somebody_may_mean_is_told_left_to_a_person_and_mended_by_the_sql_that_is_told(ward):
    expected = sorted((code, said) for code, _, _, said in BY_HAND.values())
    with ExitStack() as undone:
        for _, plant, undo, _ in BY_HAND.values():
            ward.run(plant)
            undone.callback(ward.run, undo)
        found = ward.found()
        shown = [
            (
                one.code,
                next(
                    (said for _, said in expected if one.fault.what.startswith(said)),
                    one.fault.what,
                ),
            )
            for one in found
        ]
        assert sorted(shown) == expected
        assert ward.mend().mended == []
        for one in found:
            ward.run(one.fault.cure.removeprefix("Look into it, then: "))
        undone.pop_all()
        ward.run("DROP ROLE plaza_doctors_test")
        assert ward.told() == []


MIGHTY = {
    "a file reader for the tenants": (
        "grant_undeclared",
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO plaza_tenants",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM plaza_tenants",
    ),
    "a file reader for everybody": (
        "grant_undeclared",
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM PUBLIC",
    ),
    "set_config for lookup": (
        "grant_undeclared",
        "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO plaza_lookup",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM plaza_lookup",
    ),
    "set_config for the square": (
        "grant_undeclared",
        "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO plaza_square",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM plaza_square",
    ),
    "plpgsql for the tenants": (
        "grant_undeclared",
        "GRANT USAGE ON LANGUAGE plpgsql TO plaza_tenants",
        "REVOKE USAGE ON LANGUAGE plpgsql FROM plaza_tenants",
    ),
    "everybody's rows for the tenants": (
        "role_membership",
        "GRANT pg_read_all_data TO plaza_tenants",
        "REVOKE pg_read_all_data FROM plaza_tenants",
    ),
    "an event trigger": (
        "event_trigger_undeclared",
        "CREATE SCHEMA odd; CREATE FUNCTION odd.spy() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        " CREATE EVENT TRIGGER spy ON ddl_command_end EXECUTE FUNCTION odd.spy()",
        "DROP EVENT TRIGGER spy; DROP SCHEMA odd CASCADE",
    ),
}


def test_what_only_a_superuser_can_break_is_told(ward):
    with ExitStack() as undone:
        for _, plant, undo in MIGHTY.values():
            with ward.mighty():
                ward.run(plant)
            undone.callback(_mightily, ward, undo)
        found = ward.codes()
    assert (sorted(found), ward.told()) == (sorted(code for code, *_ in MIGHTY.values()), [])


def _mightily(ward, sql):
    with ward.mighty():
        ward.run(sql)


def test_what_cannot_be_rendered_is_told_instead_of_being_passed_over(ward, now):
    with ward.mighty():
        ward.run(
            "CREATE SCHEMA odd; CREATE FUNCTION odd.no() RETURNS event_trigger LANGUAGE plpgsql"
            " AS $$BEGIN RAISE 'not today'; END$$;"
            " CREATE EVENT TRIGGER no ON ddl_command_start EXECUTE FUNCTION odd.no()"
        )
    try:
        found = [one.code for one in ward.found()]
    finally:
        with ward.mighty():
            ward.run("DROP EVENT TRIGGER no; DROP SCHEMA odd CASCADE")
    assert found == ["declared_unreadable", "event_trigger_undeclared"]
    assert examine(now=now, codes=frozenset({"declared_unreadable"})) == []


def test_looking_changes_nothing(ward):
    asked = (
        "SELECT (SELECT array_agg(pg_namespace::text ORDER BY oid) FROM pg_namespace),"
        " (SELECT array_agg(r::text ORDER BY oid) FROM pg_roles AS r),"
        " (SELECT array_agg(c.oid || coalesce(c.relacl::text, '') ORDER BY oid) FROM pg_class AS c)"
    )
    before = ward.owner.execute(asked.encode()).fetchone()
    ward.found()
    assert ward.owner.execute(asked.encode()).fetchone() == before
