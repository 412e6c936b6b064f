"""The certificate of an erasure: what went from each store, and proof that nothing of it is left."""

import hashlib
import json
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from config.fingerprint import release_fingerprint
from tenants.life.journal import STEPS, Owner
from tenants.life.public_rows import kept_tables, rows_of_tenant, tables_with_tenant
from tenants.life.stores import files_of, keys_of

_FORMAT = 1
_SCHEMA = """
SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = %(schema)s),
       (SELECT count(*) FROM pg_roles WHERE rolname = %(schema)s),
       (SELECT count(*) FROM public.tenants_tenant WHERE id = %(tenant)s)
"""


class SomethingIsLeft(RuntimeError):
    """An erasure took all its steps and something of the tenant is still there: a fault of ours."""


def seal(certificate: dict[str, Any]) -> str:
    """SHA-256 over the certificate without its `sha256`, as JSON with sorted keys and no spaces."""
    plain = {name: value for name, value in certificate.items() if name != "sha256"}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def certify(owner: Owner, erasure_id: UUID) -> dict[str, Any]:
    """Look into every store once more, and keep the certificate. Raises SomethingIsLeft."""
    row = owner.execute(
        "SELECT tenant_id, slug, steps, to_char(began_at AT TIME ZONE 'UTC', %(form)s),"
        " to_char(clock_timestamp() AT TIME ZONE 'UTC', %(form)s)"
        " FROM public.tenants_erasure WHERE id = %(id)s",
        {"form": 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', "id": erasure_id},
    ).fetchone()
    assert row is not None  # noqa: S101 - the caller has just written it
    tenant_id, slug, steps, began_at, finished_at = row
    if left := left_of(owner, tenant_id):
        raise SomethingIsLeft(f"Run the erasure again: {left}")
    certificate: dict[str, Any] = {
        "format": _FORMAT,
        "erasure": str(erasure_id),
        "tenant": str(tenant_id),
        "slug": slug,
        "began_at": began_at,
        "finished_at": finished_at,
        "release": release_fingerprint(),
        "erased": {step: steps[step]["counts"] for step in STEPS},
        "kept": _kept(owner, tenant_id),
    }
    certificate["sha256"] = seal(certificate)
    owner.execute(
        "UPDATE public.tenants_erasure SET certificate = %s, finished_at = %s WHERE id = %s",
        [Jsonb(certificate), finished_at, erasure_id],
    )
    return certificate


def left_of(owner: Owner, tenant_id: UUID) -> dict[str, int]:
    """What there still is of the tenant, by store; empty when nothing is."""
    facts = {"schema": f"t_{tenant_id.hex}", "tenant": tenant_id}
    schemas, roles, tenants = owner.execute(_SCHEMA, facts).fetchone() or (0, 0, 0)
    left = {"schema": schemas, "role": roles, "tenant": tenants}
    left["files"] = sum(1 for _ in files_of(tenant_id))
    left["keys"] = sum(1 for _ in keys_of(tenant_id))
    for rows in rows_of_tenant(owner):
        command = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(rows.place, rows.condition)
        found = owner.execute(command, {"tenant": tenant_id}).fetchone()
        left[rows.table] = left.get(rows.table, 0) + (found[0] if found else 0)
    return {store: count for store, count in left.items() if count}


def _kept(owner: Owner, tenant_id: UUID) -> dict[str, int]:
    """Rows that outlive the tenant, by table; this erasure's own among them."""
    kept = {}
    for table in sorted(kept_tables() & set(tables_with_tenant(owner))):
        command = sql.SQL("SELECT count(*) FROM public.{} WHERE tenant_id = %s")
        row = owner.execute(command.format(sql.Identifier(table)), [tenant_id]).fetchone()
        kept[table] = row[0] if row else 0
    return kept
