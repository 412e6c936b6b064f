"""A tenant's own cap: set, raised, lowered or taken away. Nothing that was used is ever taken away."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from config.celery import later
from config.errors import ValidationFailed
from config.logs import logger
from quotas.caps.budgets import budget_at
from quotas.caps.models import SpendCap
from quotas.entitlements import snapshot
from quotas.merging import Cap
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)


@transaction.atomic
def cap_spending(*, tenant_id: UUID, cap: Cap | None, by: str, now: datetime) -> None:
    """Let usage above the included cost no more than `cap` in a billing period; None is no cap.

    Holds for the next request of every process. Raises ValidationFailed for another currency than the
    tenant's own.
    """
    found = snapshot(tenant_id, now=now)
    held = SpendCap.objects.filter(tenant_id=tenant_id)
    known = held.select_for_update().first()
    before = {"amount": known.amount, "unit": known.unit} if known else {}
    if cap is None:
        held.delete()
    else:
        _check(cap, unit=found.budget_unit)
        SpendCap.objects.bulk_create(
            [
                SpendCap(
                    tenant_id=tenant_id, amount=cap.amount, unit=cap.unit, set_by=by, set_at=now
                )
            ],
            update_conflicts=True,
            unique_fields=["tenant_id"],
            update_fields=["amount", "unit", "set_by", "set_at"],
        )
        # It may lie below what is spent already.
        period = budget_at(found, now).period.isoformat()
        later("quotas.evaluate_spend", tenant_id=str(tenant_id), period=period)
    after = {"amount": cap.amount, "unit": cap.unit} if cap else {}
    subject = Subject("spend_cap")
    record(Action.SPEND_CAP_CHANGED, subject, Change(before, after), tenant_id=tenant_id)
    facts = {"tenant_id": str(tenant_id), "amount": cap.amount if cap else None, "by": by}
    log.info("spend_cap.set", extra=facts)


def _check(cap: Cap, *, unit: str) -> None:
    if not unit:
        raise ValidationFailed(errors={"cap": [_("Nothing is billed by usage here.")]})
    if cap.unit != unit:
        told = _("This tenant is billed in %(currency)s.") % {"currency": unit}
        raise ValidationFailed(errors={"cap": {"currency": [told]}})
