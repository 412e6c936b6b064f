"""What the clock asks of campaigns."""

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from apps.campaigns.services import clock
from config.context import TenantRef
from config.logs import logger
from config.needs import Feature, Needs
from quotas.task_gate import may_go_on
from tenants.isolation import tenant_context
from tenants.models import Tenant
from tenants.tasks import TenantTask

log = logger(__name__)
_CAMPAIGNS = Needs(feature=Feature.CAMPAIGNS, meter=None)


@shared_task(name="campaigns.start_due", base=TenantTask, public=True)
def start_due() -> int:
    """Start, complete or cancel what is due in every tenant that may; answers how many tenants failed.

    What is due at a tenant that the gate refuses (suspended, held, without the feature) stays so.

    One tenant's trouble does not hold up the next one's; the next tick tries again.
    """
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE).order_by("id")
    return sum(not _ticked(tenant.ref) for tenant in active)


def _ticked(tenant: TenantRef) -> bool:
    now = timezone.now()
    with tenant_context(tenant):
        try:
            if not may_go_on(_CAMPAIGNS, now=now):
                return True
            moved = clock.tick(now=now)
        except DatabaseError:
            log.exception("campaigns.tick_failed")
            return False
        if moved.started or moved.completed or moved.missed:
            log.info(
                "campaigns.ticked",
                extra={
                    "started": moved.started,
                    "completed": moved.completed,
                    "missed": moved.missed,
                },
            )
    return True
