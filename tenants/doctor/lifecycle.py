"""Where a tenant stands still: set aside by a migration, on an older version, closed and not erased."""

from collections.abc import Iterator
from datetime import timedelta

from tenants.doctor.findings import Fault, Patient

# Longer than any erasure needs.
_PATIENCE = timedelta(hours=1)


def set_aside(patient: Patient) -> Iterator[Fault]:
    rows = patient.ask("""
        SELECT id, slug, left(migration_error, 200) FROM public.tenants_tenant
         WHERE migration_state = 'set_aside' AND status <> 'closed' ORDER BY created_at
    """)  # fmt: skip
    for tenant_id, slug, error in rows:
        yield Fault(
            f"A migration set {slug} aside: {error}",
            f"Remove its cause, then: manage.py fleet migrate --only {slug}",
            tenant_id,
        )


def behind(patient: Patient) -> Iterator[Fault]:
    """On another version than the newest template, and not in the middle of a migration."""
    rows = patient.ask("""
        SELECT t.id, t.slug, t.schema_version FROM public.tenants_tenant AS t,
               (SELECT version FROM public.tenants_template ORDER BY made_at DESC LIMIT 1) AS newest
         WHERE t.schema_version <> newest.version AND t.migration_state = 'steady'
           AND t.status NOT IN ('provisioning', 'closed')
         ORDER BY t.created_at
    """)  # fmt: skip
    for tenant_id, slug, version in rows:
        yield Fault(
            f"{slug} is on version {version or '(none)'}, not on the template's.",
            "manage.py fleet migrate",
            tenant_id,
        )


def overdue_erasures(patient: Patient) -> Iterator[Fault]:
    """Promised to be erased by now: closed past the grace, or begun and not finished."""
    rows = patient.ask("""
        SELECT id, slug, 'was to be erased on ' || to_char(erase_after AT TIME ZONE 'UTC', 'YYYY-MM-DD')
          FROM public.tenants_tenant WHERE status = 'closing' AND erase_after < %(before)s
         UNION ALL
        SELECT tenant_id, slug, 'has an erasure that began and did not finish'
          FROM public.tenants_erasure WHERE finished_at IS NULL AND began_at < %(before)s
         ORDER BY 2
    """, before=patient.now - _PATIENCE)  # fmt: skip
    for tenant_id, slug, state in rows:
        yield Fault(f"{slug} {state}.", f"manage.py tenant erase {slug} --yes", tenant_id)
