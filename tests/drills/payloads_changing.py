"""Injections that act: statements after the statement. Names in braces are those of tests/drills/payloads.py.

`forbidden` ones may not succeed anywhere. The others may where an attacker writes whole statements in a
session of the tenant's own; what counts then is what they show and what they have changed.
"""

from tests.drills.payloads import Payload

_LOOK = "SELECT string_agg(first_name, ',') FROM {theirs}"
_LOOK_HERE = "SELECT string_agg(first_name, ',') FROM crm_contact"
_OWN_TOTALS = "public.quotas_usagetotal"


def acting(name: str, *statements: str, forbidden: bool = False) -> Payload:
    return Payload(name, statements, is_statement=True, forbidden=forbidden)


ROLES = [
    acting("RESET ROLE", "RESET ROLE", _LOOK),
    acting("SET ROLE NONE", "SET ROLE NONE", _LOOK),
    acting("SET ROLE to the neighbour", 'SET ROLE "{schema}"', _LOOK, forbidden=True),
    acting("SET ROLE to the owner", 'SET ROLE "{owner}"', _LOOK, forbidden=True),
    acting("SET LOCAL ROLE", "BEGIN", 'SET LOCAL ROLE "{schema}"', _LOOK, forbidden=True),
    acting("SET SESSION AUTHORIZATION", 'SET SESSION AUTHORIZATION "{owner}"', _LOOK, forbidden=True),
    acting("SET SESSION AUTHORIZATION to the neighbour", 'SET SESSION AUTHORIZATION "{schema}"', _LOOK, forbidden=True),
    acting("RESET SESSION AUTHORIZATION", "RESET SESSION AUTHORIZATION", _LOOK),
    acting("DISCARD ALL", "DISCARD ALL", _LOOK),
    acting("RESET ALL", "RESET ALL", _LOOK),
    acting("SET search_path", 'SET search_path = "{schema}", public', _LOOK_HERE),
    acting("SET row_security", "SET row_security = off", "SELECT string_agg(t::text, ',') FROM public.tenants_tenant t"),
    acting("SET session_replication_role", "SET session_replication_role = replica", _LOOK, forbidden=True),
    acting("ALTER ROLE to superuser", "ALTER ROLE CURRENT_USER SUPERUSER", forbidden=True),
    acting("ALTER ROLE to CREATEROLE", "ALTER ROLE CURRENT_USER CREATEROLE", forbidden=True),
    acting("the neighbour's password", "ALTER ROLE \"{schema}\" LOGIN PASSWORD 'x'", forbidden=True),
    acting("the neighbour's settings", 'ALTER ROLE "{schema}" SET search_path = public', forbidden=True),
    acting("CREATE ROLE", "CREATE ROLE x_drill LOGIN", forbidden=True),
    acting("GRANT of the neighbour's role", 'GRANT "{schema}" TO CURRENT_USER', _LOOK, forbidden=True),
    acting("GRANT of the owner's role", 'GRANT "{owner}" TO CURRENT_USER', _LOOK, forbidden=True),
    acting("GRANT of set_config", "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC"),
    acting("REASSIGN OWNED", 'REASSIGN OWNED BY "{schema}" TO CURRENT_USER', forbidden=True),
    acting("DROP ROLE", 'DROP ROLE "{schema}"', forbidden=True),
]  # fmt: skip

