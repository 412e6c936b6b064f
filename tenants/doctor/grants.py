"""Who may touch what: a tenant's role its own schema alone, and PUBLIC nothing that opens a wall."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.conf import settings

from config.closed_catalogs import close_sql, open_sql
from config.rights import CLOSED_FUNCTIONS
from tenants.doctor.findings import Fault, Patient, by_sql
from tenants.roles import GROUP, KEEPER, SQUARE
from tenants.trail.chain import TENANTS_TABLE

_KINDS = {
    "n": "SCHEMA",
    "r": "TABLE",
    "c": "COLUMN",
    "S": "SEQUENCE",
    "f": "ROUTINE",
    "d": "DATABASE",
    "l": "LANGUAGE",
}


def outside_own_schema(patient: Patient) -> Iterator[Fault]:
    """What a tenant's role was given elsewhere; public tables are granted to the group, never to it."""
    for kind, schema, name, role, privileges in _granted(patient):
        if _is_stall(role) and schema != role:
            yield _revocable(kind, schema, name, role, privileges)


def to_strangers(patient: Patient) -> Iterator[Fault]:
    """What others were given inside a tenant's schema."""
    for kind, schema, name, role, privileges in _granted(patient):
        is_strangers = _is_stall(schema) and schema != role and not _is_stall(role)
        if is_strangers and not (role == KEEPER and (kind, name, privileges) in _sealers(schema)):
            yield _revocable(kind, schema, name, role, privileges)


def _sealers(schema: str | None) -> set[tuple[str, str, str]]:
    """What the sealer needs to add to a tenant's audit trail (roles.close_trail_sql)."""
    return {("n", str(schema), "USAGE"), ("r", TENANTS_TABLE, "INSERT")}


def to_public(patient: Patient) -> Iterator[Fault]:
    """What every role may: with `set_config` injected SQL could take another role."""
    [(database, temporary, language, tables, functions)] = patient.ask("""
        SELECT quote_ident(current_database()),
               has_database_privilege('public', current_database(), 'TEMP'),
               has_language_privilege('public', 'plpgsql', 'USAGE'),
               has_schema_privilege('public', 'public', 'CREATE'),
               ARRAY(SELECT DISTINCT p.oid::regprocedure::text
                       FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(
                            coalesce(p.proacl, acldefault('f', p.proowner))) AS entry
                      WHERE p.oid = ANY (%(closed)s::text[]::regprocedure[])
                        AND (entry.grantee = 0 OR pg_get_userbyid(entry.grantee) = %(group)s)
                      ORDER BY 1)
    """, group=GROUP, closed=[f"pg_catalog.{name}" for name in CLOSED_FUNCTIONS])  # fmt: skip
    if settings.PLAZA_DB_LOGIN == "tenant":
        # There no role can be taken, and some servers cannot revoke it.
        functions = [name for name in functions if not name.startswith("set_config")]
    rights = (
        (temporary, "make temporary tables", f"TEMPORARY ON DATABASE {database}"),
        (language, "write functions in plpgsql", "USAGE ON LANGUAGE plpgsql"),
        (tables, "make tables in public", "CREATE ON SCHEMA public"),
        *((True, f"call {name}", f"EXECUTE ON FUNCTION pg_catalog.{name}") for name in functions),
    )
    for is_allowed, deed, right in rights:
        if is_allowed:
            # The group is every tenant.
            yield by_sql(f"Every tenant may {deed}.", f"REVOKE {right} FROM PUBLIC, {GROUP};")


def catalogs(patient: Patient) -> Iterator[Fault]:
    """Statistics, sizes and catalogs tell of neighbours, and are a superuser's to close."""
    names = {"owner": patient.connection.info.user, "square": SQUARE}
    found = patient.connection.execute(open_sql(**names).encode()).fetchall()
    if found:
        what = f"Tenants may look into PostgreSQL's own tables: {found[0][0]}, and {len(found) - 1} more rights."
        yield Fault(what, f"As a superuser, in this database: {close_sql(**names)}")


def _granted(patient: Patient) -> list[tuple[Any, ...]]:
    """(kind, schema, name, role or PUBLIC, privileges) where a stall is the schema or the role."""
    return patient.ask(r"""
        WITH granted AS (
            SELECT 'n' AS kind, nspname AS place, nspname AS name, nspacl AS acl, nspowner AS owner
              FROM pg_namespace
            UNION ALL
            SELECT CASE relkind WHEN 'S' THEN 'S' ELSE 'r' END, nspname, relname, relacl, relowner
              FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE relacl IS NOT NULL
            UNION ALL
            SELECT 'c', nspname, format('%I.%I (%I)', nspname, c.relname, a.attname), a.attacl, c.relowner
              FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
              JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE a.attacl IS NOT NULL
            UNION ALL
            SELECT 'd', NULL, quote_ident(datname), datacl, datdba
              FROM pg_database WHERE datname = current_database()
            UNION ALL
            SELECT 'l', NULL, quote_ident(lanname), lanacl, lanowner FROM pg_language
            UNION ALL
            SELECT 'f', nspname, p.oid::regprocedure::text, proacl, proowner
              FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace WHERE proacl IS NOT NULL
        )
        SELECT kind, place::text, name::text, coalesce(r.rolname, 'PUBLIC')::text,
               string_agg(entry.privilege_type, ', ' ORDER BY entry.privilege_type)
          FROM granted CROSS JOIN LATERAL aclexplode(acl) AS entry
          LEFT JOIN pg_roles AS r ON r.oid = entry.grantee
         WHERE entry.grantee <> owner AND (place ~ '^t_[0-9a-f]{32}$' OR r.rolname ~ '^t_[0-9a-f]{32}$')
           AND place IS DISTINCT FROM r.rolname
         GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4
    """)  # fmt: skip


def _revocable(kind: str, schema: str | None, name: str, role: str, privileges: str) -> Fault:
    noun = _KINDS[kind]
    thing = f'"{schema}"' if kind == "n" else name if kind in "fcdl" else f'"{schema}"."{name}"'
    grantee = "PUBLIC" if role == "PUBLIC" else f'"{role}"'
    tenant = role if _is_stall(role) else str(schema)
    # A right on a column goes with those on its table, which are not to be there either.
    on = f"TABLE {thing.partition(' (')[0]}" if kind == "c" else f"{noun} {thing}"
    return by_sql(
        f"{role} has {privileges} on {noun.lower()} {thing}.",
        f"REVOKE ALL ON {on} FROM {grantee};",
        UUID(tenant[2:]),
    )


def _is_stall(name: str | None) -> bool:
    return name is not None and name.startswith("t_") and len(name) == 34
