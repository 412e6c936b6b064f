"""Tenants with the status `provisioning` that nobody is at: who began them, and how each goes on."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, LiteralString

from tenants.archives.importing import LOCK_CLASS
from tenants.doctor.findings import Fault, Patient

# Beat takes up a sign-up that was cut off after a minute; a clone takes seconds.
_PATIENCE = timedelta(minutes=10)
_HALF_MADE: LiteralString = """
SELECT t.id, t.slug, to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
       CASE WHEN t.schema_name IN (SELECT nspname FROM pg_namespace)
            THEN 'its schema is made' ELSE 'its schema is not made yet' END,
       r.id IS NOT NULL AS is_import, r.loaded_at IS NOT NULL,
       EXISTS (SELECT FROM public.tenants_member AS m WHERE m.tenant_id = t.id AND m.role = 'owner')
  FROM public.tenants_tenant AS t
  LEFT JOIN public.tenants_restoration AS r ON r.tenant_id = t.id AND r.finished_at IS NULL
 WHERE t.status = 'provisioning' AND t.created_at < %(before)s
   -- An import that goes on holds this lock, however long it takes.
   AND NOT EXISTS (
       SELECT FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.classid = %(imports)s
          AND l.objid::bigint = hashtext(t.slug)::bigint & 4294967295 AND l.granted)
 ORDER BY t.created_at
"""


def sign_ups(patient: Patient) -> Iterator[Fault]:
    """A sign-up's name, owner and plan are reserved in one transaction; the rest is done again and again."""
    for tenant_id, slug, since, schema, is_import, _, has_owner in _rows(patient):
        if has_owner and not is_import:
            yield Fault(
                f"The sign-up of {slug} stands half-made since {since}: name, owner and plan are"
                f" reserved, {schema}, and it is not open.",
                "Beat promises billing.finish_sign_up every 30 s and the provisioner's worker does it: look"
                f" whether both run. At once: manage.py tenant create {slug} with the same e-mail and"
                " password goes on with it.",
                tenant_id,
            )


def imports(patient: Patient) -> Iterator[Fault]:
    """A killed restore: nothing takes it up by itself, for only a person has the archive."""
    for tenant_id, slug, since, schema, is_import, is_loaded, _ in _rows(patient):
        if is_import:
            rows = "its rows are loaded" if is_loaded else "its rows are not loaded yet"
            yield Fault(
                f"The import into {slug} stands half-made since {since}: {schema}, {rows}, and nobody is"
                " at it.",
                f"manage.py tenant import FILE --slug {slug} with the very same archive goes on with it;"
                f" manage.py tenant erase {slug} --now {slug} takes it back.",
                tenant_id,
            )


def reservations(patient: Patient) -> Iterator[Fault]:
    """A row that neither a sign-up nor an import reserved whole: it has no owner, and no plan."""
    for tenant_id, slug, since, schema, is_import, _, has_owner in _rows(patient):
        if not is_import and not has_owner:
            yield Fault(
                f"{slug} is reserved since {since} by no sign-up and no import: {schema}, it has no"
                " owner, and nothing finishes it.",
                f"manage.py tenant erase {slug} --now {slug} gives the name back; then sign up anew.",
                tenant_id,
            )


def _rows(patient: Patient) -> list[tuple[Any, ...]]:
    before = patient.now - _PATIENCE
    return patient.ask(_HALF_MADE, before=before, imports=LOCK_CLASS)
