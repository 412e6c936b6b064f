"""The console's first page: how the house is, in a handful of figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Subscription, WebhookEvent
from config.models import OutboxMessage
from tenants.models import Person, Tenant

# What the broker did not get within this time waits for the sweeper.
_WAITING_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and the list that shows what stands behind it. `alarms` marks what needs a hand."""

    title: Promise
    value: int
    url: str
    alarms: bool = False


def figures(*, now: datetime) -> list[Figure]:
    """Five queries, however many tenants."""
    tenants = _counts(
        Tenant.objects.aggregate(
            all=Count("pk"),
            suspended=Count("pk", filter=Q(status=Tenant.Status.SUSPENDED)),
            unfinished=Count("pk", filter=Q(status=Tenant.Status.PROVISIONING)),
            closing=Count("pk", filter=Q(status=Tenant.Status.CLOSING)),
            set_aside=Count("pk", filter=Q(migration_state=Tenant.MigrationState.SET_ASIDE)),
        )
    )
    paid = _counts(
        Subscription.objects.aggregate(
            trials=Count("pk", filter=Q(status=Subscription.Status.TRIALING)),
            overdue=Count("pk", filter=Q(status=Subscription.Status.PAST_DUE)),
        )
    )
    failed = WebhookEvent.objects.filter(status=WebhookEvent.Status.FAILED).count()
    waiting = OutboxMessage.objects.filter(created_at__lt=now - _WAITING_AFTER).count()
    at_tenants = reverse("console:tenants_tenant_changelist")
    at_money = reverse("console:billing_subscription_changelist")
    at_webhooks = reverse("console:billing_webhookevent_changelist")
    at_outbox = reverse("console:config_outboxmessage_changelist")
    return [
        Figure(_("Tenants"), tenants["all"], at_tenants),
        Figure(
            _("Being set up"), tenants["unfinished"], f"{at_tenants}?status__exact=provisioning"
        ),
        Figure(_("Suspended"), tenants["suspended"], f"{at_tenants}?status__exact=suspended"),
        Figure(_("Closing"), tenants["closing"], f"{at_tenants}?status__exact=closing"),
        Figure(
            _("Migrations set aside"),
            tenants["set_aside"],
            f"{at_tenants}?migration_state__exact=set_aside",
            tenants["set_aside"] > 0,
        ),
        Figure(_("On trial"), paid["trials"], f"{at_money}?status__exact=trialing"),
        Figure(
            _("Payment overdue"),
            paid["overdue"],
            f"{at_money}?status__exact=past_due",
            paid["overdue"] > 0,
        ),
        Figure(_("Failed webhooks"), failed, f"{at_webhooks}?status__exact=failed", failed > 0),
        Figure(_("Messages not sent"), waiting, at_outbox, waiting > 0),
        Figure(
            _("Operators"),
            _operators(),
            reverse("console:tenants_person_changelist") + "?kind__exact=operator",
        ),
    ]


def _operators() -> int:
    return Person.objects.filter(kind=Person.Kind.OPERATOR, is_active=True).count()


def _counts(found: Mapping[str, int | None]) -> dict[str, int]:
    return {name: count or 0 for name, count in found.items()}
