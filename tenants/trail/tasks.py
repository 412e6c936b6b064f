"""The trail's task: it is sealed behind those who write it."""

from celery import shared_task

from tenants.tasks import TenantTask
from tenants.trail import sealing


@shared_task(name="tenants.seal_trails", base=TenantTask, public=True)
def seal_trails() -> int:
    """Seal what was recorded since; a second run finds nothing to do."""
    return sealing.seal_all()
