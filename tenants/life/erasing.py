"""Erase a closed tenant: tables, schema, role, files, keys, rows of public, people, and a certificate.

Each step may be killed and run again: what is done is in `Erasure.steps`, and the outcome is the same.
"""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.logs import logger
from tenants.engine.owner import lock_schema, owner_connection
from tenants.life.certificates import certify, left_of
from tenants.life.dropping import drop_role, drop_schema, drop_tables
from tenants.life.forgetting import forget_people, forget_rows, forget_tenant
from tenants.life.journal import Journal, Owner, Tell, blank
from tenants.life.refusals import ClosingWindowOpen, ErasureRunning, TenantNotClosing
from tenants.life.stores import delete_files, delete_keys
from tenants.models import Erasure, Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record_for_operators

log = logger(__name__)
Status = Tenant.Status
# How long PostgreSQL may need to notice that an eraser's connection is gone.
_LET_GO_SECONDS = 2.0


def due(*, now: datetime) -> list[UUID]:
    """Tenants to be erased at `now`: their window has ended, or an erasure of theirs was cut off."""
    closing_over = Tenant.objects.filter(status=Status.CLOSING, erase_after__lte=now)
    cut_off = Erasure.objects.filter(finished_at=None)
    return [
        *cut_off.order_by("began_at").values_list("tenant_id", flat=True),
        *closing_over.order_by("erase_after").values_list("pk", flat=True),
    ]


def erase(
    *, tenant_id: UUID, now: datetime, tell: Tell, is_at_once: bool = False
) -> dict[str, Any]:
    """Erase the tenant for good; the certificate of what went. Harmless twice, and goes on after a kill.

    `is_at_once` waits for no window, nor for the tenant to be closed: only a person may wish that.
    Raises TenantNotClosing, ClosingWindowOpen, ErasureRunning, Tenant.DoesNotExist, and
    psycopg.errors.LockNotAvailable when somebody holds on to the tenant's tables: run again then.
    """
    erasure = _begin(tenant_id, now=now, is_at_once=is_at_once)
    if erasure.finished_at is not None:
        return dict(erasure.certificate)
    with closing(owner_connection()) as owner:
        _alone(owner, tenant_id)
        journal = Journal(owner, erasure.pk)
        _take_steps(journal, tenant_id, tell)
        certificate = certify(owner, erasure.pk)
    facts = {"tenant_id": str(tenant_id), "most_locks": journal.most_locks}
    log.info("tenant.erased", extra=facts)
    return certificate


@transaction.atomic
def _begin(tenant_id: UUID, *, now: datetime, is_at_once: bool) -> Erasure:
    """Shut the tenant for good (no request and no task finds it any more), and open the journal."""
    begun = Erasure.objects.filter(tenant_id=tenant_id).first()
    if begun is not None:
        return begun
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    if not is_at_once:
        if tenant.status != Status.CLOSING or tenant.erase_after is None:
            raise TenantNotClosing(state=tenant.status)
        if tenant.erase_after > now:
            raise ClosingWindowOpen(erase_after=tenant.erase_after)
    erasure, _ = Erasure.objects.get_or_create(
        tenant_id=tenant_id, defaults={"slug": tenant.slug, "steps": blank(), "began_at": now}
    )
    Tenant.objects.filter(pk=tenant_id).update(status=Status.CLOSED)
    # Its own trail goes with it; that of the operators stays.
    subject = Subject("tenant", tenant_id, tenant.slug)
    change = Change(before={"status": tenant.status, "reason": tenant.closing_reason})
    record_for_operators(Action.TENANT_ERASED, subject, change, about=tenant_id)
    return erasure


def _alone(owner: Owner, tenant_id: UUID) -> None:
    """One eraser at a time; a killed one's lock dies with its connection, a moment after it."""
    key = int.from_bytes(tenant_id.bytes[-8:], signed=True)
    until = time.monotonic() + _LET_GO_SECONDS
    while not _is_taken(owner, key):
        if time.monotonic() >= until:
            raise ErasureRunning()
        time.sleep(0.05)


def _is_taken(owner: Owner, key: int) -> bool:
    row = owner.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
    return bool(row and row[0])


def _take_steps(journal: Journal, tenant_id: UUID, tell: Tell) -> None:
    owner, schema = journal.owner, f"t_{tenant_id.hex}"
    # Who is making the schema ends first; who comes later finds the journal, and makes none.
    journal.patiently(lambda: lock_schema(owner, schema))
    steps: dict[str, Callable[[], None]] = {
        "tables": lambda: drop_tables(journal, schema, tell),
        "schema": lambda: drop_schema(journal, schema),
        "role": lambda: drop_role(journal, schema),
        "files": lambda: delete_files(tenant_id, journal),
        "keys": lambda: delete_keys(tenant_id, journal),
        "public": lambda: forget_rows(journal, tenant_id, tell),
        "people": lambda: forget_people(journal, tenant_id),
        "tenant": lambda: forget_tenant(journal, tenant_id),
    }
    for name, take in steps.items():
        if not journal.is_done(name):
            tell(f"erasing: {name}")
            take()
            journal.done(name)
    # What came in the last moment, after its store was cleared.
    for name, take in steps.items() if left_of(owner, tenant_id) else ():
        tell(f"erasing what came late: {name}")
        take()
