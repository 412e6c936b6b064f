"""What the clock asks of campaigns."""

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from apps.campaigns.services import clock
from config.context import TenantRef
from config.logs import logger
from tenants.isolation import tenant_context
from tenants.models import Tenant
from tenants.tasks import TenantTask

log = logger(__name__)


@shared_task(name="campaigns.start_due", base=TenantTask, public=True)
def start_due() -> int:
    """Start, complete or cancel what is due in every active tenant; answers how many tenants failed.

    One tenant's trouble does not hold up the next one's; the next tick tries again.
    """
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE).order_by("id")
    return sum(not _ticked(tenant.ref) for tenant in active)


def _ticked(tenant: TenantRef) -> bool:
    with tenant_context(tenant):
        try:
            moved = clock.tick(now=timezone.now())
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
