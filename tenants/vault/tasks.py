"""What the clock does of the vault, harmless twice."""

from celery import shared_task
from django.utils import timezone

from tenants.tasks import TenantTask
from tenants.vault import rotation


@shared_task(name="tenants.tend_vault", base=TenantTask, public=True)
def tend_vault() -> int:
    """Finish what a rotation has begun: data keys under the present master key, values under the present data key."""
    changed = rotation.wrap_all_anew() + rotation.seal_all_anew()
    return changed + rotation.drop_unused_keys(now=timezone.now())
