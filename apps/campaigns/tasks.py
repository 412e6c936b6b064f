"""What the clock asks of campaigns."""

from uuid import UUID

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from apps.campaigns.services import clock
from apps.campaigns.services.mailing import recovering, sending
from config.celery import later
from config.context import TenantRef
from config.logs import logger
from config.needs import Feature, Needs
from quotas.task_gate import GatedTask, may_go_on
from tenants.isolation import tenant_context
from tenants.models import Tenant
from tenants.tasks import TenantTask

log = logger(__name__)
_CAMPAIGNS = Needs(feature=Feature.CAMPAIGNS, meter=None)
_SENDING = Needs(feature=Feature.CAMPAIGNS, meter=None, deferrable=True)
# Some thousand letters: a large mailing starves no other tenant.
STEPS_IN_A_ROW = 20


@shared_task(name="campaigns.send_letters", base=GatedTask, needs=_SENDING)
def send_letters(*, campaign_id: str) -> None:
    """Write to the next recipients; then the next task in the queue gets its turn. Harmless twice."""
    for _turn in range(STEPS_IN_A_ROW):
        if not may_go_on(_SENDING, now=timezone.now()):
            break  # with whole batches; the message below waits until the tenant may work again
        if not sending.advance(campaign_id=UUID(campaign_id), now=timezone.now()):
            return
    later("campaigns.send_letters", campaign_id=campaign_id)


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
            recovering.settle_left_behind(now=now)
            recovering.wake_silent(now=now)
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
