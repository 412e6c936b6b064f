"""Factories of what passes between the providers and us."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from billing.models import Provider, ProviderCommand, ProviderDifference, ProviderTransaction
from config.ids import new_id


class ProviderCommandFactory(DjangoModelFactory[ProviderCommand]):
    class Meta:
        model = ProviderCommand

    tenant_id = factory.LazyFunction(new_id)
    provider = Provider.STRIPE
    kind = ProviderCommand.Kind.COLLECT
    subject_id = factory.LazyFunction(new_id)
    promised_at = factory.LazyFunction(timezone.now)
    next_attempt_at = factory.LazyFunction(timezone.now)


class ProviderTransactionFactory(DjangoModelFactory[ProviderTransaction]):
    class Meta:
        model = ProviderTransaction

    tenant_id = factory.LazyFunction(new_id)
    provider = Provider.STRIPE
    ref = factory.Sequence(lambda n: f"ch_{n}")
    kind = ProviderTransaction.Kind.PAYMENT
    status = ProviderTransaction.Status.DONE
    currency = "USD"
    amount_minor = 9_900
    fee_currency = "USD"
    occurred_at = factory.LazyFunction(timezone.now)
    read_at = factory.LazyFunction(timezone.now)


class ProviderDifferenceFactory(DjangoModelFactory[ProviderDifference]):
    class Meta:
        model = ProviderDifference

    provider = Provider.STRIPE
    kind = ProviderDifference.Kind.EVENT
    ref = factory.Sequence(lambda n: f"evt_{n}")
    found_at = factory.LazyFunction(timezone.now)
    seen_at = factory.LazyFunction(timezone.now)
