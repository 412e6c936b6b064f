"""Alerts off the request, each harmless twice."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from config.needs import Meter
from quotas.alerts import evaluating, watching
from tenants.tasks import TenantTask


@shared_task(name="quotas.evaluate_usage", base=TenantTask, public=True)
def evaluate_usage(*, tenant_id: str, meter: str) -> str:
    """Tell what is news of one meter; which percents those were."""
    told = evaluating.evaluate(tenant_id=UUID(tenant_id), meter=Meter(meter), now=timezone.now())
    return ",".join(map(str, told))


@shared_task(name="quotas.watch_usage", base=TenantTask, public=True)
def watch_usage() -> int:
    """Read the day's usage, and look for what has become urgent."""
    return watching.watch(now=timezone.now())


@shared_task(name="quotas.review_usage", base=TenantTask, public=True)
def review_usage() -> int:
    """Look for any threshold that was not told."""
    return watching.review(now=timezone.now())


@shared_task(name="quotas.review_forecasts", base=TenantTask, public=True)
def review_forecasts() -> int:
    """Look at every pace."""
    return watching.review_forecasts(now=timezone.now())