CODE = [
    acting("DO", "DO $d$ BEGIN EXECUTE 'RESET ROLE'; PERFORM 1 FROM {theirs}; END $d$", forbidden=True),
    acting("DO that raises what it finds", "DO $d$ BEGIN RAISE EXCEPTION '%', (SELECT first_name FROM {theirs} LIMIT 1); END $d$", forbidden=True),
    acting("CREATE FUNCTION", "CREATE FUNCTION leak() RETURNS text LANGUAGE sql AS $d$ SELECT first_name FROM {theirs} LIMIT 1 $d$", "SELECT leak()", forbidden=True),
    acting("CREATE FUNCTION in public", "CREATE FUNCTION public.leak() RETURNS text LANGUAGE sql SECURITY DEFINER AS $d$ SELECT '1' $d$", forbidden=True),
    acting("CREATE FUNCTION in pg_temp", "CREATE FUNCTION pg_temp.leak() RETURNS text LANGUAGE sql AS $d$ SELECT first_name FROM {theirs} LIMIT 1 $d$", "SELECT pg_temp.leak()", forbidden=True),
    acting("CREATE PROCEDURE", "CREATE PROCEDURE ext.leak() LANGUAGE sql AS $d$ SELECT 1 $d$", "CALL ext.leak()", forbidden=True),
    acting("CREATE EXTENSION", "CREATE EXTENSION dblink", forbidden=True),
    acting("CREATE SERVER", "CREATE SERVER x FOREIGN DATA WRAPPER postgres_fdw", forbidden=True),
    acting("LOAD", "LOAD 'dblink'", forbidden=True),
    acting("CREATE SCHEMA", "CREATE SCHEMA x_drill", forbidden=True),
    acting("CREATE TABLE in public", "CREATE TABLE public.x_drill (a int)", forbidden=True),
    acting("CREATE TABLE in ext", "CREATE TABLE ext.tenants_tenant (a int)", forbidden=True),
    acting("CREATE VIEW in its own schema", "CREATE VIEW crm_view AS SELECT * FROM {theirs}", _LOOK, forbidden=True),
    acting("CREATE TEMP TABLE", "CREATE TEMP TABLE crm_contact AS SELECT * FROM {theirs}", _LOOK_HERE, forbidden=True),
    acting("a TEMP TABLE in the way", "CREATE TEMP TABLE crm_contact (first_name text)", forbidden=True),
    acting("SELECT INTO TEMP", "SELECT * INTO TEMP crm_contact FROM crm_contact", forbidden=True),
    acting("CREATE TEMP VIEW", "CREATE TEMP VIEW crm_tag AS SELECT 1", forbidden=True),
    acting("CREATE RULE", "CREATE RULE x AS ON SELECT TO crm_contact DO INSTEAD SELECT * FROM {theirs}", forbidden=True),
    acting("CREATE TRIGGER", "CREATE TRIGGER x BEFORE INSERT ON crm_contact EXECUTE FUNCTION suppress_redundant_updates_trigger()", forbidden=True),
    acting("CREATE EVENT TRIGGER", "CREATE EVENT TRIGGER x ON ddl_command_start EXECUTE FUNCTION x()", forbidden=True),
    acting("CREATE PUBLICATION", "CREATE PUBLICATION x FOR ALL TABLES", forbidden=True),
    acting("CREATE OPERATOR", "CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_ne)", forbidden=True),
]  # fmt: skip

COPIES_AND_CURSORS = [
    acting("COPY TO STDOUT", "COPY {theirs} TO STDOUT", forbidden=True),
    acting("COPY of a query", "COPY (SELECT * FROM {theirs}) TO STDOUT", forbidden=True),
    acting("COPY to a file", "COPY (SELECT 1) TO '/tmp/plaza-drill'", forbidden=True),
    acting("COPY to a program", "COPY (SELECT 1) TO PROGRAM 'id'", forbidden=True),
    acting("COPY from a program", "COPY crm_tag FROM PROGRAM 'id'", forbidden=True),
    acting("COPY from a file", "COPY crm_tag (name) FROM '/etc/passwd'", forbidden=True),
    acting("PREPARE and EXECUTE", "PREPARE p AS " + _LOOK, "EXECUTE p", forbidden=True),
    acting("PREPARE of RESET ROLE", "PREPARE p AS SELECT set_config('role', 'none', false)", "EXECUTE p", _LOOK, forbidden=True),
    acting("DEALLOCATE ALL", "DEALLOCATE ALL", _LOOK),
    acting("a cursor WITH HOLD", "DECLARE c CURSOR WITH HOLD FOR SELECT first_name FROM {theirs}", "FETCH ALL FROM c", forbidden=True),
    acting("cursor_to_xml", "BEGIN", "DECLARE c CURSOR FOR SELECT first_name FROM {theirs}", "SELECT cursor_to_xml('c', 10, true, false, '')::text", forbidden=True),
    acting("LISTEN", "LISTEN plaza", "LISTEN \"{schema}\"", "SELECT 1"),
    acting("NOTIFY", "NOTIFY plaza, 'x'"),
    acting("EXPLAIN ANALYZE", "EXPLAIN ANALYZE SELECT first_name FROM {theirs}", forbidden=True),
    acting("EXPLAIN of public rows", "EXPLAIN (ANALYZE, VERBOSE) SELECT organisation FROM public.tenants_tenant WHERE organisation LIKE 'c%'"),
]  # fmt: skip

