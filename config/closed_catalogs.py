"""What PostgreSQL's catalogs and statistics tell everybody of everybody, taken from PUBLIC by a superuser.

PostgreSQL itself reads its catalogs without asking for rights, and so do casts like `::regclass`; Django and
psycopg, at work for a tenant, ask for types alone. The ORM, row security and foreign keys work as before.
"""

# Types, which psycopg looks up by name when a connection is new; and the session's own settings.
OPEN_CATALOGS = ("pg_type", "pg_range", "pg_enum", "pg_settings")
# By which a session counts, measures or watches others: pg_stat_* and pg_locks are views over them.
_TELLING = "|".join(
    (
        "pg_stat_(get|have)_.*",
        "pg_(table|indexes|relation|total_relation|database|tablespace)_size",
        "pg_(lock_status|blocking_pids|safe_snapshot_blocking_pids)",
        "pg_(isolation_test_session_is_blocked|notification_queue_usage|prepared_xact)",
        "pg_(get_replication_slots|show_replication_origin_status)",
        "pg_(relation_file(node|path)|filenode_relation)",
        "pg_(available_wal_summaries|wal_summary_contents)",
        "pg_(last_committed_xact|xact_commit_timestamp.*)",
    )
)
# One row for each that is open to PUBLIC, or closed to those who need it. What PostgreSQL itself has
# closed (passwords, statistics of values) is in no row, so that nobody is given it; nor is what an
# extension has brought (Citus keeps its own catalogs there), whose numbers are higher. The square, where
# every tenant's public rows are read anyway, may look into catalogs (Django's introspection does) and
# measure schemas (`quotas/storage.py` does).
_OPEN = """
SELECT 'SELECT ON TABLE pg_catalog.' || quote_ident(relname) AS what, ', {square}' AS besides
  FROM pg_catalog.pg_class AS c
 WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
   AND c.oid < 16384 AND relname <> ALL ('{{{open}}}')
   AND EXISTS (SELECT FROM pg_catalog.pg_init_privs AS first, aclexplode(first.initprivs) AS entry
                WHERE first.classoid = 'pg_class'::regclass AND first.objoid = c.oid
                  AND first.objsubid = 0 AND entry.grantee = 0)
   AND (has_table_privilege('public', c.oid, 'SELECT')
        OR NOT has_table_privilege('{owner}', c.oid, 'SELECT')
        OR NOT has_table_privilege('{square}', c.oid, 'SELECT'))
UNION ALL
SELECT 'EXECUTE ON FUNCTION ' || p.oid::regprocedure,
       CASE WHEN proname = 'pg_total_relation_size' THEN ', {square}' ELSE '' END
  FROM pg_catalog.pg_proc AS p
 WHERE pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384 AND proname ~ '^({telling})$'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_init_privs AS first
                    WHERE first.classoid = 'pg_proc'::regclass AND first.objoid = p.oid)
   AND (has_function_privilege('public', p.oid, 'EXECUTE')
        OR NOT has_function_privilege('{owner}', p.oid, 'EXECUTE'))
"""
_CLOSE = """
DO $close$ DECLARE it record; BEGIN
FOR it IN {rows} LOOP
    EXECUTE format('REVOKE %s FROM PUBLIC', it.what);
    EXECUTE format('GRANT %s TO "{owner}", pg_monitor%s', it.what, it.besides);
END LOOP; END $close$;
"""


def open_sql(*, owner: str, square: str) -> str:
    """A query of what is left to close, for whoever may read pg_class."""
    return _OPEN.format(
        owner=owner,
        square=square,
        open=",".join(OPEN_CATALOGS),
        telling=_TELLING,
    )


def close_sql(*, owner: str, square: str) -> str:
    """SQL for a superuser, in each database; safe to repeat. `owner` and pg_monitor go on seeing everything."""
    return " ".join(_CLOSE.format(owner=owner, rows=open_sql(owner=owner, square=square)).split())
