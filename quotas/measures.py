"""How much is used: units of each meter, who is near a limit, and how many people work here."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum

from config.measuring import Reading, measure
from config.quick_redis import patient_redis
from quotas.active import active_people
from quotas.alerts.models import UsageAlert
from quotas.models import UsageTotal

# Periods of a year may have begun so long ago; what is older is over.
_LONGEST = timedelta(days=366)
_PERCENTS = (80, 90, 100)


@measure(
    "plaza_usage_units",
    "Units of each meter in the periods that began within the last 31 days.",
    labels=("meter",),
    every_seconds=60,
)
def usage(now: datetime) -> Iterator[Reading]:
    recent = UsageTotal.objects.filter(period_start__gt=now - timedelta(days=31))
    for meter, used in recent.values_list("meter").annotate(Sum("used")).order_by("meter"):
        yield (meter,), float(used)


@measure(
    "plaza_quota_alerts",
    "Tenants that were told within a day that so much of a limit is used.",
    labels=("meter", "percent"),
    every_seconds=60,
)
def near_a_limit(now: datetime) -> Iterator[Reading]:
    told = UsageAlert.objects.filter(
        Q(told_at__gt=now - timedelta(days=1)),
        period_start__gt=now - _LONGEST,
        percent__in=_PERCENTS,
    )
    by_meter = told.values_list("meter", "percent").annotate(Count("tenant_id", distinct=True))
    for meter, percent, tenants in by_meter.order_by("meter", "percent"):
        yield (meter, str(percent)), float(tenants)


@measure(
    "active_users_total",
    "Members and keys that asked for anything within the last 24 hours, to within 1 %.",
    every_seconds=15,
)
def active_users(now: datetime) -> Iterator[Reading]:
    yield (), float(patient_redis().ask(lambda server: active_people(server, now=now)))
