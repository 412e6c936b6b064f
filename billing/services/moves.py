"""Bringing subscribers to the present version of the catalogue."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing import catalogue
from billing.models import Subscription
from billing.services.grants import entitle
from config.logs import logger

log = logger(__name__)


@transaction.atomic
def move(*, tenant_id: UUID, now: datetime) -> bool:
    """Put the tenant on the present version; False where it is there, or its plan is no longer sold.

    Limits, rates and features hold from the next request on, prices from the next period on.
    """
    row = Subscription.objects.select_for_update().get(tenant_id=tenant_id)
    version, before = catalogue.version(), row.catalogue_version
    is_sold = row.plan in {spec.key for spec in catalogue.plans()}
    if before in {None, version} or not is_sold:
        return False
    row.catalogue_version = version
    row.save()
    entitle(tenant_id=tenant_id, plan=row.plan, now=now)
    facts = {"tenant_id": str(tenant_id), "before": before, "version": version}
    log.info("subscription.moved", extra=facts)
    return True
