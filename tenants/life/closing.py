"""Close with a grace window, and restore inside it. Nothing is lost before the window has ended."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from config.errors import ValidationFailed
from config.logs import logger
from tenants.life.refusals import RestoreTooLate, TenantClosing, TenantNotOpen
from tenants.models import Tenant
from tenants.parking import wake
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
Status = Tenant.Status
_FIELDS = ["status", "closing_reason", "closed_from", "erase_after"]


def refuse_closing(tenant: Tenant) -> None:
    """Raise TenantClosing for a tenant that will be erased: nothing begins there that costs somebody.

    For what stays reachable to it all the same (Needs.critical); the gate refuses the rest.
    """
    if tenant.status == Status.CLOSING:
        raise TenantClosing(reason=tenant.closing_reason, erase_after=tenant.erase_after)


@transaction.atomic
def close(*, tenant_id: UUID, reason: str, by: str, now: datetime) -> Tenant:
    """Refuse the tenant's work from the next request on, and erase it after PLAZA_CLOSING_DAYS.

    `by` says who wished it: a person's id, or a program's name. Closing again changes nothing.
    Raises TenantNotOpen, ValidationFailed.
    """
    if not reason.strip():
        raise ValidationFailed(errors={"reason": [_("Say why.")]})
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    if tenant.status == Status.CLOSING:
        return tenant
    if tenant.status not in {Status.ACTIVE, Status.SUSPENDED}:
        raise TenantNotOpen(state=tenant.status)
    tenant.closed_from, tenant.status = tenant.status, Status.CLOSING
    tenant.closing_reason = reason.strip()[:200]
    tenant.erase_after = now + timedelta(days=settings.PLAZA_CLOSING_DAYS)
    tenant.save(update_fields=_FIELDS)
    change = Change(after={"reason": tenant.closing_reason, "erase_after": tenant.erase_after})
    _record(Action.TENANT_CLOSED, tenant, change)
    facts = {"tenant_id": str(tenant_id), "by": by, "erase_after": str(tenant.erase_after)}
    log.info("tenant.closed", extra=facts)
    return tenant


@transaction.atomic
def restore(*, tenant_id: UUID, by: str, now: datetime) -> Tenant:
    """Lead a closed tenant back to the state from which it was closed. Harmless twice.

    Raises RestoreTooLate from `erase_after` on.
    """
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    if tenant.status == Status.CLOSED:
        raise RestoreTooLate(state=tenant.status)
    if tenant.status != Status.CLOSING:
        return tenant
    if tenant.erase_after is not None and tenant.erase_after <= now:
        raise RestoreTooLate(erase_after=tenant.erase_after)
    change = Change(before={"reason": tenant.closing_reason, "erase_after": tenant.erase_after})
    tenant.status, tenant.closed_from = Status(tenant.closed_from), ""
    tenant.closing_reason, tenant.erase_after = "", None
    tenant.save(update_fields=_FIELDS)
    wake(tenant_id)
    _record(Action.TENANT_RESTORED, tenant, change)
    log.info("tenant.restored", extra={"tenant_id": str(tenant_id), "by": by})
    return tenant


def _record(action: Action, tenant: Tenant, change: Change) -> None:
    record(action, Subject("tenant", tenant.pk, tenant.slug), change, tenant_id=tenant.pk)
