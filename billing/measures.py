"""How money stands: what was invoiced, subscriptions, the providers' webhooks, and what they are still to do."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min, Sum

from billing.models import Invoice, ProviderCommand, Subscription, WebhookEvent
from config.measuring import Reading, measure, seconds_since


@measure(
    "plaza_invoiced_minor",
    "Totals of the invoices issued in this month (UTC), in minor units, without void ones.",
    labels=("currency",),
    every_seconds=60,
)
def invoiced(now: datetime) -> Iterator[Reading]:
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    issued = Invoice.objects.filter(issued_at__gte=month).exclude(status=Invoice.Status.VOID)
    totals = issued.values_list("currency").annotate(Sum("total_minor")).order_by("currency")
    for currency, minor in totals:
        yield (currency,), float(minor)


@measure("plaza_invoices_open", "Invoices that are not settled.", every_seconds=60)
def open_invoices(now: datetime) -> Iterator[Reading]:
    yield (), float(Invoice.objects.filter(status=Invoice.Status.OPEN).count())


@measure("plaza_subscriptions", "Subscriptions by state.", labels=("status",), every_seconds=60)
def subscriptions(now: datetime) -> Iterator[Reading]:
    found = dict(Subscription.objects.values_list("status").annotate(Count("pk")).order_by())
    for status in Subscription.Status.values:
        yield (status,), float(found.get(status, 0))


@measure("plaza_webhooks_waiting", "Events of a provider to be handled.", labels=("provider",))
def webhooks(now: datetime) -> Iterator[Reading]:
    waiting = WebhookEvent.objects.filter(next_attempt_at__isnull=False)
    for provider, count in waiting.values_list("provider").annotate(Count("pk")).order_by():
        yield (provider,), float(count)


@measure("plaza_webhook_lag_seconds", "How long ago the oldest of them came in.")
def webhook_lag(now: datetime) -> Iterator[Reading]:
    waiting = WebhookEvent.objects.filter(next_attempt_at__isnull=False)
    yield (), seconds_since(waiting.aggregate(oldest=Min("received_at"))["oldest"], now)


@measure(
    "plaza_provider_commands",
    "What providers are still to do (waiting), or will not do until a person looks (failed).",
    labels=("provider", "status"),
)
def commands(now: datetime) -> Iterator[Reading]:
    unsettled = (ProviderCommand.Status.WAITING, ProviderCommand.Status.FAILED)
    found = ProviderCommand.objects.filter(status__in=unsettled)
    for provider, status, count in (
        found.values_list("provider", "status").annotate(Count("pk")).order_by()
    ):
        yield (provider, status), float(count)
