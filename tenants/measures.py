"""How the tenants stand: states, the fleet's versions, the pool, and what is still to be sent."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q

from config.measuring import Reading, measure, seconds_since
from tenants import template
from tenants.models import Mail, ReadySchema, Tenant, WebhookDelivery

_MIGRATED = ~Q(status__in=(Tenant.Status.PROVISIONING, Tenant.Status.CLOSED))
_PENDING = Q(status=WebhookDelivery.Status.PENDING)


@measure("plaza_tenants", "Tenants by state.", labels=("status",), every_seconds=15)
def tenants(now: datetime) -> Iterator[Reading]:
    found = dict(Tenant.objects.values_list("status").annotate(Count("id")).order_by())
    for status in Tenant.Status.values:
        yield (status,), float(found.get(status, 0))


@measure(
    "plaza_fleet_tenants",
    "Tenants by where their schema stands.",
    labels=("schema",),
    every_seconds=15,
)
def fleet(now: datetime) -> Iterator[Reading]:
    """`current`, `behind` the code of who is asked, or `set_aside`: its migration failed."""
    here = Tenant.objects.filter(_MIGRATED)
    aside = here.exclude(migration_error="").count()
    current = here.filter(migration_error="", schema_version=template.code_version()).count()
    yield ("current",), float(current)
    yield ("behind",), float(here.count() - aside - current)
    yield ("set_aside",), float(aside)


@measure("plaza_ready_schemas", "Empty schemas that wait for a sign-up.")
def ready_schemas(now: datetime) -> Iterator[Reading]:
    yield (), float(ReadySchema.objects.filter(claimed_at__isnull=True).count())


@measure("plaza_ready_schemas_wanted", "How many shall wait (PLAZA_READY_SCHEMAS).")
def ready_schemas_wanted(now: datetime) -> Iterator[Reading]:
    yield (), float(settings.PLAZA_READY_SCHEMAS)


@measure("plaza_mails_waiting", "Mails that are not sent.")
def mails(now: datetime) -> Iterator[Reading]:
    yield (), float(Mail.objects.filter(sent_at__isnull=True).count())


@measure("plaza_deliveries_waiting", "Webhooks of ours that have not arrived.")
def deliveries(now: datetime) -> Iterator[Reading]:
    yield (), float(WebhookDelivery.objects.filter(_PENDING).count())


@measure("plaza_deliveries_late_seconds", "By how much the delivery that is most overdue is late.")
def deliveries_late(now: datetime) -> Iterator[Reading]:
    due = WebhookDelivery.objects.filter(_PENDING, next_attempt_at__lte=now)
    moments = due.order_by("next_attempt_at").values_list("next_attempt_at", flat=True)
    yield (), seconds_since(moments.first(), now)
