"""Factories of what tenants may, used and pay: quotas' and billing's rows."""

from datetime import UTC, datetime

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from billing import catalogue
from billing.models import (
    CatalogueVersion,
    Provider,
    ProviderPrice,
    Scaling,
    Subscription,
    WebhookEvent,
    WebhookKey,
)
from config.ids import new_id
from quotas.models import (
    ApiCallMark,
    ApiCallShare,
    Explanation,
    Grant,
    Hold,
    UsageEvent,
    UsageKey,
    UsageTotal,
    UsageValue,
)
from tests.factories_people import TenantFactory

_MONTH = datetime(2026, 11, 1, tzinfo=UTC)


class GrantFactory(DjangoModelFactory[Grant]):
    class Meta:
        model = Grant

    tenant_id = factory.LazyFunction(new_id)
    source = "plan"
    plan = "free"
    granted_at = factory.LazyFunction(timezone.now)


class HoldFactory(DjangoModelFactory[Hold]):
    class Meta:
        model = Hold

    tenant_id = factory.LazyFunction(new_id)
    code = "subscription_past_due"


class UsageTotalFactory(DjangoModelFactory[UsageTotal]):
    class Meta:
        model = UsageTotal

    tenant_id = factory.LazyFunction(new_id)
    meter = "contacts"
    period_start = _MONTH
    used = 1


class UsageEventFactory(DjangoModelFactory[UsageEvent]):
    class Meta:
        model = UsageEvent

    tenant_id = factory.LazyFunction(new_id)
    meter = "contacts"
    key = factory.Sequence(lambda n: f"contact:{n}")
    recorded_at = factory.LazyFunction(timezone.now)
    kind = UsageEvent.Kind.CONSUMED
    quantity = 1
    period_start = _MONTH
    occurred_at = factory.LazyFunction(timezone.now)


class UsageKeyFactory(DjangoModelFactory[UsageKey]):
    class Meta:
        model = UsageKey

    tenant_id = factory.LazyFunction(new_id)
    digest = factory.LazyFunction(new_id)
    event_id = factory.LazyFunction(new_id)
    recorded_at = factory.LazyFunction(timezone.now)


class UsageValueFactory(DjangoModelFactory[UsageValue]):
    class Meta:
        model = UsageValue

    tenant_id = factory.LazyFunction(new_id)
    meter = "active_people"
    period_start = _MONTH
    digest = factory.LazyFunction(new_id)
    times = 1


class ApiCallMarkFactory(DjangoModelFactory[ApiCallMark]):
    class Meta:
        model = ApiCallMark

    tenant_id = factory.LazyFunction(new_id)
    period_start = _MONTH
    spool = "a"
    epoch = factory.Sequence(str)
    counted = 1


class ApiCallShareFactory(DjangoModelFactory[ApiCallShare]):
    class Meta:
        model = ApiCallShare

    tenant_id = factory.LazyFunction(new_id)
    period_start = _MONTH
    app = "crm"
    caller = factory.Sequence(lambda number: f"member:{number}")
    calls = 1


class ExplanationFactory(DjangoModelFactory[Explanation]):
    class Meta:
        model = Explanation

    tenant_id = factory.LazyFunction(new_id)
    request_id = factory.Sequence(lambda n: f"request-{n}")
    decided_at = factory.LazyFunction(timezone.now)
    code = "rate_limited"
    told = factory.LazyFunction(dict)


class ProviderPriceFactory(DjangoModelFactory[ProviderPrice]):
    class Meta:
        model = ProviderPrice

    provider = Provider.STRIPE
    plan = "growth"
    interval = "month"
    currency = "USD"
    amount_minor = 9_900
    product_id = factory.Sequence(lambda n: f"prod_{n}")
    price_id = factory.Sequence(lambda n: f"price_{n}")


class SubscriptionFactory(DjangoModelFactory[Subscription]):
    class Meta:
        model = Subscription

    tenant = factory.SubFactory(TenantFactory)
    plan = "free"
    status = Subscription.Status.ACTIVE


class WebhookEventFactory(DjangoModelFactory[WebhookEvent]):
    class Meta:
        model = WebhookEvent

    provider = Provider.STRIPE
    provider_event_id = factory.Sequence(lambda n: f"evt_{n}")
    kind = "customer.subscription.updated"
    payload = factory.LazyFunction(dict)
    received_at = factory.LazyFunction(timezone.now)


class WebhookKeyFactory(DjangoModelFactory[WebhookKey]):
    class Meta:
        model = WebhookKey

    digest = factory.LazyFunction(new_id)
    event_id = factory.LazyFunction(new_id)
    received_at = factory.LazyFunction(timezone.now)


class ScalingFactory(DjangoModelFactory[Scaling]):
    class Meta:
        model = Scaling

    tenant_id = factory.LazyFunction(new_id)
    scaled_at = factory.LazyFunction(timezone.now)
    shares = factory.LazyFunction(dict)


class CatalogueVersionFactory(DjangoModelFactory[CatalogueVersion]):
    class Meta:
        model = CatalogueVersion

    version = 1
    contents = factory.LazyFunction(catalogue.contents)
    stored_at = factory.LazyFunction(timezone.now)