THEIR_ROWS = [
    acting("UPDATE", "UPDATE {theirs} SET first_name = 'x'", forbidden=True),
    acting("DELETE", "DELETE FROM {theirs}", forbidden=True),
    acting("INSERT", "INSERT INTO {theirs} (id) VALUES ('{id}')", forbidden=True),
    acting("TRUNCATE", "TRUNCATE {theirs} CASCADE", forbidden=True),
    acting("DROP TABLE", "DROP TABLE {theirs} CASCADE", forbidden=True),
    acting("DROP SCHEMA", 'DROP SCHEMA "{schema}" CASCADE', forbidden=True),
    acting("ALTER TABLE", "ALTER TABLE {theirs} OWNER TO CURRENT_USER", forbidden=True),
    acting("GRANT", "GRANT ALL ON {theirs} TO PUBLIC", _LOOK, forbidden=True),
    acting("LOCK TABLE", "BEGIN", "LOCK TABLE {theirs} IN ACCESS EXCLUSIVE MODE", forbidden=True),
    acting("LOCK of a public table", "BEGIN", "LOCK TABLE public.tenants_tenant IN ACCESS EXCLUSIVE MODE", forbidden=True),
    acting("MERGE", "MERGE INTO {theirs} t USING crm_contact c ON t.id = c.id WHEN NOT MATCHED THEN DO NOTHING", forbidden=True),
]  # fmt: skip

USAGE_AND_PLAN = [
    acting("own usage set to 0", f"UPDATE {_OWN_TOTALS} SET used = 0", forbidden=True),
    acting("own usage deleted", f"DELETE FROM {_OWN_TOTALS}", forbidden=True),
    acting("own usage inserted", f"INSERT INTO {_OWN_TOTALS} VALUES ('{{id}}', 'contacts', now(), 0)", forbidden=True),
    acting("own events deleted", "DELETE FROM public.quotas_usageevent", forbidden=True),
    acting("events moved to the neighbour", "UPDATE public.quotas_usageevent SET tenant_id = '{id}'", forbidden=True),
    acting("own grants raised", "UPDATE public.quotas_grant SET limits = '{{}}'", forbidden=True),
    acting("a grant of its own", "INSERT INTO public.quotas_grant (tenant_id, source, plan, features, limits, rates, ladder, feature_ladder, priority, granted_at) SELECT tenant_id, 'x', plan, features, '{{}}', rates, ladder, feature_ladder, 99, now() FROM public.quotas_grant LIMIT 1", forbidden=True),
    acting("own hold lifted", "DELETE FROM public.quotas_hold", forbidden=True),
    acting("own subscription", "UPDATE public.billing_subscription SET plan = 'agency', status = 'active'", forbidden=True),
    acting("own tenant", "UPDATE public.tenants_tenant SET status = 'active', organisation = 'x'", forbidden=True),
    acting("a member more", "UPDATE public.tenants_member SET role = 'owner'", forbidden=True),
    acting("a person's password", "UPDATE public.tenants_person SET password = 'x'", forbidden=True),
    acting("a key for the neighbour", "UPDATE public.tenants_apikey SET tenant_id = '{id}'", forbidden=True),
    acting("a forged task", "INSERT INTO public.config_outboxmessage (id, task, arguments, headers, created_at) VALUES ('{id}', 'crm.x', '{{}}', '{{}}', now())", forbidden=True),
    acting("row security switched off", "ALTER TABLE public.quotas_usagetotal DISABLE ROW LEVEL SECURITY", forbidden=True),
    acting("a policy of its own", "CREATE POLICY x_drill ON public.quotas_usagetotal USING (true)", forbidden=True),
    acting("ALTER DATABASE", "ALTER DATABASE {database} SET row_security = off", forbidden=True),
    acting("ALTER SYSTEM", "ALTER SYSTEM SET row_security = off", forbidden=True),
    acting("CHECKPOINT", "CHECKPOINT", forbidden=True),
]  # fmt: skip

POISON = [
    acting("no time limit", "SET statement_timeout = 0"),
    acting("read only for whoever comes next", "SET default_transaction_read_only = on"),
    acting("a transaction left open", "BEGIN", "SELECT 1"),
    acting("the transaction ended", "COMMIT", _LOOK),
    acting("the transaction undone", "ROLLBACK", _LOOK),
    acting("another time zone", "SET TimeZone = 'Asia/Tokyo'"),
]  # fmt: skip

ACTING: tuple[Payload, ...] = (
    *ROLES, *CODE, *COPIES_AND_CURSORS, *THEIR_ROWS, *USAGE_AND_PLAN, *POISON,
)  # fmt: skip
