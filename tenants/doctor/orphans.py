"""What lost its counterpart: tenants, schemas, roles, hosts and ready schemas that do not fit together."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from tenants.doctor.findings import Fault, Patient, by_sql
from tenants.roles import create_role_sql, drop_role_sql, quoted
from tenants.services import host_of


def schemas_without_tenant(patient: Patient) -> Iterator[Fault]:
    rows = patient.ask_of_stalls(r"""
        SELECT nspname FROM pg_namespace
         WHERE nspname ~ '^t_[0-9a-f]{32}$' AND nspname NOT IN (SELECT stall FROM known)
         ORDER BY 1
    """)  # fmt: skip
    for (schema,) in rows:
        # Not mended: a database restored from an older copy has such schemas, and they hold data.
        yield Fault(
            f"The schema {schema} belongs to no tenant.",
            cure=f"Look into it, then: DROP SCHEMA {quoted(schema)} CASCADE;",
            tenant_id=UUID(schema[2:]),
        )


def roles_without_tenant(patient: Patient) -> Iterator[Fault]:
    # Roles are the cluster's: what another database still needs is that installation's.
    rows = patient.ask_of_stalls(r"""
        SELECT rolname,
               EXISTS (SELECT FROM pg_shdepend AS d WHERE d.refclassid = 'pg_authid'::regclass
                        AND d.refobjid = r.oid AND d.deptype = 'o')
          FROM pg_roles AS r
         WHERE rolname ~ '^t_[0-9a-f]{32}$' AND rolname NOT IN (SELECT stall FROM known)
           AND NOT EXISTS (
                SELECT FROM pg_shdepend AS d JOIN pg_database AS here ON here.datname = current_database()
                 WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
                   AND d.dbid NOT IN (0, here.oid))
         ORDER BY 1
    """)  # fmt: skip
    for role, is_owner in rows:
        what, cure = f"The role {role} belongs to no tenant.", drop_role_sql(role).strip()
        fault = by_sql(what, cure, UUID(role[2:]))
        yield Fault(what, cure, fault.tenant_id) if is_owner else fault


def tenants_without_schema(patient: Patient) -> Iterator[Fault]:
    rows = patient.ask_of_stalls("""
        SELECT id, slug FROM living
         WHERE stall NOT IN (SELECT nspname FROM pg_namespace) ORDER BY id
    """)  # fmt: skip
    for tenant_id, slug in rows:
        yield Fault(
            f"{slug} has no schema: all that it stored is gone.",
            cure="Restore its last archive beside it: manage.py tenant import FILE --slug NEW-SLUG",
            tenant_id=tenant_id,
        )


def tenants_without_role(patient: Patient) -> Iterator[Fault]:
    rows = patient.ask_of_stalls("""
        SELECT id, stall, slug FROM living JOIN pg_namespace ON nspname = stall
         WHERE stall NOT IN (SELECT rolname FROM pg_roles) ORDER BY id
    """)  # fmt: skip
    for tenant_id, schema, slug in rows:
        yield by_sql(f"{slug} has no role.", create_role_sql(schema).strip(), tenant_id)


def tenants_without_host(patient: Patient) -> Iterator[Fault]:
    rows = patient.ask_of_stalls("""
        SELECT living.id, slug FROM living
         WHERE NOT EXISTS (
            SELECT FROM public.tenants_domain AS d WHERE d.tenant_id = living.id AND d.is_primary)
         ORDER BY living.id
    """)  # fmt: skip
    for tenant_id, slug in rows:
        yield Fault(
            f"{slug} has no primary host, so nobody reaches it.",
            f"manage.py tenant doctor {slug} --mend: makes {host_of(slug)} its host",
            tenant_id,
            partial(_give_host, tenant_id=tenant_id, host=host_of(slug)),
        )


def _give_host(patient: Patient, *, tenant_id: UUID, host: str) -> None:
    patient.ask(
        """
        INSERT INTO public.tenants_domain (domain, tenant_id, is_primary, proof)
        VALUES (%(host)s, %(tenant)s, true, '')
        ON CONFLICT (domain) DO UPDATE SET is_primary = true
         WHERE tenants_domain.tenant_id = EXCLUDED.tenant_id
        RETURNING id
        """,
        host=host,
        tenant=tenant_id,
    )


def ready_half_made(patient: Patient) -> Iterator[Fault]:
    rows = patient.ask_of_stalls("""
        SELECT known.id, stall FROM known
          JOIN public.tenants_readyschema AS ready ON ready.id = known.id
         WHERE known.status = 'ready' AND ready.claimed_at IS NULL
           AND (stall NOT IN (SELECT nspname FROM pg_namespace)
                OR stall NOT IN (SELECT rolname FROM pg_roles))
         ORDER BY known.id
    """)  # fmt: skip
    for ready_id, schema in rows:
        yield by_sql(
            f"The ready schema {schema} lacks its schema or its role.",
            _discard(ready_id, schema),
            ready_id,
        )


def ready_claimed_unused(patient: Patient) -> Iterator[Fault]:
    """The claim and its tenant are of one transaction: a claim alone, seen by others, is nobody's for good."""
    rows = patient.ask_of_stalls("""
        SELECT known.id, stall, ready.claimed_at FROM known
          JOIN public.tenants_readyschema AS ready ON ready.id = known.id
         WHERE known.status = 'ready' AND ready.claimed_at IS NOT NULL
           AND ready.id NOT IN (SELECT id FROM public.tenants_tenant)
         ORDER BY known.id
    """)  # fmt: skip
    for ready_id, schema, claimed_at in rows:
        # Not given to another: whoever claimed it may have written into it.
        yield by_sql(
            f"The ready schema {schema} was claimed at {claimed_at:%Y-%m-%d %H:%M}, and its tenant never"
            " came (or is gone): it is in no pool and in no use.",
            _discard(ready_id, schema),
            ready_id,
        )


def _discard(ready_id: UUID, schema: str) -> str:
    """SQL that drops a schema which no tenant has, and its row; the next filling makes another."""
    return (
        f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE;\n{drop_role_sql(schema).strip()}\n"
        f"DELETE FROM public.tenants_readyschema WHERE id = '{ready_id}';"
    )
