"""Walls against what the packages declare: each is broken for real, told by code and object, mended, and gone."""

from contextlib import ExitStack

import pytest

from tenants.doctor.examination import examine

pytestmark = pytest.mark.django_db
CONSUME = "plaza.consume(text, text, text, text, text, text, text, text)"
REFUND = "plaza.refund(text, text, text, text, text, text, text)"
ENQUEUE = "plaza.enqueue(text, text, text, text, text)"
# Each is its code, how it is planted, and what is said of it.
MENDED = {
    "a table for the tenants' group": (
        "grant_undeclared",
        "GRANT SELECT ON public.tenants_person TO plaza_tenants",
        "plaza_tenants has SELECT on TABLE public.tenants_person,",
    ),
    "a column for the tenants' group": (
        "grant_undeclared",
        "GRANT SELECT (password) ON public.tenants_person TO plaza_tenants",
        "plaza_tenants has SELECT on COLUMN public.tenants_person (password),",
    ),
    "rights that can be handed on": (
        "grant_undeclared",
        "GRANT SELECT ON public.quotas_hold TO plaza_tenants WITH GRANT OPTION",
        "plaza_tenants has GRANT OPTION FOR SELECT on TABLE public.quotas_hold,",
    ),
    "a table that lookup may write": (
        "grant_undeclared",
        "GRANT UPDATE ON public.tenants_tenant TO plaza_lookup",
        "plaza_lookup has UPDATE on TABLE public.tenants_tenant,",
    ),
    "a table that the keeper does not keep": (
        "grant_undeclared",
        "GRANT SELECT ON public.tenants_person TO plaza_keeper",
        "plaza_keeper has SELECT on TABLE public.tenants_person,",
    ),
    "SQL that the owner replays, for the square": (
        "grant_undeclared",
        "GRANT INSERT ON public.tenants_template TO plaza_square",
        "plaza_square has INSERT on TABLE public.tenants_template,",
    ),
    "a table for the web's sign-in": (
        "grant_undeclared",
        "GRANT SELECT ON public.tenants_tenant TO plaza_web",
        "plaza_web has SELECT on TABLE public.tenants_tenant,",
    ),
    "the key of the seals": (
        "grant_undeclared",
        "GRANT SELECT ON plaza.seal_key TO PUBLIC",
        "PUBLIC has SELECT on TABLE plaza.seal_key,",
    ),
    "a sequence": (
        "grant_undeclared",
        "GRANT UPDATE ON SEQUENCE public.django_migrations_id_seq TO plaza_square",
        "plaza_square has UPDATE on SEQUENCE public.django_migrations_id_seq,",
    ),
    "a sealed function for everybody": (
        "grant_undeclared",
        f"GRANT EXECUTE ON FUNCTION {CONSUME} TO PUBLIC",
        "PUBLIC has EXECUTE on ROUTINE plaza.consume(",
    ),
    "a schema to make functions in": (
        "grant_undeclared",
        "GRANT CREATE ON SCHEMA plaza TO plaza_tenants",
        "plaza_tenants has CREATE on SCHEMA plaza,",
    ),
    "the template": (
        "grant_undeclared",
        "GRANT USAGE ON SCHEMA template TO plaza_tenants",
        "plaza_tenants has USAGE on SCHEMA template,",
    ),
    "a type": (
        "grant_undeclared",
        "CREATE SCHEMA odd; CREATE TYPE odd.mood AS ENUM ('a'); GRANT USAGE ON TYPE odd.mood TO plaza_web",
        "plaza_web has USAGE on TYPE odd.mood,",
    ),
    "temporary tables for the group": (
        "grant_undeclared",
        "GRANT TEMPORARY ON DATABASE {database} TO plaza_tenants",
        "plaza_tenants has TEMPORARY on DATABASE {database},",
    ),
    "a table that the tenants need": (
        "grant_lacking",
        "REVOKE SELECT ON public.quotas_grant FROM plaza_tenants",
        "plaza_tenants lacks SELECT on TABLE public.quotas_grant.",
    ),
    "a sealed function that the tenants need": (
        "grant_lacking",
        f"REVOKE EXECUTE ON FUNCTION {CONSUME} FROM plaza_tenants",
        "plaza_tenants lacks EXECUTE on ROUTINE plaza.consume(",
    ),
    "a table of the square": (
        "grant_lacking",
        "REVOKE DELETE ON public.tenants_domain FROM plaza_square",
        "plaza_square lacks DELETE on TABLE public.tenants_domain.",
    ),
    "a sequence of the square": (
        "grant_lacking",
        "REVOKE USAGE ON SEQUENCE public.tenants_domain_id_seq FROM plaza_square",
        "plaza_square lacks USAGE on SEQUENCE public.tenants_domain_id_seq.",
    ),
    "a schema": (
        "grant_lacking",
        "REVOKE USAGE ON SCHEMA ext FROM plaza_lookup",
        "plaza_lookup lacks USAGE on SCHEMA ext.",
    ),
    "the database": (
        "grant_lacking",
        "REVOKE CONNECT ON DATABASE {database} FROM plaza_lookup",
        "plaza_lookup lacks CONNECT on DATABASE {database}.",
    ),
    "rows of all": (
        "policy_differs",
        "ALTER POLICY own ON public.quotas_grant USING (true)",
        "The policy public.quotas_grant.own is not as declared: all to plaza_tenants using true ",
    ),
    "rows that are written for another": (
        "policy_differs",
        "ALTER POLICY own ON public.quotas_hold WITH CHECK (true)",
        "The policy public.quotas_hold.own is not as declared:",
    ),
    "rows for everybody": (
        "policy_differs",
        "ALTER POLICY whole ON public.quotas_grant TO PUBLIC",
        "The policy public.quotas_grant.whole is not as declared: all to PUBLIC using true ",
    ),
    "one command instead of all": (
        "policy_differs",
        "DROP POLICY lookup ON public.quotas_grant;"
        " CREATE POLICY lookup ON public.quotas_grant TO plaza_lookup USING (true)",
        "The policy public.quotas_grant.lookup is not as declared: all to plaza_lookup ",
    ),
    "a restriction": (
        "policy_differs",
        "DROP POLICY own ON public.quotas_usagetotal; CREATE POLICY own ON public.quotas_usagetotal AS RESTRICTIVE"
        " TO plaza_tenants USING (tenant_id = substr(current_user::text, 3)::uuid)",
        "The policy public.quotas_usagetotal.own is not as declared: restrictive all ",
    ),
    "one policy too many": (
        "policy_undeclared",
        "CREATE POLICY wide ON public.quotas_grant FOR SELECT TO plaza_tenants USING (true)",
        "Nobody declares the policy public.quotas_grant.wide: select to plaza_tenants using true ",
    ),
    "one policy too few": (
        "policy_missing",
        "DROP POLICY own ON public.quotas_usageevent",
        "The policy public.quotas_usageevent.own is missing: all to plaza_tenants ",
    ),
    "a seal that is not looked at": (
        "function_differs",
        "CREATE OR REPLACE FUNCTION plaza.check_seal(seal text, VARIADIC parts text[]) RETURNS void"
        " LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS 'BEGIN END'",
        "The function plaza.check_seal(pg_catalog.text,pg_catalog.text[]) is not as declared:",
    ),
    "a function that is not the keeper's": (
        "function_differs",
        f"ALTER FUNCTION {REFUND} OWNER TO CURRENT_USER",
        "The function plaza.refund(",
    ),
    "a function that runs as its caller": (
        "function_differs",
        f"ALTER FUNCTION {ENQUEUE} SECURITY INVOKER",
        "The function plaza.enqueue(",
    ),
    "a function with its caller's path": (
        "function_differs",
        f"ALTER FUNCTION {CONSUME} RESET search_path",
        "The function plaza.consume(",
    ),
    "a function that is gone": (
        "function_missing",
        "DROP FUNCTION plaza.dequeue(text, text)",
        "The function plaza.dequeue(pg_catalog.text,pg_catalog.text) is missing.",
    ),
    "a setting of a sign-in, here": (
        "role_setting",
        "ALTER ROLE plaza_square IN DATABASE {database} SET search_path = odd, public",
        "The role plaza_square IN DATABASE {database} has a setting that nobody declares: search_path = odd, public.",
    ),
    "a setting of a role, everywhere": (
        "role_setting",
        "ALTER ROLE plaza_keeper SET row_security = off",
        "The role plaza_keeper has a setting that nobody declares: row_security = off.",
    ),
    "a declared setting that is gone": (
        "role_setting",
        "ALTER ROLE plaza_square RESET search_path",
        "search_path of the role plaza_square is not set, not public, ext.",
    ),
    "the keeper's rights for lookup": (
        "role_membership",
        "GRANT plaza_keeper TO plaza_lookup",
        "plaza_lookup is a member of plaza_keeper, which nothing declares.",
    ),
    "a sign-in that may let others in": (
        "role_membership",
        "GRANT plaza_lookup TO plaza_web WITH ADMIN OPTION",
        "plaza_web is a member of plaza_lookup with admin true",
    ),
    "a limit": (
        "role_limited",
        "ALTER ROLE plaza_lookup CONNECTION LIMIT 1000",
        "The role plaza_lookup has CONNECTION LIMIT 1000 VALID UNTIL 'infinity';",
    ),
    "what the next table gives": (
        "default_privileges",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO plaza_tenants",
        "plaza_tenants gets SELECT on all tables that plaza_owner makes in schema \"public\".",
    ),
    "a table of the square's own": (
        "owner_wrong",
        "GRANT CREATE ON SCHEMA public TO plaza_lookup; ALTER TABLE public.tenants_domainclaim OWNER TO plaza_lookup;"
        " REVOKE CREATE ON SCHEMA public FROM plaza_lookup",
        "The table public.tenants_domainclaim is plaza_lookup's, not plaza_owner's.",
    ),
}  # fmt: skip


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
        "Nobody declares the trigger spy on quotas_grant:",
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
    "set_config for nobody": (
        "grant_lacking",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM plaza_square",
        "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO plaza_square",
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
