"""Grants, row security, functions and triggers of the square's tables, as the packages declare them (`rights.py`)."""

import hashlib
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from config.rights import TableRights
from tenants import sealing
from tenants.engine.owner import owner_connection
from tenants.roles import (
    GROUP,
    KEEPER,
    LOOKUP,
    OURS,
    PREPARING,
    SQUARE,
    WEB,
    close_history_sql,
)
from tenants.sealing import Owner, declared, make_functions, make_triggers

_OWN_ROWS = "{by} = substr(current_user::text, 3)::uuid"


def prepare_rights(*, anew: bool = False) -> bool:
    """Grants, row security and functions, in one transaction; False where public is not migrated yet.

    After each migration of the square. It takes every public table for a moment, so where the same
    was done before nothing is done (`manage.py tenant doctor` looks whether it still holds).
    """
    with owner_connection(autocommit=False) as owner:
        owner.execute("SELECT pg_advisory_xact_lock(%s)", [PREPARING])
        if not _is_migrated(owner):
            return False
        _close_histories(owner)
        _make_schema(owner)
        wanted = _fingerprint(owner)
        if not anew and owner.execute("SELECT state FROM plaza.prepared").fetchone() == (wanted,):
            return True
        _grant_everything(owner)
        owner.execute("DELETE FROM plaza.prepared")
        owner.execute("INSERT INTO plaza.prepared VALUES (%s)", [wanted])
    return True


def render_rights(owner: Owner) -> None:
    """Everything that is declared, made in the transaction of `owner`; the doctor reads it there."""
    _make_schema(owner)
    _grant_everything(owner)


def _make_schema(owner: Owner) -> None:
    owner.execute("CREATE SCHEMA IF NOT EXISTS plaza")
    owner.execute("CREATE TABLE IF NOT EXISTS plaza.prepared (state text NOT NULL)")


def _grant_everything(owner: Owner) -> None:
    _take_back(owner)
    _grant_schemas(owner)
    make_functions(owner)
    make_triggers(owner)
    _grant_tables(owner)


def _close_histories(owner: Owner) -> None:
    """Of tenants from before their own history of migrations was taken from them."""
    open_ones = owner.execute(
        "SELECT nspname::text FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE nspname ~ '^t_[0-9a-f]{32}$' AND relname LIKE 'django\\_migrations%'"
        " AND EXISTS (SELECT FROM aclexplode(relacl) JOIN pg_roles AS r ON r.oid = grantee"
        " WHERE r.rolname = nspname)"
    ).fetchall()
    for (schema,) in sorted(set(open_ones)):
        owner.execute(close_history_sql(schema).encode())


def _is_migrated(owner: Owner) -> bool:
    """Whether public has this release's migrations: what is declared may be younger than its tables."""
    if owner.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,):
        return False
    done = set(owner.execute("SELECT app, name FROM public.django_migrations").fetchall())
    shared = {each.label for each in apps.get_app_configs() if each.name in settings.SHARED_APPS}
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return all(key in done for key in known if key[0] in shared)


def _fingerprint(owner: Owner) -> str:
    """A digest of everything that `prepare_rights` makes: declarations, key, tables, and who makes it."""
    tables = owner.execute(
        "SELECT array_agg(relname || ' ' || relkind::text ORDER BY relname) FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v')"
        " AND NOT relispartition"
    ).fetchone()
    declarations = [
        declared(name)
        for name in (
            *("RIGHTS", "FUNCTIONS", "TRIGGERS"),
            *("KEEPER_TABLES", "KEEPER_APPENDS", "OWNERS_TABLES"),
        )
    ]
    makers = [Path(each).read_text() for each in (__file__, sealing.__file__)]
    told = repr((tables, declarations, settings.PLAZA_DB_KEY, makers))
    return hashlib.sha256(told.encode()).hexdigest()


def _grant_schemas(owner: Owner) -> None:
    owner.execute(
        f"GRANT USAGE ON SCHEMA public, ext TO {WEB}, {SQUARE}, {LOOKUP}, {GROUP}, {KEEPER}"
    )
    owner.execute(f"GRANT USAGE ON SCHEMA plaza TO {SQUARE}, {GROUP}, {KEEPER}")
    owner.execute(f"GRANT CREATE ON SCHEMA plaza TO {KEEPER}")


def _take_back(owner: Owner) -> None:
    """What our roles and PUBLIC were ever given, so that what is granted afterwards is all that there is."""
    whose = ", ".join(("PUBLIC", *OURS))
    owner.execute(f"REVOKE ALL ON SCHEMA public, ext, plaza FROM {whose}")
    for schema in ("public", "plaza"):
        owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {whose}")
        owner.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {whose}")
    owner.execute(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA plaza FROM {whose}")
    owner.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA plaza TO {KEEPER}")  # they are its own


def _grant_tables(owner: Owner) -> None:
    owner.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {SQUARE}"
    )
    # What the owner reads and runs must not be the square's to write: it would be the owner's hand.
    for table in declared("OWNERS_TABLES"):
        owner.execute(_table(f"REVOKE INSERT, UPDATE, DELETE ON {{}} FROM {SQUARE}", table))
    owner.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {SQUARE}")
    rights: dict[str, TableRights] = {each.table: each for each in declared("RIGHTS")}
    keepers: list[str] = declared("KEEPER_TABLES")
    for table in [*keepers, *(appended := declared("KEEPER_APPENDS"))]:
        verbs = "INSERT" if table in appended else "SELECT, INSERT, UPDATE, DELETE"
        owner.execute(_table(f"GRANT {verbs} ON {{}} TO {KEEPER}", table))
    for each in rights.values():
        if each.stall:
            owner.execute(_table(f"GRANT {each.stall} ON {{}} TO {GROUP}", each.table))
        if each.lookup:
            owner.execute(_table(f"GRANT SELECT ON {{}} TO {LOOKUP}", each.table))
    for (table,) in owner.execute(_TABLES_OF_TENANTS).fetchall():
        _secure_rows(owner, rights.get(table) or TableRights(table), is_keepers=table in keepers)


_TABLES_OF_TENANTS = """
SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
   AND attname = 'tenant_id' AND NOT attisdropped
"""

_POLICIES = """
SELECT polname::text FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
 WHERE relnamespace = 'public'::regnamespace AND relname = %s
"""


def _secure_rows(owner: Owner, rights: TableRights, *, is_keepers: bool) -> None:
    """Row security for everybody, the owner too: forced, it would else show a migration no rows."""
    table = rights.table
    owner.execute(_table("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table))
    owner.execute(_table("ALTER TABLE {} FORCE ROW LEVEL SECURITY", table))
    whole = [SQUARE, "CURRENT_USER", *([KEEPER] if is_keepers else [])]
    policies = [("whole", "ALL", ", ".join(whole), "true")]
    if rights.lookup:
        policies.append(("lookup", "SELECT", LOOKUP, "true"))
    if rights.stall:
        policies.append(("own", "ALL", GROUP, _OWN_ROWS.format(by=rights.by or "tenant_id")))
    for (name,) in owner.execute(_POLICIES, [table]).fetchall():
        owner.execute(
            sql.SQL("DROP POLICY {} ON {}").format(
                sql.Identifier(name), sql.Identifier("public", table)
            )
        )
    for name, verb, role, rows in policies:
        owner.execute(
            _table(f"CREATE POLICY {name} ON {{}} FOR {verb} TO {role} USING ({rows})", table)
        )


def _table(statement: str, table: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier("public", table))
