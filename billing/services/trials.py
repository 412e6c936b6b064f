"""Trials of ours that end: whoever could buy is told some days before."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from billing.models import Subscription
from config.needs import Role
from tenants.mails import post
from tenants.models import Mail

TOLD_BEFORE = timedelta(days=3)
KIND = "trial_ending"
_BATCH = 500


def tell_ending(*, now: datetime) -> int:
    """Promise the mail to owners and billing roles of trials that end within three days, once; how many tenants."""
    told = Mail.objects.filter(tenant_id=OuterRef("tenant_id"), kind=KIND)
    ending = Subscription.objects.trials_over(now + TOLD_BEFORE).filter(trial_ends_at__gt=now)
    rows = list(ending.exclude(Exists(told))[:_BATCH])
    for row in rows:
        post(
            tenant_id=row.tenant_id,
            roles=(Role.OWNER, Role.BILLING),
            kind=KIND,
            key=f"{KIND}:{row.pk}",
            facts={"plan": row.plan, "ends_at": str(row.trial_ends_at)},
        )
    return len(rows)
