"""The walls around and between schemas: row security, definer functions, keys and names that cross."""

from collections.abc import Iterator
from uuid import UUID

from tenants.doctor.findings import Fault, Patient, by_sql
from tenants.roles import GROUP, KEEPER

_PREPARE = "manage.py database prepare"
# Django keeps one of these in public and in each schema.
_IN_BOTH = ["django_migrations"]


def row_security(patient: Patient) -> Iterator[Fault]:
    """Every public table with a `tenant_id` shows a tenant its own rows alone, even to the table's owner."""
    rows = patient.ask("""
        SELECT c.relname, CASE WHEN c.relrowsecurity THEN 'forced' ELSE 'enabled' END, count(p.oid)
          FROM pg_class AS c
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
          LEFT JOIN pg_policy AS p ON p.polrelid = c.oid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
           -- A part is read through its table, whose policies count; by itself no tenant may touch it.
           AND (NOT c.relispartition OR EXISTS (
                SELECT FROM aclexplode(c.relacl) AS given WHERE given.grantee IN (0, %(group)s::regrole)))
         GROUP BY c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity
        HAVING NOT (c.relrowsecurity AND c.relforcerowsecurity AND count(p.oid) > 0)
         ORDER BY 1
    """, group=GROUP)  # fmt: skip
    for table, lacking, policies in rows:
        if not policies:
            # Enabling it alone would show nobody anything.
            yield Fault(f"public.{table} has no policy of row security.", _PREPARE)
            continue
        yield by_sql(
            f"Row security of public.{table} is not {lacking}.",
            f'ALTER TABLE public."{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;',
        )


def definer_functions(patient: Patient) -> Iterator[Fault]:
    """A SECURITY DEFINER function without a path of its own runs what its caller put on the path.

    Those of `plaza` are compared with the declared ones, to the letter, by another check.
    """
    rows = patient.ask("""
        SELECT p.oid::regprocedure::text, pg_get_userbyid(p.proowner),
               EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\\_path=%%')
          FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'plaza')
           AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e'
                              AND d.classid = 'pg_proc'::regclass)
           AND (pg_get_userbyid(p.proowner) <> %(keeper)s OR p.proconfig IS NULL OR NOT EXISTS (
                SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\\_path=%%'))
         ORDER BY 1
    """, keeper=KEEPER)  # fmt: skip
    for function, owner, has_path in rows:
        if not has_path:
            yield Fault(
                f"The SECURITY DEFINER function {function} has no search path of its own.",
                f"ALTER FUNCTION {function} SET search_path = pg_catalog, pg_temp; or {_PREPARE}",
            )
        if owner != KEEPER:
            yield Fault(
                f"The SECURITY DEFINER function {function} is {owner}'s, not {KEEPER}'s.",
                f'ALTER FUNCTION {function} OWNER TO "{KEEPER}";',
            )


def keys_that_leave(patient: Patient) -> Iterator[Fault]:
    """A foreign key out of a tenant's schema ties it to this node, and its copy to these rows."""
    rows = patient.ask(r"""
        SELECT n.nspname, c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text
          FROM pg_constraint AS c
          JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace
          JOIN pg_class AS f ON f.oid = c.confrelid
         WHERE c.contype = 'f' AND f.relnamespace <> t.relnamespace
           AND (n.nspname ~ '^t_[0-9a-f]{32}$'
                OR f.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{32}$'))
         ORDER BY 1, 2
    """)  # fmt: skip
    for schema, name, table, other in rows:
        yield Fault(
            f"The foreign key {name} of {table} leads to {other}, out of the schema.",
            f'ALTER TABLE {table} DROP CONSTRAINT "{name}"; and the model\'s field holds a plain id.',
            UUID(schema[2:]) if schema.startswith("t_") else None,
        )


def names_in_both(patient: Patient) -> Iterator[Fault]:
    """A table of one name in public and in a tenant's schema: which one answers is the path's whim."""
    rows = patient.ask(r"""
        SELECT shared.relname, array_agg(n.nspname ORDER BY n.nspname)
          FROM pg_class AS shared
          JOIN pg_class AS own ON own.relname = shared.relname AND own.relkind IN ('r', 'p', 'v')
          JOIN pg_namespace AS n ON n.oid = own.relnamespace AND n.nspname ~ '^t_[0-9a-f]{32}$'
         WHERE shared.relnamespace = 'public'::regnamespace AND shared.relkind IN ('r', 'p', 'v')
           AND shared.relname <> ALL(%(both)s)
         GROUP BY 1 ORDER BY 1
    """, both=_IN_BOTH)  # fmt: skip
    for table, schemas in rows:
        yield Fault(
            f"public.{table} has a namesake in {len(schemas)} tenants' schemas, {schemas[0]} for one.",
            "Drop the one that no app owns: SHARED_APPS and TENANT_APPS in config/settings.py tell.",
            UUID(schemas[0][2:]) if len(schemas) == 1 else None,
        )
