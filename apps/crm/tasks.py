from collections.abc import Callable, Collection
from uuid import UUID

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from apps.crm.services.imports import batches, sweeping
from apps.crm.services.privacy import reminding, retention
from apps.crm.services.segments import refreshing, standing
from config.celery import later
from config.logs import logger
from config.needs import Feature, Needs
from quotas.task_gate import GatedTask, is_admitted, may_go_on
from tenants.isolation import tenant_context
from tenants.models import Tenant
from tenants.tasks import TenantTask

log = logger(__name__)
# Then the next task in the queue gets its turn: a long import starves no other tenant.
BATCHES_IN_A_ROW = 100
_WORKING = (Tenant.Status.ACTIVE,)
_SERVED = (*_WORKING, Tenant.Status.SUSPENDED)
_IMPORTS = Needs(feature=Feature.IMPORTS, meter=None, deferrable=True)
_SEGMENTS = Needs(feature=Feature.CRM, meter=None)


@shared_task(name="crm.import_contacts", base=GatedTask, needs=_IMPORTS)
def import_contacts(*, import_id: str) -> None:
    """Merge the import's next batches; a second run goes on where the first one was."""
    job_id = UUID(import_id)
    if not batches.begin(import_id=job_id, now=timezone.now()):
        return
    for _turn in range(BATCHES_IN_A_ROW):
        if not may_go_on(_IMPORTS, now=timezone.now()):
            break  # at a whole batch; the message below waits until the tenant may work again
        if not batches.advance(import_id=job_id, now=timezone.now()):
            return
    later("crm.import_contacts", import_id=import_id)


@shared_task(name="crm.refresh_segments", base=GatedTask, needs=_SEGMENTS)
def refresh_segments() -> None:
    """Look at contacts that have changed until none is left; a second run finds nothing."""
    for _turn in range(BATCHES_IN_A_ROW):
        if refreshing.refresh(now=timezone.now()) < refreshing.MOST_AT_ONCE:
            return
    later("crm.refresh_segments")


@shared_task(name="crm.fill_segment", base=GatedTask, needs=_SEGMENTS)
def fill_segment(*, segment_id: str) -> None:
    """Look at everybody for a new rule, then at those of whom other segments' rules may say otherwise now."""
    if refreshing.fill(segment_id=UUID(segment_id), now=timezone.now()):
        later("crm.refresh_segments")


@shared_task(name="crm.refresh_segments_everywhere", base=TenantTask, public=True)
def refresh_segments_everywhere() -> int:
    """Have the segments of every tenant looked at in which a day has turned, or a message was lost; how many tenants."""
    now = timezone.now()

    def look(tenant: Tenant) -> int:
        with tenant_context(tenant):
            return int(standing.promise_what_waits(now=now))

    return _everywhere(look, _WORKING, failed="segments.sweep_failed")


@shared_task(name="crm.resume_imports_everywhere", base=TenantTask, public=True)
def resume_imports_everywhere() -> int:
    """Wake the silent imports of every tenant that may import."""
    now = timezone.now()

    def wake(tenant: Tenant) -> int:
        if not is_admitted(tenant.pk, _IMPORTS, now=now):
            return 0
        with tenant_context(tenant):
            woken = sweeping.wake_silent(now=now)
            sweeping.drop_left_over(now=now)
        return woken

    return _everywhere(wake, _WORKING, failed="imports.sweep_failed")


@shared_task(name="crm.remind_of_privacy_requests", base=TenantTask, public=True)
def remind_of_privacy_requests() -> int:
    """Tell owners and admins of requests of a law whose last day comes near; how many mails are new.

    Also of tenants that are suspended: the law does not wait.
    """
    today = timezone.now().date()

    def remind(tenant: Tenant) -> int:
        with tenant_context(tenant):
            due = reminding.due_soon(today=today)
        return reminding.remind(tenant_id=tenant.pk, due=due, today=today)

    return _everywhere(remind, _SERVED, failed="privacy_requests.reminding_failed")


@shared_task(name="crm.enforce_retention", base=TenantTask, public=True)
def enforce_retention() -> int:
    """Let go of what every tenant keeps no longer; how many rows."""
    now = timezone.now()

    def let_go(tenant: Tenant) -> int:
        with tenant_context(tenant):
            counts = retention.enforce(now=now)
        if counts:
            log.info("retention.enforced", extra={"tenant_id": str(tenant.id), "rows": counts})
        return sum(counts.values())

    return _everywhere(let_go, _SERVED, failed="retention.failed")


def _everywhere(work: Callable[[Tenant], int], statuses: Collection[str], *, failed: str) -> int:
    """`work` for every tenant in one of these states; one tenant's trouble is not the others'. The sum."""
    done = 0
    for tenant in list(Tenant.objects.filter(status__in=statuses)):
        try:
            done += work(tenant)
        except DatabaseError:
            log.exception(failed, extra={"tenant_id": str(tenant.id)})
    return done
