"""Injections that read: SQL expressions that would show another tenant's data, or what is the server's.

`{theirs}` is the neighbour's table of contacts, `{schema}` its schema (and role), `{id}` its id,
`{mark}` a word that may never be told, `{pid}` a backend of the neighbour's, `{lo}` its large object,
`{owner}` the owner's role. `forbidden` ones may not even succeed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Payload:
    """An attack: an expression (`is_statement` False) or statements, tried at several places."""

    name: str
    statements: tuple[str, ...]
    is_statement: bool
    forbidden: bool = False

    def filled(self, facts: dict[str, str]) -> tuple[str, ...]:
        return tuple(statement.format(**facts) for statement in self.statements)


def reading(name: str, sql: str, *, forbidden: bool = False) -> Payload:
    return Payload(name, (sql,), is_statement=False, forbidden=forbidden)


_THEIRS = "SELECT first_name FROM {theirs}"
_XML = "query_to_xml($q$%s$q$, true, false, '')::text"
_ALL_CONTACTS = "(SELECT string_agg(%s(c.oid, true, false, '')::text, '') FROM pg_class c WHERE c.relname = 'crm_contact')"
_MARK_IF = "(SELECT string_agg('{mark}', '') FROM pg_class c WHERE c.relnamespace::regnamespace::text = '{schema}' AND %s)"

OTHER_SCHEMAS = [
    reading("a neighbour's table by name", "(SELECT string_agg(first_name, ',') FROM {theirs})"),
    reading("its rows as JSON", "(SELECT json_agg(t)::text FROM {theirs} t)"),
    reading("its rows, one by one", "(SELECT t::text FROM {theirs} t LIMIT 1)"),
    reading("only whether it has them", "(SELECT CASE WHEN EXISTS (SELECT FROM {theirs}) THEN '{mark}' END)"),
    reading("only how many", "(SELECT '{mark}' || count(*) FROM {theirs})"),
    reading("only how long it takes", "(SELECT '{mark}' || pg_sleep(0.01) FROM {theirs} WHERE first_name > '' LIMIT 1)"),
    reading("by the error of a cast", "(SELECT first_name::int::text FROM {theirs} LIMIT 1)"),
    reading("by its row type", "(SELECT json_populate_record(NULL::{theirs}, '{{\"first_name\": \"{mark}\"}}')::text)"),
    reading("by its regclass", "(SELECT '{mark}' || '{theirs}'::regclass::text)"),
    reading("locked for update", "(SELECT string_agg(first_name, ',') FROM (SELECT first_name FROM {theirs} FOR UPDATE) t)"),
    reading("sampled", "(SELECT string_agg(first_name, ',') FROM {theirs} TABLESAMPLE BERNOULLI (100))"),
    reading("its history of migrations", '(SELECT \'{mark}\' || string_agg(name, \',\') FROM "{schema}".django_migrations)'),
]  # fmt: skip

RUNNING_QUERIES = [
    reading("query_to_xml", _XML % _THEIRS),
    reading("query_to_xml_and_xmlschema", "query_to_xml_and_xmlschema($q$" + _THEIRS + "$q$, true, false, '')::text"),
    reading("query_to_xmlschema", "'{mark}' || query_to_xmlschema($q$" + _THEIRS + "$q$, true, false, '')::text"),
    reading("table_to_xml of every such table", _ALL_CONTACTS % "table_to_xml"),
    reading("table_to_xml_and_xmlschema", _ALL_CONTACTS % "table_to_xml_and_xmlschema"),
    reading("schema_to_xml", "schema_to_xml('{schema}', true, false, '')::text"),
    reading("schema_to_xml_and_xmlschema", "schema_to_xml_and_xmlschema('{schema}', true, false, '')::text"),
    reading("database_to_xml", "database_to_xml(true, false, '')::text"),
    reading("database_to_xml_and_xmlschema", "database_to_xml_and_xmlschema(true, false, '')::text"),
    reading("cursor_to_xml of an open cursor", "(SELECT string_agg(cursor_to_xml(name::refcursor, 100, true, false, '')::text, '') FROM pg_cursors)"),
    reading("ts_stat", "(SELECT string_agg(word, ',') FROM ts_stat($q$SELECT to_tsvector('simple', first_name) FROM {theirs}$q$))"),
    reading("ts_rewrite", "ts_rewrite('a'::tsquery, $q$SELECT 'a'::tsquery, plainto_tsquery('simple', first_name) FROM {theirs}$q$)::text"),
    reading("dblink", "(SELECT string_agg(x, ',') FROM dblink('host=127.0.0.1', $q$" + _THEIRS + "$q$) AS t(x text))", forbidden=True),
]  # fmt: skip

CHANGING_ROLE_IN_A_SELECT = [
    reading("set_config of role", "set_config('role', 'none', false) || " + _XML % _THEIRS, forbidden=True),
    reading("set_config of role, to the owner", "set_config('role', '{owner}', false) || " + _XML % _THEIRS, forbidden=True),
    reading("set_config of role, to the neighbour", "set_config('role', '{schema}', false) || " + _XML % _THEIRS, forbidden=True),
    reading("set_config of role, for the transaction", "set_config('role', '{schema}', true) || " + _XML % _THEIRS, forbidden=True),
    reading("set_config of session_authorization", "set_config('session_authorization', '{owner}', false) || " + _XML % _THEIRS, forbidden=True),
    reading("set_config of search_path", "set_config('search_path', '{schema}', false) || " + _XML % "SELECT first_name FROM crm_contact", forbidden=True),
    reading("set_config of row_security", "set_config('row_security', 'off', false) || " + _XML % "SELECT organisation FROM public.tenants_tenant", forbidden=True),
    reading("set_config inside query_to_xml", _XML % "SELECT set_config('role', 'none', false)" + " || " + _XML % _THEIRS, forbidden=True),
    reading("set_config inside query_to_xml, qualified", _XML % "SELECT pg_catalog.set_config('role', '{schema}', false)" + " || " + _XML % _THEIRS, forbidden=True),
    reading("set_config inside ts_stat", "(SELECT count(*)::text FROM ts_stat($q$SELECT to_tsvector(set_config('role', 'none', false))$q$)) || " + _XML % _THEIRS, forbidden=True),
    reading("ts_stat after set_config inside ts_stat", "(SELECT count(*)::text FROM ts_stat($q$SELECT to_tsvector(set_config('role', 'none', false))$q$)) || (SELECT string_agg(word, ',') FROM ts_stat($q$SELECT to_tsvector('simple', first_name) FROM {theirs}$q$))", forbidden=True),
    reading("set_config of role in a row before", "(SELECT string_agg(word, ',') FROM (SELECT set_config('role', 'none', false) r OFFSET 0) s, ts_stat($q$SELECT to_tsvector('simple', first_name) FROM {theirs}$q$) WHERE r > '')", forbidden=True),
    reading("set_config by an UPDATE of pg_settings in query_to_xml", _XML % "UPDATE pg_settings SET setting = 'none' WHERE name = 'role'" + " || " + _XML % _THEIRS),
    reading("set_config of the time limit", "set_config('statement_timeout', '0', false)", forbidden=True),
    reading("SET ROLE inside query_to_xml", _XML % "SET ROLE NONE" + " || " + _XML % _THEIRS, forbidden=True),
    reading("RESET ROLE inside query_to_xml", _XML % "RESET ROLE" + " || " + _XML % _THEIRS, forbidden=True),
]  # fmt: skip

FILES_AND_SERVER = [
    reading("pg_read_file", "pg_read_file('/etc/passwd')", forbidden=True),
    reading("pg_read_file of the server's own", "pg_read_file('postgresql.conf')", forbidden=True),
    reading("pg_read_binary_file", "encode(pg_read_binary_file('/etc/passwd'), 'escape')", forbidden=True),
    reading("pg_ls_dir", "(SELECT string_agg(f, ',') FROM pg_ls_dir('.') f)", forbidden=True),
    reading("pg_ls_waldir", "(SELECT string_agg(name, ',') FROM pg_ls_waldir())", forbidden=True),
    reading("pg_stat_file", "(SELECT size::text FROM pg_stat_file('postgresql.conf'))", forbidden=True),
    reading("pg_hba_file_rules", "(SELECT string_agg(t::text, ',') FROM pg_hba_file_rules t)", forbidden=True),
    reading("pg_file_settings", "(SELECT string_agg(t::text, ',') FROM pg_file_settings t)", forbidden=True),
    reading("pg_current_logfile", "pg_current_logfile()", forbidden=True),
    reading("pg_reload_conf", "pg_reload_conf()::text", forbidden=True),
    reading("pg_switch_wal", "pg_switch_wal()::text", forbidden=True),
    reading("pg_stat_reset", "pg_stat_reset()::text", forbidden=True),
    reading("a replication slot", "pg_create_physical_replication_slot('x')::text", forbidden=True),
    reading("memory of a neighbour's backend", "pg_log_backend_memory_contexts({pid})::text", forbidden=True),
    reading("an XML entity of a file", "xmlparse(document $x$<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>$x$)::text"),
    reading("ending a neighbour's backend", "pg_terminate_backend({pid})::text", forbidden=True),
    reading("cancelling a neighbour's statement", "pg_cancel_backend({pid})::text", forbidden=True),
]  # fmt: skip

LARGE_OBJECTS = [
    reading("lo_get", "encode(lo_get({lo}), 'escape')"),
    reading("loread", "encode(loread(lo_open({lo}, 262144), 1000), 'escape')"),
    reading(
        "pg_largeobject", "(SELECT string_agg(encode(data, 'escape'), '') FROM pg_largeobject)"
    ),
    reading("lo_import", "lo_import('/etc/passwd')::text", forbidden=True),
    reading("lo_export", "lo_export({lo}, '/tmp/plaza-drill')::text", forbidden=True),
    reading("one of its own, to fill the disk", "lo_from_bytea(0, 'x')::text", forbidden=True),
    reading("lo_put over theirs", "lo_put({lo}, 0, 'x')::text", forbidden=True),
    reading("lo_unlink of theirs", "lo_unlink({lo})::text", forbidden=True),
]

CATALOGS = [
    reading("pg_authid", "(SELECT string_agg(rolpassword, ',') FROM pg_authid)", forbidden=True),
    reading("pg_shadow", "(SELECT string_agg(passwd, ',') FROM pg_shadow)", forbidden=True),
    reading("pg_user", "(SELECT string_agg(passwd, ',') FROM pg_user)"),
    reading("pg_db_role_setting", "(SELECT string_agg(t::text, ',') FROM pg_db_role_setting t)"),
    reading("pg_stat_activity", "(SELECT string_agg(query, ',') FROM pg_stat_activity)"),
    reading("pg_stat_get_activity", "(SELECT string_agg(t::text, ',') FROM pg_stat_get_activity(NULL) t)"),
    reading("pg_stat_get_backend_activity", "(SELECT string_agg(pg_stat_get_backend_activity(i), ',') FROM pg_stat_get_backend_idset() i)"),
    reading("pg_stats", "(SELECT string_agg(most_common_vals::text || histogram_bounds::text, ',') FROM pg_stats WHERE schemaname = '{schema}')"),
    reading("pg_stats in any schema", "(SELECT string_agg(s::text, ',') FROM pg_stats s WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))"),
    reading("pg_statistic", "(SELECT string_agg(stavalues1::text, ',') FROM pg_statistic)", forbidden=True),
    reading("pg_stats_ext", "(SELECT string_agg(s::text, ',') FROM pg_stats_ext s)"),
    reading("sources of functions", "(SELECT string_agg(prosrc, ',') FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"),
    reading("definitions of views", "(SELECT string_agg(definition, ',') FROM pg_views WHERE schemaname = 'public')"),
    reading("settings", "(SELECT string_agg(name || '=' || setting, ',') FROM pg_settings)"),
    reading("prepared statements of whoever was here before", "(SELECT string_agg(statement, ',') FROM pg_prepared_statements)"),
    reading("cursors of whoever was here before", "(SELECT string_agg(statement, ',') FROM pg_cursors)"),
    reading("prepared transactions", "(SELECT string_agg(gid, ',') FROM pg_prepared_xacts)"),
    reading("information_schema.tables", "(SELECT string_agg('{mark}', '') FROM information_schema.tables WHERE table_schema = '{schema}')"),
    reading("information_schema.columns", "(SELECT string_agg('{mark}', '') FROM information_schema.columns WHERE table_schema = '{schema}')"),
    reading("information_schema grants", "(SELECT string_agg('{mark}', '') FROM information_schema.role_table_grants WHERE table_schema = '{schema}')"),
    reading("has_table_privilege", _MARK_IF % "c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"),
    reading("has_any_column_privilege", _MARK_IF % "c.relkind = 'r' AND has_any_column_privilege(c.oid, 'SELECT, UPDATE')"),
    reading("has_sequence_privilege", _MARK_IF % "CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE') END"),
    reading("has_schema_privilege", "(SELECT '{mark}' WHERE has_schema_privilege('{schema}', 'USAGE, CREATE'))"),
    reading("has_schema_privilege on public", "(SELECT '{mark}' WHERE has_schema_privilege('public', 'CREATE') OR has_schema_privilege('ext', 'CREATE'))"),
    reading("has_database_privilege", "(SELECT '{mark}' WHERE has_database_privilege(current_database(), 'CREATE, TEMPORARY'))"),
    reading("has_language_privilege", "(SELECT '{mark}' WHERE has_language_privilege('plpgsql', 'USAGE'))"),
    reading("has_function_privilege on set_config", "(SELECT '{mark}' WHERE has_function_privilege('pg_catalog.set_config(text, text, boolean)', 'EXECUTE'))"),
    reading("pg_has_role", "(SELECT string_agg('{mark}', '') FROM pg_roles WHERE (rolname IN ('{schema}', '{owner}') OR rolsuper OR rolcreaterole OR rolbypassrls) AND pg_has_role(oid, 'MEMBER'))"),
    reading("rights of its own", "(SELECT '{mark}' FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication))"),
]  # fmt: skip

SEQUENCES_AND_LOCKS = [
    reading("currval", "currval((SELECT max(oid) FROM pg_class WHERE relkind = 'S' AND relnamespace::regnamespace::text = '{schema}')::regclass)::text", forbidden=True),
    reading("nextval", "nextval((SELECT max(oid) FROM pg_class WHERE relkind = 'S' AND relnamespace::regnamespace::text = '{schema}')::regclass)::text", forbidden=True),
    reading("setval", "setval((SELECT max(oid) FROM pg_class WHERE relkind = 'S' AND relnamespace::regnamespace::text = '{schema}')::regclass, 1)::text", forbidden=True),
    reading("pg_sequences", "(SELECT string_agg('{mark}' || last_value, ',') FROM pg_sequences WHERE schemaname = '{schema}')"),
    reading("a session's advisory lock", "pg_advisory_lock(hashtext('plaza.pool'))::text", forbidden=True),
    reading("a session's shared advisory lock", "pg_try_advisory_lock_shared(hashtext('plaza.template'))::text", forbidden=True),
    reading("another's advisory lock", "(SELECT '{mark}' WHERE pg_try_advisory_lock({lock}))"),
    reading("unlocking another's advisory lock", "(SELECT '{mark}' WHERE pg_advisory_unlock({lock}))"),
    reading("unlocking all", "pg_advisory_unlock_all()::text"),
    reading("a notification", "pg_notify('plaza', 'x')::text"),
]  # fmt: skip

# At the square the one before was the square too.
WHOEVER_WAS_HERE = [
    reading("lastval of whoever was here before", "lastval()::text", forbidden=True)
]

PUBLIC_ROWS = [
    reading("a neighbour's usage by an error", "(SELECT count(*)::text FROM public.quotas_usageevent WHERE key::int > 0)"),
    reading("a neighbour's organisation by an error", "(SELECT count(*)::text FROM public.tenants_tenant WHERE organisation::int > 0)"),
    reading("its grants by id", "(SELECT string_agg('{mark}', ',') FROM public.quotas_grant WHERE tenant_id = '{id}')"),
    reading("its usage by id", "(SELECT string_agg('{mark}', ',') FROM public.quotas_usagetotal WHERE tenant_id = '{id}')"),
]  # fmt: skip

READING: tuple[Payload, ...] = (
    *OTHER_SCHEMAS, *RUNNING_QUERIES, *CHANGING_ROLE_IN_A_SELECT, *FILES_AND_SERVER,
    *LARGE_OBJECTS, *CATALOGS, *SEQUENCES_AND_LOCKS,
    *WHOEVER_WAS_HERE, *PUBLIC_ROWS,
)  # fmt: skip
