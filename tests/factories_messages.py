"""Factories of what leaves for tenants (mails, webhooks), and of what was told of their usage."""

from datetime import UTC, date, datetime
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from config.ids import new_id
from quotas.models import AlertSetting, Spend, SpendCap, UsageAlert, UsageDay
from tenants.models import DataKey, Mail, WebhookDelivery, WebhookEndpoint
from tenants.outbound.signing import new_secret
from tenants.vault.data_keys import add_key
from tenants.vault.sealing import Cell, seal
from tests.factories_people import PersonFactory, TenantFactory

__all__ = [
    "AlertSettingFactory",
    "DataKeyFactory",
    "MailFactory",
    "SpendCapFactory",
    "SpendFactory",
    "UsageAlertFactory",
    "UsageDayFactory",
    "WebhookDeliveryFactory",
    "WebhookEndpointFactory",
]
_MONTH = datetime(2026, 11, 1, tzinfo=UTC)


class MailFactory(DjangoModelFactory[Mail]):
    class Meta:
        model = Mail

    tenant = factory.SubFactory(TenantFactory)
    person = factory.SubFactory(PersonFactory)
    kind = "webhook_endpoint_disabled"
    key = factory.Sequence(lambda n: f"key-{n}")
    facts = factory.LazyFunction(lambda: {"url": "https://example.com/", "reason": "gone"})


class WebhookEndpointFactory(DjangoModelFactory[WebhookEndpoint]):
    class Meta:
        model = WebhookEndpoint

    tenant = factory.SubFactory(TenantFactory)
    id = factory.LazyFunction(new_id)
    url = factory.Sequence(lambda n: f"https://hooks-{n}.example.com/")
    events = ["usage.threshold_reached"]
    sealed_secret = factory.LazyAttribute(
        lambda row: seal(
            new_secret(),
            at=Cell("tenants_webhookendpoint", "sealed_secret", str(row.id), row.tenant.pk),
        )
    )
    created_at = factory.LazyFunction(timezone.now)


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    """One that waits for its first attempt."""

    class Meta:
        model = WebhookDelivery

    endpoint = factory.SubFactory(WebhookEndpointFactory)
    tenant_id = factory.LazyAttribute(lambda row: row.endpoint.tenant_id)
    event_id = factory.LazyFunction(new_id)
    event = "usage.threshold_reached"
    body = "{}"
    next_attempt_at = factory.LazyFunction(timezone.now)
    created_at = factory.LazyFunction(timezone.now)


class UsageDayFactory(DjangoModelFactory[UsageDay]):
    class Meta:
        model = UsageDay

    tenant_id = factory.LazyFunction(new_id)
    meter = "contacts"
    day = date(2026, 11, 1)
    period_start = _MONTH
    used = 1


class AlertSettingFactory(DjangoModelFactory[AlertSetting]):
    class Meta:
        model = AlertSetting

    tenant_id = factory.LazyFunction(new_id)
    meter = "contacts"
    by_mail = True
    by_webhook = True
    extra_percents = factory.LazyFunction(list)
    roles = ["owner"]
    quiet_hours = 48


class UsageAlertFactory(DjangoModelFactory[UsageAlert]):
    class Meta:
        model = UsageAlert

    tenant_id = factory.LazyFunction(new_id)
    meter = "contacts"
    period_start = _MONTH
    percent = 80
    limit = 100
    used = 80
    is_told = True
    told_at = factory.LazyFunction(timezone.now)


class SpendCapFactory(DjangoModelFactory[SpendCap]):
    class Meta:
        model = SpendCap

    tenant_id = factory.LazyFunction(new_id)
    amount = 5_000
    unit = "USD"
    set_at = factory.LazyFunction(timezone.now)


class SpendFactory(DjangoModelFactory[Spend]):
    class Meta:
        model = Spend

    tenant_id = factory.LazyFunction(new_id)
    period_start = _MONTH
    spent = 1


class DataKeyFactory(DjangoModelFactory[DataKey]):
    class Meta:
        model = DataKey

    tenant_id = factory.LazyFunction(new_id)

    @classmethod
    def _create(cls, *_: Any, **given: Any) -> DataKey:
        return add_key(tenant_id=given["tenant_id"])
