"""A budget's alerts off the request, harmless twice."""

from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from quotas.caps.evaluating import evaluate_spend as evaluate
from tenants.tasks import TenantTask


@shared_task(name="quotas.evaluate_spend", base=TenantTask, public=True)
def evaluate_spend(*, tenant_id: str, period: str) -> str:
    """Tell what is news of the budget of the billing period that holds `period`; which percents those were."""
    told = evaluate(
        tenant_id=UUID(tenant_id), at=datetime.fromisoformat(period), now=timezone.now()
    )
    return ",".join(map(str, told))
