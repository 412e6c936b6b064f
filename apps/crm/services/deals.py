"""Deals that go; how they come and change is declared in apps/crm/services/batches/deals.py."""

from uuid import UUID

from django.db import transaction

from apps.crm.models import Deal
from config.errors import NotFound
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


@transaction.atomic
def delete(*, deal_id: UUID) -> None:
    """Delete a deal with its notes and tasks. Raises NotFound."""
    deal = Deal.objects.select_for_update().filter(pk=deal_id).first()
    if deal is None:
        raise NotFound()
    deal.delete()
    record(Action.DEAL_DELETED, Subject("deal", deal_id, deal.name))
