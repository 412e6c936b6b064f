"""How a tenant pays: what its provider has of it, which one is charged, and which one goes."""

from uuid import UUID

from django.db import transaction

from billing import providers
from billing.models import Subscription
from billing.providers.base import ProviderRefused
from billing.providers.bills import PaymentMethod
from billing.providers.gateways import Gateway
from billing.refusals import PaymentMethodInUse
from billing.services.changes import CHECKOUT_PATH
from billing.services.subscriptions import subscription_of
from config.errors import NotFound


def methods_of(tenant_id: UUID) -> list[PaymentMethod]:
    """What the tenant's provider can charge; none where nothing was ever paid. Raises ProviderDown."""
    row = subscription_of(tenant_id)
    if not row.provider or not (row.provider_customer_id or row.provider_subscription_id):
        return []
    return _held(providers.gateway(row.provider), row)


@transaction.atomic
def choose(*, tenant_id: UUID, method_id: str) -> list[PaymentMethod]:
    """Charge this one from now on. Raises NotFound for one that the tenant does not have."""
    gateway, row, _ = _found(tenant_id, method_id)
    gateway.choose_method(customer_id=row.provider_customer_id, method_id=method_id)
    return _held(gateway, row)


@transaction.atomic
def remove(*, tenant_id: UUID, method_id: str) -> list[PaymentMethod]:
    """Let go of it. Raises NotFound, and PaymentMethodInUse for the one by which a subscription is paid."""
    gateway, row, method = _found(tenant_id, method_id)
    if method.is_default and row.is_collected:
        raise PaymentMethodInUse(checkout=CHECKOUT_PATH)
    gateway.remove_method(customer_id=row.provider_customer_id, method_id=method_id)
    return _held(gateway, row)


def _found(tenant_id: UUID, method_id: str) -> tuple[Gateway, Subscription, PaymentMethod]:
    """The provider is asked whose it is: an id of another tenant's is nobody's here."""
    row = subscription_of(tenant_id, for_update=True)
    if not row.provider:
        raise NotFound()
    gateway = providers.gateway(row.provider)
    try:
        held = {method.id: method for method in _held(gateway, row)}
    except ProviderRefused:
        raise NotFound() from None
    if method_id not in held:
        raise NotFound()
    return gateway, row, held[method_id]


def _held(gateway: Gateway, row: Subscription) -> list[PaymentMethod]:
    return gateway.payment_methods(
        customer_id=row.provider_customer_id, subscription_id=row.provider_subscription_id
    )
