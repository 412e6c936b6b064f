"""Schemas made ahead of need: a sign-up claims one by updating one row, and its id becomes the tenant's.

The schema, its role and its row are made in one transaction, so that none is ever half made. Those of
an older version are the fleet's to migrate; until then nobody gets them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import connection as django_connection

from config.celery import later
from config.logs import logger
from tenants import template
from tenants.engine.owner import owner_connection
from tenants.models import ReadySchema, Template
from tenants.provisioning import Owner, as_owner, clone
from tenants.rendering import Cursor

log = logger(__name__)
Told = Callable[[str], None]
# Of this code's version, or of a newer one, which this code can work with (expand, then contract).
_FIT = """claimed_at IS NULL AND version IN (
    SELECT newer.version FROM public.tenants_template AS newer
    JOIN public.tenants_template AS mine ON newer.made_at >= mine.made_at
    WHERE mine.version = %(version)s)"""
_CLAIM = f"""
UPDATE public.tenants_readyschema SET claimed_at = statement_timestamp()
WHERE id = (SELECT id FROM public.tenants_readyschema WHERE {_FIT}
            ORDER BY made_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, version
"""  # noqa: S608
_COUNT = f"SELECT count(*) FROM public.tenants_readyschema WHERE {_FIT}".encode()  # noqa: S608
_KEEP = "INSERT INTO public.tenants_readyschema (id, version) VALUES (%s, %s)"
_FORGET_USED = """
DELETE FROM public.tenants_readyschema AS used USING public.tenants_tenant AS tenant
WHERE tenant.id = used.id AND used.claimed_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A schema that is this transaction's: its id is the tenant's, its version what the schema has."""

    id: UUID
    version: str


def claim_ready() -> Claimed | None:
    """Take a ready schema inside the transaction in force; None when the pool is dry.

    Rolled back, it is ready again. Those who claim at once do not wait for each other. A refill is
    promised either way. Needs no owner's rights.
    """
    with django_connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"version": template.code_version()})
        row = cursor.fetchone()
    if settings.PLAZA_READY_SCHEMAS:
        later("tenants.fill_pool", lossy=True)
    return Claimed(*row) if row else None


def fill_pool(*, wanted: int, tell: Told = template.silent) -> int:
    """Make schemas until `wanted` are ready; how many were made. Killed anywhere, run it again.

    Whoever comes while another fills makes none. Needs the owner's rights.
    """
    made = 0
    with owner_connection() as owner:
        if owner.execute("SELECT pg_try_advisory_lock(hashtext('plaza.pool'))").fetchone() == (
            False,
        ):
            return 0
        pattern = template.current()
        owner.execute(_FORGET_USED)
        while (ready := _ready(owner, pattern.version)) < wanted:
            as_owner(owner, partial(_make_one, pattern))
            made += 1
            tell(f"{ready + 1} of {wanted} schemas are ready.")
    if made:
        log.info("pool.filled", extra={"made": made, "wanted": wanted})
    return made


def _make_one(pattern: Template, cursor: Cursor) -> None:
    ready = ReadySchema(version=pattern.version)
    clone(cursor, schema=ready.schema_name, pattern_sql=pattern.sql)
    cursor.execute(_KEEP, [ready.id, ready.version])


def _ready(owner: Owner, version: str) -> int:
    row = owner.execute(_COUNT, {"version": version}).fetchone()
    return int(row[0]) if row else 0
