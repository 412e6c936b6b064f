"""Injections that count, measure and watch: how many rows a neighbour has, how large they are, when it works.

`{mark}` is told wherever the server answers at all; `{oid}` is the neighbour's table of contacts as a
number, for numbers can be guessed. What stays visible nevertheless is told in deploy/database.md.
"""

from tests.drills.payloads import Payload, reading

_COUNTING_FUNCTIONS = (
    "pg_stat_get_live_tuples", "pg_stat_get_dead_tuples", "pg_stat_get_tuples_inserted",
    "pg_stat_get_tuples_updated", "pg_stat_get_numscans", "pg_stat_get_blocks_fetched",
    "pg_stat_get_mod_since_analyze", "pg_stat_get_last_analyze_time", "pg_stat_get_xact_numscans",
    "pg_relation_size", "pg_table_size", "pg_indexes_size", "pg_total_relation_size",
    "pg_relation_filenode", "pg_relation_filepath",
)  # fmt: skip
_WATCHING_FUNCTIONS = (
    "pg_blocking_pids({pid})", "pg_safe_snapshot_blocking_pids({pid})", "pg_stat_get_backend_pid(1)",
    "pg_stat_get_db_numbackends((SELECT 1::oid))", "pg_stat_get_db_tuples_inserted(1)",
    "pg_database_size(current_database())", "pg_tablespace_size('pg_default')",
    "pg_notification_queue_usage()", "pg_stat_have_stats('relation', 1, {oid})",
)  # fmt: skip
_ROWS = {
    "pg_stat_user_tables": "relid = {oid} AND n_live_tup > 0",
    "pg_stat_all_tables": "relid = {oid} AND n_tup_ins > 0",
    "pg_stat_xact_user_tables": "relid = {oid}",
    "pg_statio_user_tables": "relid = {oid}",
    "pg_stat_user_indexes": "relid = {oid}",
    "pg_statio_user_sequences": "schemaname = '{schema}'",
    "pg_stat_database": "datname = '{database}' AND tup_inserted > 0",
    "pg_stat_activity": "pid = {pid}",
    "pg_stat_get_activity({pid})": "true",
    "pg_stat_get_backend_idset()": "true",
    "pg_locks": "pid = {pid}",
    "pg_lock_status()": "pid = {pid}",
    "pg_stat_ssl": "pid = {pid}",
    "pg_stat_io": "true",
    "pg_stat_replication": "true",
    "pg_class": "oid = {oid} AND reltuples > 0",
    "pg_statistic_ext": "true",
    "pg_namespace": "nspname = '{schema}'",
    "pg_tables": "schemaname = '{schema}'",
    "pg_indexes": "schemaname = '{schema}'",
    "pg_attribute": "attrelid = {oid}",
    "pg_constraint": "conrelid = {oid}",
    "pg_roles": "rolname = '{schema}'",
    "pg_group": "'{schema}' = groname",
    "pg_auth_members": "true",
    "pg_shdepend": "objid = {oid}",
    "pg_largeobject_metadata": "oid = {lo}",
    "pg_sequences": "schemaname = '{schema}'",
    "pg_policies": "true",
    "information_schema.schemata": "schema_name = '{schema}'",
    "information_schema.sequences": "sequence_schema = '{schema}'",
    "information_schema.enabled_roles": "role_name = '{schema}'",
}

COUNTING: tuple[Payload, ...] = (
    *(
        reading(name, f"'{{mark}}' || coalesce({name}({{oid}})::text, '')", forbidden=True)
        for name in _COUNTING_FUNCTIONS
    ),
    *(
        reading(call, f"'{{mark}}' || coalesce({call}::text, '')", forbidden=True)
        for call in _WATCHING_FUNCTIONS
    ),
    *(
        reading(f"rows of {name}", f"(SELECT '{{mark}}' || count(*) FROM {name} WHERE {rows} HAVING count(*) > 0)")
        for name, rows in _ROWS.items()
    ),
    reading("the planner's count", "(SELECT '{mark}' || reltuples || relpages FROM pg_class WHERE oid = {oid})"),
    reading("its count in query_to_xml", "query_to_xml($q$SELECT '{mark}' || n_live_tup FROM pg_stat_all_tables WHERE relid = {oid}$q$, true, false, '')::text", forbidden=True),
)  # fmt: skip
