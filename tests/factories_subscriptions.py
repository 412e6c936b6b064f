"""Factories of a subscription's life: spans, changes, seats, coupons, dunning."""

from datetime import UTC, datetime, timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from billing.models import (
    BilledUsage,
    Dunning,
    Invitation,
    Redemption,
    SubscriptionChange,
    SubscriptionSpan,
)
from config.ids import new_id
from tests.factories_money import SubscriptionFactory
from tests.factories_people import TenantFactory


class SubscriptionSpanFactory(DjangoModelFactory[SubscriptionSpan]):
    class Meta:
        model = SubscriptionSpan

    subscription = factory.SubFactory(SubscriptionFactory)
    terms = factory.LazyFunction(dict)
    starts_at = factory.LazyFunction(timezone.now)


class SubscriptionChangeFactory(DjangoModelFactory[SubscriptionChange]):
    class Meta:
        model = SubscriptionChange

    subscription = factory.SubFactory(SubscriptionFactory)
    terms = factory.LazyFunction(dict)
    status = SubscriptionChange.Status.PENDING
    asked_at = factory.LazyFunction(timezone.now)
    quoted_at = factory.LazyFunction(timezone.now)


class BilledUsageFactory(DjangoModelFactory[BilledUsage]):
    class Meta:
        model = BilledUsage

    tenant_id = factory.LazyFunction(new_id)
    meter = "emails"
    period_start = datetime(2026, 11, 1, tzinfo=UTC)
    period_end = datetime(2026, 12, 1, tzinfo=UTC)
    units = 1


class InvitationFactory(DjangoModelFactory[Invitation]):
    class Meta:
        model = Invitation

    tenant = factory.SubFactory(TenantFactory)
    email = factory.Sequence(lambda n: f"guest{n}@mail.test")
    role = "member"
    created_at = factory.LazyFunction(timezone.now)
    sent_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyAttribute(lambda made: made.created_at + timedelta(days=7))


class RedemptionFactory(DjangoModelFactory[Redemption]):
    class Meta:
        model = Redemption

    subscription = factory.SubFactory(SubscriptionFactory)
    coupon = "welcome"
    catalogue_version = 1
    redeemed_at = factory.LazyFunction(timezone.now)


class DunningFactory(DjangoModelFactory[Dunning]):
    class Meta:
        model = Dunning

    subscription = factory.SubFactory(SubscriptionFactory)
    began_at = factory.LazyFunction(timezone.now)
